/* SPDX-License-Identifier: MIT */
// The servers that answer as one: what each has, and what it is doing.
import type { Fleet, FleetNode, Resident } from '../server/api';
import { now } from '../server/store';
import { bytes, moment, plural } from '../ui/format';
import {
  FILTER_FROM,
  hasOtherKey,
  loadOf,
  modelsOf,
  nodesOf,
  reasonOf,
  residentText,
  SHOWN,
  standingOf,
} from './fleet';
import { asked, failure, filter, fleet, useFleet } from './fleet-state';
import './fleet.css';

function NoFleet() {
  return (
    <div class="empty">
      <p>This server is alone: it is in no fleet.</p>
      <p>
        Servers that are given the same etcd answer as one. To make a fleet, start etcd, and on each
        server: <code>doze settings set fleet {`'{"etcd": "http://<host of etcd>:2379"}'`}</code>
      </p>
    </div>
  );
}

function Etcd({ f }: { f: Fleet }) {
  const etcd = f.etcd!;
  const since = moment(etcd.since, now.value);
  const standing = standingOf(f);
  if (standing === 'reached') {
    return (
      <p class="hint">
        etcd at <code>{etcd.url}</code> has answered since {since}.
        {f.nodes.length === 1 && ' No other node is there.'}
      </p>
    );
  }
  return (
    <div class="banner" role="alert">
      {standing === 'alone' ? (
        <strong>No etcd answers: this node serves alone.</strong>
      ) : (
        <strong>etcd does not answer: the list is the last one that is known.</strong>
      )}{' '}
      <code>{etcd.url}</code> has not answered since {since}
      {etcd.problem && ` (${etcd.problem.replace(`${etcd.url}: `, '')})`}.{' '}
      {standing === 'unreached' &&
        `If it stays so, this node serves alone from ${moment(etcd.valid_until!, now.value)} on. `}
      Requests are served all the time; the fleet comes back by itself.
    </div>
  );
}

function NameTaken({ url }: { url: string | null }) {
  if (!url) return null;
  return (
    <div class="banner" role="alert">
      <strong>The server at {url} has this node’s name.</strong> The others do not see this one
      until it has another: <code>doze settings set fleet {`'{"node": "another-name"}'`}</code>
    </div>
  );
}

function Memory({ name, free, limit }: { name: string; free: number; limit: number }) {
  return (
    <>
      {bytes(free)} free of {bytes(limit)}
      <meter
        min={0}
        max={limit || 1}
        value={Math.max(0, limit - free)}
        aria-label={`Memory in use on ${name}`}
      />
    </>
  );
}

function Loaded({ r }: { r: Resident }) {
  return (
    <li data-resident={r.id}>
      <span class={`tag ${r.state ?? ''}`}>{residentText(r, now.value)}</span>{' '}
      <strong>{r.id}</strong>
      {r.id !== r.model && <span class="sub"> {r.model}</span>}
      {r.memory_bytes ? <span class="size"> {bytes(r.memory_bytes)}</span> : null}
    </li>
  );
}

function OnDisk({ n }: { n: FleetNode }) {
  if (n.models.length === 0) return <p class="hint">No model is on its disk.</p>;
  return (
    <details class="more">
      <summary>{plural(n.models.length, 'model')} on its disk</summary>
      <ul class="disk">
        {n.models.map((m) => (
          <li key={m.key}>
            {m.key} {m.size_bytes !== null && <span class="sub">{bytes(m.size_bytes)}</span>}
          </li>
        ))}
      </ul>
    </details>
  );
}

function NodeTags({ n, here }: { n: FleetNode; here: boolean }) {
  const { state, text } = loadOf(n);
  return (
    <p class="tags">
      <span class={`tag ${state}`}>{text}</span>
      {here && <span class="tag explicit">this server</span>}
      {hasOtherKey(n) && <span class="tag other-key">another fleet key: gets no requests</span>}
    </p>
  );
}

function Node({ n, here }: { n: FleetNode; here: boolean }) {
  return (
    <li class={`card ${loadOf(n).state}`} data-node={n.node}>
      <div class="names">
        <h3>{n.node}</h3>
        {n.url && <p>{here ? n.url : <a href={`${n.url}/#models`}>{n.url}</a>}</p>}
        <NodeTags n={n} here={here} />
      </div>
      <dl>
        <div>
          <dt>Memory for models</dt>
          <dd>
            <Memory
              name={n.node}
              free={n.memory_free_bytes ?? 0}
              limit={n.memory_limit_bytes ?? 0}
            />
          </dd>
        </div>
        {n.parked_memory_bytes ? (
          <div>
            <dt>Of it, parked workers</dt>
            <dd>{bytes(n.parked_memory_bytes)}, free when needed</dd>
          </div>
        ) : null}
        {n.device_memory_bytes ? (
          <div>
            <dt>Graphics memory</dt>
            <dd>{bytes(n.device_memory_bytes)}</dd>
          </div>
        ) : null}
        <div>
          <dt>Processor</dt>
          <dd>{plural(n.cores ?? 0, 'core')}</dd>
        </div>
        <div>
          <dt>Version</dt>
          <dd>{n.version ?? '–'}</dd>
        </div>
      </dl>
      {n.resident.length > 0 ? (
        <ul class="resident">
          {n.resident.map((r) => (
            <Loaded key={r.id} r={r} />
          ))}
        </ul>
      ) : (
        <p class="hint">No model is loaded.</p>
      )}
      <OnDisk n={n} />
    </li>
  );
}

function Filter({ f }: { f: Fleet }) {
  if (f.nodes.length < FILTER_FROM) return null;
  return (
    <div class="row controls">
      <label>
        Only nodes with{' '}
        <input
          type="search"
          value={filter.value}
          placeholder="name, address or model"
          onInput={(e) => (filter.value = e.currentTarget.value)}
        />
      </label>
    </div>
  );
}

function Nodes({ f }: { f: Fleet }) {
  const list = nodesOf(f, filter.value);
  return (
    <>
      <Filter f={f} />
      <ul class="cards nodes">
        {list.slice(0, SHOWN).map((n) => (
          <Node key={n.node} n={n} here={n.node === f.node} />
        ))}
      </ul>
      {list.length === 0 && <p class="empty">No node fits “{filter.value}”.</p>}
      {list.length > SHOWN && (
        <p class="empty">{plural(list.length - SHOWN, 'more node')}: filter to see them.</p>
      )}
    </>
  );
}

function Answer({ f }: { f: Fleet }) {
  const r = f.request;
  if (!asked.value || r === undefined) return null;
  if (r === null) return <p>This server: it is the name of an instance here.</p>;
  return (
    <>
      <p>
        {r.node && <strong>{r.node}: </strong>}
        {reasonOf(r)}
      </p>
      {r.nodes.length > 1 && (
        <ul class="prospects">
          {r.nodes.map((p) => (
            <li key={p.node}>
              <span class="sub">{p.node} alone:</span> {reasonOf(p)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function WhereTo({ f }: { f: Fleet }) {
  const names = modelsOf(f);
  if (names.length === 0) return null;
  return (
    <div class="where">
      <label>
        Where would a request go for{' '}
        <select value={asked.value} onChange={(e) => (asked.value = e.currentTarget.value)}>
          <option value="">a model…</option>
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <div role="status">
        <Answer f={f} />
      </div>
    </div>
  );
}

export function FleetView() {
  useFleet();
  const f = fleet.value;
  if (!f) return <p class="empty">{failure.value || 'Fetching the list of nodes…'}</p>;
  const alone = standingOf(f) === 'none';
  return (
    <section class="fleet" aria-labelledby="fleet-title">
      <h2 id="fleet-title">Fleet{!alone && <small> {plural(f.nodes.length, 'node')}</small>}</h2>
      {alone ? <NoFleet /> : <Etcd f={f} />}
      {!alone && <NameTaken url={f.etcd!.name_taken_by} />}
      {!alone && <WhereTo f={f} />}
      {!alone && <Nodes f={f} />}
    </section>
  );
}
