/* SPDX-License-Identifier: MIT */
// What docs/clients.md tells users to write, to be tried as it is printed: but for the address, the
// model's name, and the context, which counts bytes for the model that speaks a call.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../../..');
const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');

const here = (text, { url, port, model }) => text
  .replaceAll(/http:\/\/(127\.0\.0\.1|localhost):1234/g, url)
  .replaceAll('OSS_PORT=1234', `OSS_PORT=${port}`)
  .replaceAll(/\$M|qwen2\.5-coder-7b-instruct/g, model)
  .replaceAll('32768', '262144');

// The words of a line, without quotation marks and without the program; NAME=value before it goes
// into env.
function take(line, env) {
  const words = line.match(/"[^"]*"|\S+/g).map((word) => word.replaceAll('"', ''));
  if (words[0] === 'export') words.shift();
  while (/^[A-Z_]+=/.test(words[0] ?? '')) {
    const [name, ...value] = words.shift().split('=');
    env[name] = value.join('=');
  }
  return words.slice(1);
}

// The section's command as {args, env}, and its file as {files}. place: {url, port, model}.
export function printed(heading, place) {
  const [, section] = new RegExp(`\n## ${heading}\n([^]*?)\n## `).exec(read('docs/clients.md'));
  const commands = /```sh\n([^]*?)```/.exec(section) ?? /then `([^`]+)`/.exec(section);
  const env = {};
  const args = here(commands[1], place).trim().split('\n').map((line) => take(line, env)).at(-1);
  const file = /`~\/([^`]+)`/.exec(section);
  const content = /```json\n([^]*?)```/.exec(section);
  return { args, env, files: file && content ? { [file[1]]: here(content[1], place) } : {} };
}

// The same for an agent that is to end by itself: its arguments made of the printed ones, and more.
export function asPrinted(heading, place, toArgs, more = {}) {
  const { args, env, files } = printed(heading, place);
  return { args: toArgs(args), env: { ...env, ...more.env }, files: { ...files, ...more.files } };
}

// The command that gives a model room, for a shell.
export const printedRoom = () => /```sh\n([^]*?)```/.exec(read('docs/clients.md'))[1];

// Continue's, which the README has.
export const printedYaml = (place) => here(/```yaml\n([^]*?)```/.exec(read('README.md'))[1], place);

// Of the row of an SDK: the pieces of code in its second column.
export function printedCode(name, place) {
  const row = read('docs/clients.md').split('\n').find((line) => line.startsWith(`| ${name} |`));
  assert.ok(row, `docs/clients.md has no row ${name}`);
  return [...row.split('|')[2].matchAll(/`([^`]+)`/g)].map(([, code]) => here(code, place));
}
