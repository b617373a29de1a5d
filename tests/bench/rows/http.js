/* SPDX-License-Identifier: MIT */
// What the way through HTTP costs: a list of 2 KB by wrk, and a model so small that its computation
// takes next to nothing, beside what the bare program needs to process the same prompt.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { freshSeed, freshSeeds } from '../lib/bench.js';
import { json } from '../lib/client.js';
import { floor } from '../lib/floor.js';
import { tiny } from '../lib/models.js';
import { ask, rendered } from '../lib/prompts.js';

const LIST_BYTES = 2048;
const STREAM_TOKENS = 512;
const WRK_SECONDS = 2;
const units = { us: 1, ms: 1e3, s: 1e6 };

export async function http(bench) {
  if (bench.wants('http.list.rate', 'http.list.latency')) await list(bench);
  if (bench.wants('http.stream.first', 'http.stream.rate')) await stream(bench);
}

async function wrk(url, connections) {
  const { stdout } = await promisify(execFile)('wrk', [
    '--latency', '-t', '1', '-c', String(connections),
    '-d', `${WRK_SECONDS}s`, url]).catch((cause) => {
    throw cause.code === 'ENOENT' ? new Error('the rows http.list need the program wrk') : cause;
  });
  const [, value, unit] = /50%\s+([\d.]+)(us|ms|s)/.exec(stdout);
  return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]),
    latency: Number(value) * units[unit] };
}

const listOf = (server) => json(`${server.url}/v1/models`);
const lengthOf = (value) => JSON.stringify(value).length;

// Copies of the file: two names of one file are one model.
function copies(bench, count, file) {
  const folder = bench.folder('files');
  return Object.fromEntries(Array.from({ length: count }, (_, i) => {
    const copy = path.join(folder, `tiny-${i}.gguf`);
    fs.copyFileSync(file, copy);
    return [`tiny-${i}`, copy];
  }));
}

// How many models make the list about 2 KB long: entries differ in length from server to server.
async function countFor(bench, kind, file) {
  const { data } = await listOf(await bench.server(kind, { models: { 'tiny-0': file } }));
  await bench.stop();
  return Math.max(1, Math.round(LIST_BYTES / lengthOf(data[0])));
}

async function list(bench) {
  const file = tiny.file();
  const counts = [];
  for (const kind of bench.kinds) counts.push(await countFor(bench, kind, file));
  const servers = await Promise.all(bench.kinds.map((kind, i) =>
    bench.server(kind, { models: copies(bench, counts[i], file) })));
  const bytes = Object.fromEntries(await Promise.all(servers.map(async (server) =>
    [server.constructor.key, lengthOf(await listOf(server))])));
  await bench.alternate(servers, async (server) => {
    const url = `${server.url}/v1/models`;
    bench.note('http.list.rate', server.constructor.key, (await wrk(url, 8)).rate);
    bench.note('http.list.latency', server.constructor.key, (await wrk(url, 1)).latency);
  });
  for (const id of ['http.list.rate', 'http.list.latency']) bench.done(id, { bytes });
  await bench.stop();
}

async function stream(bench) {
  const file = tiny.file();
  const servers = await bench.servers({ models: { [tiny.name]: file }, context: 4096 });
  for (const server of servers) {
    await server.chat(tiny.name, ask(4, freshSeed(), { max_tokens: 4 }));
  }
  const seeds = freshSeeds(bench.runs);
  await bench.alternate([...servers, null], async (server, run) => {
    const body = ask(16, seeds[run], { max_tokens: STREAM_TOKENS });
    if (!server) {
      bench.note('http.stream.first', 'floor',
        (await floor(file, bench.threads, rendered(body))).prompt_ms);
      return;
    }
    const answer = await server.chat(tiny.name, body);
    bench.note('http.stream.first', server.constructor.key, answer.first);
    bench.note('http.stream.rate', server.constructor.key,
      (answer.usage.completion_tokens - 1) / (answer.last - answer.first) * 1000);
    await server.program.quiet(); // or it would slow down the next server
  });
  for (const id of ['http.stream.first', 'http.stream.rate']) bench.done(id);
  await bench.stop();
}
