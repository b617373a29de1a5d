/* SPDX-License-Identifier: MIT */
// Agents from npm that take a gigabyte, or minutes, as docs/clients.md tells users to run them.
import path from 'node:path';
import { COMMAND, agentTests } from '../lib/agents.js';
import { asPrinted, printedYaml } from '../lib/printed.js';

const bin = (name) => path.join(import.meta.dirname, 'node_modules/.bin', name);

const opencode = (more, files) => (place) => asPrinted('opencode', place,
  (args) => ['run', ...more, ...args, place.prompt], { files,
    env: { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' } });
const brief = { '.config/opencode/agent/brief.md': ['---', 'mode: primary', 'temperature: 0',
  'tools:', '  "*": false', '---', 'You answer in one sentence.', ''].join('\n') };
agentTests('opencode', {
  program: bin('opencode'),
  call: ['bash', { command: COMMAND }],
  task: opencode(['--auto']),
  question: opencode(['--agent', 'brief'], brief),
});

const qwen = (more) => (place) => asPrinted('Qwen Code', place,
  (args) => [...args, ...more, '-p', place.prompt]);
agentTests('qwen-code', {
  program: bin('qwen'),
  call: ['run_shell_command', { command: COMMAND, is_background: false }],
  task: qwen(['--yolo']),
  question: qwen(['--bare', '--exclude-tools', 'edit,read_file,run_shell_command,notebook_edit',
    '--system-prompt', 'You answer in one sentence.']),
});

const cline = (place) => asPrinted('Cline', place,
  (args) => args.map((word) => word === 'your task' ? place.prompt : word));
agentTests('cline', {
  program: bin('cline'),
  call: ['run_commands', { commands: [COMMAND] }],
  task: cline,
  question: cline,
  room: 6656, // its tools cannot be left out
});

const continued = (more) => (place) => ({
  args: ['--config', path.join('..', 'home', '.continue/config.yaml'), ...more, '-p',
    place.prompt],
  env: { CONTINUE_TELEMETRY_ENABLED: '0' },
  files: { '.continue/config.yaml': printedYaml(place) },
});
agentTests('continue', {
  program: bin('cn'),
  call: ['Bash', { command: COMMAND }],
  task: continued(['--auto']),
  question: continued(['--readonly']),
});
