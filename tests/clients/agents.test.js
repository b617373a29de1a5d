/* SPDX-License-Identifier: MIT */
// The agents from npm that are quick to install and to run, as docs/clients.md tells users to run
// them. The others: more/.
import path from 'node:path';
import { COMMAND, agentTests } from './lib/agents.js';
import { asPrinted, printed } from './lib/printed.js';
import { QUESTION } from './lib/world.js';

const bin = (name) => path.join(import.meta.dirname, 'node_modules/.bin', name);

const claude = (more) => (place) => asPrinted('Claude Code', place,
  (args) => [...args, '-p', place.prompt, ...more], { env: {
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', CLAUDE_CODE_MAX_OUTPUT_TOKENS: '64' } });
agentTests('claude-code', {
  program: bin('claude'),
  call: ['Bash', { command: COMMAND, description: 'Write the file' }],
  task: claude(['--allowedTools', 'Bash']),
  asks: QUESTION, // beside its system prompt the model answers this one
  question: claude(['--bare', '--tools', '', '--system-prompt', 'You answer in one sentence.']),
});

const codex = (more, files) => (place) => asPrinted('Codex', place,
  (args) => ['exec', ...args, '--skip-git-repo-check', ...more, place.prompt], { files });
const brief = {
  '.codex/brief.md': 'You answer in one sentence.',
  '.codex/config.toml': ['model_instructions_file = "brief.md"', 'web_search = "disabled"',
    '[features]', 'multi_agent = false', 'goals = false', ''].join('\n'),
};
agentTests('codex', {
  program: bin('codex'),
  call: ['exec_command', { cmd: COMMAND }],
  task: codex(['--dangerously-bypass-approvals-and-sandbox']),
  question: codex([], brief),
});

// The other APIs are printed as words in the place of the first.
const piFiles = (api, place) => Object.fromEntries(Object.entries(printed('pi', place).files)
  .map(([name, text]) => [name, text.replace('openai-completions', api)
    .replace(`${place.url}/v1`, api === 'anthropic-messages' ? place.url : '$&')]));
const pi = (api) => (more) => (place) => asPrinted('pi', place,
  (args) => ['--offline', ...args, '--no-session', ...more, '-p', place.prompt],
  { env: { PI_OFFLINE: '1', PI_TELEMETRY: '0' }, files: piFiles(api, place) });
for (const api of ['openai-completions', 'openai-responses', 'anthropic-messages']) {
  agentTests(`pi (${api})`, {
    program: bin('pi'),
    call: ['bash', { command: COMMAND }],
    task: pi(api)([]),
    question: pi(api)(['--no-tools', '--system-prompt', 'You answer in one sentence.']),
  });
}
