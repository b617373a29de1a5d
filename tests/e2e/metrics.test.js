/* SPDX-License-Identifier: MIT */
// What packaging/grafana/doze.json asks Prometheus for is what the server prints.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Daemon } from './lib/daemon.js';
import { spoken } from './lib/models.js';

const dashboard = JSON.parse(fs.readFileSync(
  new URL('../../packaging/grafana/doze.json', import.meta.url), 'utf8'));
// A node prints the metrics of the fleet, whether it reaches etcd or not.
const settings = { fleet: { etcd: 'http://127.0.0.1:1' } };
const expressions = dashboard.panels.flatMap((panel) => panel.targets.map((t) => t.expr));

test('the dashboard names no metric and no label that /metrics does not have', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.') }, settings });
  assert.equal((await d.chat('m')).status, 200);
  await d.chat('no-such-model');
  const text = await (await d.fetch('/metrics')).text();
  for (const expression of expressions) {
    const names = expression.match(/\bdoze_\w+/g);
    assert.ok(names?.length > 0, expression);
    for (const name of names) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'));
    for (const [, label] of expression.matchAll(/by \((\w+)\)/g))
      assert.match(text, new RegExp(`^${names[0]}\\{(.*,)?${label}="`, 'm'), expression);
  }
});

test('the dashboard shows every metric', async (t) => {
  const d = await Daemon.start(t, { models: { m: spoken('Hello there.') }, settings });
  await d.chat('m');
  const text = await (await d.fetch('/metrics')).text();
  for (const [, name] of text.matchAll(/^# TYPE (\w+) /gm))
    assert.ok(expressions.some((e) => new RegExp(`\\b${name}\\b`).test(e)), name);
});
