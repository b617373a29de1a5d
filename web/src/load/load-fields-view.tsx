/* SPDX-License-Identifier: MIT */
// Fields for load settings: two that matter most, the others on request.
import type { LoadSettings } from '../server/api';
import { deviceBytes, models } from '../server/store';
import { count } from '../ui/format';
import { Adapters } from './adapters-view';
import {
  adaptersField,
  emptyText,
  gpuField,
  mainFields,
  moreFields,
  type LoadField,
  type LoadFieldSpec,
  type LoadTexts,
} from './load-fields';

interface Props {
  id: string; // the fields' ids begin with it
  texts: LoadTexts;
  below: LoadSettings; // what applies where a field is empty
  errors: Partial<Record<string, string>>; // shown beside the field
  maxContext: number; // the model's; 0: not known
  onChange: (texts: LoadTexts) => void;
  onVisit?: (name: LoadField) => void; // a field was left
  forAll?: boolean; // of all models, to which no adapter fits
}

function Control({ spec, ...p }: Props & { spec: LoadFieldSpec }) {
  const id = `${p.id}-${spec.name}`;
  const empty = emptyText(spec, p.below);
  const common = {
    id,
    value: p.texts[spec.name],
    'aria-describedby': `${id}-error ${id}-hint`,
    onBlur: () => p.onVisit?.(spec.name),
  };
  const set = (text: string) => p.onChange({ ...p.texts, [spec.name]: text });
  if (spec.choices) {
    const isOther = common.value !== '' && !spec.choices.some(([v]) => v === common.value);
    return (
      <select {...common} onChange={(e) => set(e.currentTarget.value)}>
        <option value="">{empty === 'automatic' ? 'Automatic' : `Default (${empty})`}</option>
        {isOther && <option value={common.value}>{common.value}</option>}
        {spec.choices.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      {...common}
      placeholder={empty}
      autoComplete="off"
      spellcheck={false}
      inputMode={spec.whole && spec.min !== -1 ? 'numeric' : 'text'}
      aria-invalid={spec.name in p.errors}
      list={spec.models ? `${p.id}-models` : undefined}
      onInput={(e) => set(e.currentTarget.value)}
    />
  );
}

function Field(p: Props & { spec: LoadFieldSpec }) {
  const { spec } = p;
  const id = `${p.id}-${spec.name}`;
  const most = spec.name === 'context_length' && p.maxContext;
  return (
    <div class="field">
      <label for={id}>{spec.label}</label>
      <Control {...p} />
      <p class="hint" id={`${id}-hint`}>
        {most ? `At most ${count(most)}. ` : ''}
        {spec.hint}
      </p>
      <p class="wrong" id={`${id}-error`} aria-live="polite">
        {p.errors[spec.name] ?? ''}
      </p>
    </div>
  );
}

// What is suggested where a model is to be named.
function ModelNames({ id }: { id: string }) {
  const list = (models.value ?? []).filter((m) => m.type === 'llm' && !m.problem);
  return (
    <datalist id={`${id}-models`}>
      {list.map((m) => (
        <option key={m.key} value={m.key} />
      ))}
    </datalist>
  );
}

export function LoadFields(p: Props) {
  const hasCard = deviceBytes.value > 0;
  const main = hasCard ? [...mainFields, gpuField] : mainFields;
  const more = hasCard ? moreFields : [gpuField, ...moreFields];
  const counted = p.forAll ? more : [...more, adaptersField];
  const set = counted.filter(({ name }) => p.texts[name].trim()).length;
  return (
    <>
      <div class="fields">
        {main.map((spec) => (
          <Field key={spec.name} {...p} spec={spec} />
        ))}
      </div>
      <details class="more">
        <summary>More load settings{set > 0 && ` (${set} set)`}</summary>
        <div class="fields">
          {more.map((spec) => (
            <Field key={spec.name} {...p} spec={spec} />
          ))}
        </div>
        <ModelNames id={p.id} />
        {!p.forAll && (
          <Adapters
            id={`${p.id}-adapters`}
            text={p.texts.adapters}
            below={emptyText(adaptersField, p.below)}
            error={p.errors.adapters ?? ''}
            onChange={(adapters) => p.onChange({ ...p.texts, adapters })}
            onVisit={() => p.onVisit?.('adapters')}
          />
        )}
      </details>
    </>
  );
}

// Shows a field that is wrong, wherever it is.
export function focusField(id: string): void {
  const field = document.getElementById(id);
  field?.closest('details')?.setAttribute('open', '');
  field?.focus();
}
