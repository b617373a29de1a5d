/* SPDX-License-Identifier: MIT */
// The server's address, state and version, and what the machine's memory is used for.
import { CopyButton } from './copy';
import { bytes, plural } from './format';
import {
  connection,
  deviceMemory,
  deviceName,
  instances,
  memory,
  parked,
  version,
} from '../server/store';

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
  const held = parked.value.reduce((sum, w) => sum + w.memory_bytes, 0);
  const free = Math.max(0, m.total_bytes - m.other_bytes - models - held);
  const share = (n: number) => ({ width: `${(n / m.total_bytes) * 100}%` });
  const words = [
    ...loaded.map((i) => `${i.id} ${bytes(i.memory_bytes)}`),
    ...(held > 0 ? [`parked ${bytes(held)}`] : []),
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
        {held > 0 && (
          <span class="seg-parked" style={share(held)} title={`Parked workers: ${bytes(held)}`} />
        )}
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
        {held > 0 && (
          <span>
            <i class="seg-parked" />
            parked {bytes(held)}
          </span>
        )}
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

// The same for the graphics card, where there is one. An instance has one colour in both.
function DeviceBar() {
  const card = deviceMemory.value;
  if (!card) return null;
  const name = deviceName.value || 'Graphics card';
  const there = instances.value
    .filter((i) => i.memory_bytes > 0)
    .map((i, n) => ({ id: i.id, size: i.device_memory_bytes ?? 0, color: colorClass(n) }))
    .filter(({ size }) => size > 0);
  const words = [
    ...there.map(({ id, size }) => `${id} ${bytes(size)}`),
    `free ${bytes(card.free)}`,
  ].join(', ');
  return (
    <div class="memory device">
      <div class="bar" role="img" aria-label={`${name}, ${bytes(card.total)} for models: ${words}`}>
        {there.map(({ id, size, color }) => (
          <span
            key={id}
            class={color}
            style={{ width: `${(size / card.total) * 100}%` }}
            title={`${id}: ${bytes(size)}`}
          />
        ))}
      </div>
      <p class="legend">
        <span>{name}</span>
        {there.slice(0, COLORS).map(({ id, size, color }) => (
          <span key={id}>
            <i class={color} />
            {id} {bytes(size)}
          </span>
        ))}
        {there.length > COLORS && <span>{plural(there.length - COLORS, 'more')}</span>}
        <span>
          <i class="seg-free" />
          free {bytes(card.free)} of {bytes(card.total)}
        </span>
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
      <DeviceBar />
    </header>
  );
}
