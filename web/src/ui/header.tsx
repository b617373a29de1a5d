/* SPDX-License-Identifier: MIT */
// The server's address, state and version, and what the machine's memory is used for.
import { CopyButton } from './copy';
import { bytes, plural } from './format';
import { connection, instances, memory, version } from '../server/store';

const COLORS = 6; // .seg-0 to .seg-5 in style.css
const colorClass = (index: number): string => `seg-${index % COLORS}`;

const stateText = {
  connecting: 'connecting…',
  live: 'running',
  lost: 'connection lost',
  locked: 'API key required',
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
  const models = loaded.reduce((sum, i) => sum + i.memory_bytes, 0);
  const free = Math.max(0, m.total_bytes - m.other_bytes - models);
  const share = (n: number) => ({ width: `${(n / m.total_bytes) * 100}%` });
  const words = [
    ...loaded.map((i) => `${i.id} ${bytes(i.memory_bytes)}`),
    `other programs ${bytes(m.other_bytes)}`,
    `free ${bytes(free)}`,
  ].join(', ');
  return (
    <div class="memory">
      <div class="bar" role="img" aria-label={`Memory of ${bytes(m.total_bytes)}: ${words}`}>
        {loaded.map((i, n) => (
          <span
            key={i.id}
            class={colorClass(n)}
            style={share(i.memory_bytes)}
            title={`${i.id}: ${bytes(i.memory_bytes)}`}
          />
        ))}
        <span
          class="seg-rest"
          style={share(m.other_bytes)}
          title={`Other programs: ${bytes(m.other_bytes)}`}
        />
      </div>
      <p class="legend">
        {loaded.slice(0, COLORS).map((i, n) => (
          <span key={i.id}>
            <i class={colorClass(n)} />
            {i.id} {bytes(i.memory_bytes)}
          </span>
        ))}
        {loaded.length > COLORS && <span>{plural(loaded.length - COLORS, 'more')}</span>}
        <span>
          <i class="seg-rest" />
          other programs {bytes(m.other_bytes)}
        </span>
        <span>
          <i class="seg-free" />
          free {bytes(free)}
        </span>
        {m.limit_bytes !== null && <span>model limit {bytes(m.limit_bytes)}</span>}
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
