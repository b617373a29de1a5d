/* SPDX-License-Identifier: MIT */
// The LoRA adapters of a load: a row for each.
import {
  adaptersField,
  MAX_ADAPTERS,
  noAdapters,
  rowsOf,
  textOfRows,
  type AdapterRow,
} from './load-fields';

interface Props {
  id: string;
  text: string; // as in load-fields.ts
  below: string; // those of the settings; empty: none
  error: string;
  onChange: (text: string) => void;
  onVisit: () => void; // a row was left
}

function Row(p: Props & { row: AdapterRow; index: number; set: (row: AdapterRow | null) => void }) {
  const { row, index, set } = p;
  const common = {
    autoComplete: 'off',
    spellcheck: false,
    'aria-invalid': p.error !== '',
    'aria-describedby': `${p.id}-error ${p.id}-hint`,
    onBlur: p.onVisit,
  };
  return (
    <li class="row">
      <input
        {...common}
        id={index === 0 ? p.id : undefined}
        class="grow"
        value={row.path}
        placeholder="my-lora.gguf"
        aria-label={`File of adapter ${index + 1}`}
        onInput={(e) => set({ ...row, path: e.currentTarget.value })}
      />
      <input
        {...common}
        class="short"
        value={row.scale}
        placeholder="1"
        inputMode="text"
        aria-label={`Scale of adapter ${index + 1}`}
        onInput={(e) => set({ ...row, scale: e.currentTarget.value })}
      />
      <button
        type="button"
        class="small"
        aria-label={`Remove adapter ${index + 1}`}
        onClick={() => set(null)}
      >
        Remove
      </button>
    </li>
  );
}

// Where there is something to leave out.
function Without(p: Props) {
  const checked = p.text === noAdapters;
  if (!checked && (!p.below || p.text !== '')) return null;
  return (
    <>
      {p.below && <p>Those of the settings: {p.below}</p>}
      <label class="choice">
        <input
          type="checkbox"
          checked={checked}
          onChange={(e) => p.onChange(e.currentTarget.checked ? noAdapters : '')}
        />
        <span>{p.below ? 'Without them' : 'Without adapters'}</span>
      </label>
    </>
  );
}

export function Adapters(p: Props) {
  const rows = rowsOf(p.text);
  const set = (index: number) => (row: AdapterRow | null) => {
    const after = rows.flatMap((old, i) => (i !== index ? [old] : row ? [row] : []));
    p.onChange(textOfRows(after));
  };
  return (
    <fieldset class="adapters">
      <legend>{adaptersField.label}</legend>
      {rows.length > 0 && (
        <ul>
          {rows.map((row, index) => (
            <Row key={index} {...p} row={row} index={index} set={set(index)} />
          ))}
        </ul>
      )}
      <Without {...p} />
      <p class="wrong" id={`${p.id}-error`} aria-live="polite">
        {p.error}
      </p>
      <p class="hint" id={`${p.id}-hint`}>
        {adaptersField.hint}
      </p>
      {rows.length < MAX_ADAPTERS && (
        <button
          type="button"
          class="small"
          onClick={() => p.onChange(textOfRows([...rows, { path: '', scale: '' }]))}
        >
          Add an adapter
        </button>
      )}
    </fieldset>
  );
}
