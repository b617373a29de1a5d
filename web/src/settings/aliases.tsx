/* SPDX-License-Identifier: MIT */
// Names that clients insist on, and the models that answer to them.
import { useSignal } from '@preact/signals';
import { connection, models, settings } from '../server/store';
import { refuse, save, SaveStatus } from './save';

const LOADED = 'loaded';

const targetText = (target: string) => (target === LOADED ? 'the only loaded model' : target);

function Entry({ name, target }: { name: string; target: string }) {
  return (
    <li class="row between">
      <span>
        <code>{name}</code> is {targetText(target)}
      </span>
      <button
        type="button"
        class="small"
        disabled={connection.value !== 'live'}
        aria-label={`Remove the name ${name}`}
        onClick={() => void save({ model_aliases: { [name]: null } })}
      >
        Remove
      </button>
    </li>
  );
}

function AddForm() {
  const name = useSignal('');
  const target = useSignal(LOADED);
  const add = async (e: Event) => {
    e.preventDefault();
    const typed = name.peek().trim();
    if (!typed) refuse('model_aliases', 'Enter a name, such as gpt-* or my-model.');
    else if (await save({ model_aliases: { [typed]: target.peek() } })) name.value = '';
  };
  return (
    <form class="row" noValidate onSubmit={(e) => void add(e)}>
      <label for="alias">Name</label>
      <input
        id="alias"
        value={name.value}
        placeholder="gpt-*"
        autoComplete="off"
        spellcheck={false}
        aria-describedby="model_aliases-hint model_aliases-status"
        onInput={(e) => {
          name.value = e.currentTarget.value;
        }}
      />
      <label for="alias-target">Model</label>
      <select
        id="alias-target"
        value={target.value}
        onChange={(e) => {
          target.value = e.currentTarget.value;
        }}
      >
        <option value={LOADED}>{targetText(LOADED)}</option>
        {(models.value ?? [])
          .filter((m) => !m.problem)
          .map(({ key }) => (
            <option key={key} value={key}>
              {key}
            </option>
          ))}
      </select>
      <button type="submit" disabled={connection.value !== 'live'}>
        Add
      </button>
    </form>
  );
}

export function Aliases() {
  const entries = Object.entries(settings.value!.model_aliases);
  return (
    <div class="setting">
      {entries.length > 0 && (
        <ul class="aliases">
          {entries.map(([name, target]) => (
            <Entry key={name} name={name} target={target} />
          ))}
        </ul>
      )}
      <AddForm />
      <p class="hint" id="model_aliases-hint">
        For clients that insist on names of their own. <code>*</code> stands for any text; the names
        of models come first.
      </p>
      <SaveStatus name="model_aliases" />
    </div>
  );
}
