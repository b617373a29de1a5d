/* SPDX-License-Identifier: MIT */
// Address, state, version, and where the machine's memory is.
import { CopyButton } from './copy';
import { bytes, plural } from './format';
import { connection, instances, memory, version } from '../server/store';

const shades = 6; // of style.css: .seg-0 …
export const shadeOf = (index: number): string => `seg-${index % shades}`;

const stateText = {
  connecting: 'connecting…',
  live: 'running',
  gone: 'gone',
  locked: 'wants an API key',
};

function MemoryBar() {
  const m = memory.value;
  if (!m)
    return (
      <div class="memory" aria-hidden="true">
        <div class="bar" />
      </div>
    );
  const loaded = instances.value.filter((i) => i.memory_bytes > 0);
  const ours = loaded.reduce((sum, i) => sum + i.memory_bytes, 0);
  const free = Math.max(0, m.total_bytes - m.other_bytes - ours);
  const share = (n: number) => ({ width: `${(n / m.total_bytes) * 100}%` });
  const words = [
    ...loaded.map((i) => `${i.id} ${bytes(i.memory_bytes)}`),
    `rest of the system ${bytes(m.other_bytes)}`,
    `free ${bytes(free)}`,
  ].join(', ');
  return (
    <div class="memory">
      <div class="bar" role="img" aria-label={`Memory of ${bytes(m.total_bytes)}: ${words}`}>
        {loaded.map((i, n) => (
          <span
            key={i.id}
            class={shadeOf(n)}
            style={share(i.memory_bytes)}
            title={`${i.id}: ${bytes(i.memory_bytes)}`}
          />
        ))}
        <span
          class="seg-rest"
          style={share(m.other_bytes)}
          title={`Rest of the system: ${bytes(m.other_bytes)}`}
        />
      </div>
      <p class="legend">
        {loaded.slice(0, shades).map((i, n) => (
          <span key={i.id}>
            <i class={shadeOf(n)} />
            {i.id} {bytes(i.memory_bytes)}
          </span>
        ))}
        {loaded.length > shades && <span>{plural(loaded.length - shades, 'more')}</span>}
        <span>
          <i class="seg-rest" />
          rest of the system {bytes(m.other_bytes)}
        </span>
        <span>
          <i class="seg-free" />
          free {bytes(free)}
        </span>
        {m.limit_bytes !== null && <span>limit for models {bytes(m.limit_bytes)}</span>}
      </p>
    </div>
  );
}

export function Header() {
  const address = location.origin;
  return (
    <header>
      <div class="line">
        <h1>doze</h1>
        <span class={`state ${connection.value}`} role="status">
          {stateText[connection.value]}
        </span>
        <span class="address">
          <code>{address}</code>
          <CopyButton text={address} label="Copy the server's address" />
        </span>
        {version.value && <span class="version">version {version.value}</span>}
      </div>
      <MemoryBar />
    </header>
  );
}
