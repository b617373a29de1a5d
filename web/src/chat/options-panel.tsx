/* SPDX-License-Identifier: MIT */
// The system prompt and the sampling options of the open conversation.
import { canReason, changeOpen, model, open } from './chat-state';
import { efforts, type Effort } from './conversation';
import { optionError, optionSpecs, type OptionSpec } from './options';

function OptionField({ spec }: { spec: OptionSpec }) {
  const { options } = open.value;
  const id = `option-${spec.name}`;
  const error = optionError(spec, options[spec.name]);
  return (
    <div class="field">
      <label for={id}>{spec.label}</label>
      <input
        id={id}
        inputMode={spec.whole ? 'numeric' : 'decimal'}
        autoComplete="off"
        placeholder="default"
        value={options[spec.name]}
        aria-invalid={error !== ''}
        aria-describedby={`${id}-error`}
        onInput={(e) => changeOpen({ options: { ...options, [spec.name]: e.currentTarget.value } })}
      />
      <p class="wrong" id={`${id}-error`} aria-live="polite">
        {error}
      </p>
    </div>
  );
}

function ReasoningField() {
  return (
    <div class="field">
      <label for="reasoning">Reasoning</label>
      <select
        id="reasoning"
        value={open.value.reasoning ?? ''}
        onChange={(e) => changeOpen({ reasoning: e.currentTarget.value as Effort })}
      >
        {Object.entries(efforts).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

export function OptionsPanel() {
  const { system, options, reasoning } = open.value;
  const reasons = canReason(model.value);
  const set = optionSpecs.filter(({ name }) => options[name].trim()).length;
  const count = set + (system.trim() ? 1 : 0) + (reasons && reasoning ? 1 : 0);
  return (
    <details class="options">
      <summary>System prompt and sampling{count > 0 && ` (${count} set)`}</summary>
      <div class="field">
        <label for="system">System prompt</label>
        <textarea
          id="system"
          rows={3}
          placeholder="none"
          value={system}
          onInput={(e) => changeOpen({ system: e.currentTarget.value })}
        />
      </div>
      <div class="fields">
        {reasons && <ReasoningField />}
        {optionSpecs.map((spec) => (
          <OptionField key={spec.name} spec={spec} />
        ))}
      </div>
      <p class="hint">
        They apply to this chat and to new ones started from it. Empty fields use the server’s
        defaults.
      </p>
    </details>
  );
}
