/* SPDX-License-Identifier: MIT */
// The agents from npm that are quick to install and to run. The others: more/.
import path from 'node:path';
import { COMMAND, agentTests } from './lib/agents.js';
import { QUESTION } from './lib/world.js';

const bin = (name) => path.join(import.meta.dirname, 'node_modules/.bin', name);

const claude = (more) => ({ url, model, prompt }) => ({
  args: ['-p', prompt, '--model', model, ...more],
  env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: 'none',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', CLAUDE_CODE_MAX_OUTPUT_TOKENS: '64' },
});
agentTests('claude-code', {
  program: bin('claude'),
  call: ['Bash', { command: COMMAND, description: 'Write the file' }],
  task: claude(['--allowedTools', 'Bash']),
  asks: QUESTION, // beside its system prompt the model answers this one
  question: claude(['--bare', '--tools', '', '--system-prompt', 'You answer in one sentence.']),
});

const codex = (more, files = {}) => ({ port, model, prompt }) => ({
  args: ['exec', '--oss', '--local-provider', 'lmstudio', '-m', model, '--skip-git-repo-check',
    ...more, prompt],
  env: { CODEX_OSS_PORT: String(port) },
  files,
});
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

const pi = (api) => (more) => ({ url, model, prompt }) => ({
  args: ['--offline', '--provider', 'doze', '--model', model, '--no-session', ...more, '-p',
    prompt],
  env: { PI_OFFLINE: '1', PI_TELEMETRY: '0' },
  files: { '.pi/agent/models.json': JSON.stringify({ providers: { doze: { api, apiKey: 'none',
    baseUrl: api === 'anthropic-messages' ? url : `${url}/v1`,
    models: [{ id: model, maxTokens: 64 }] } } }) },
});
for (const api of ['openai-completions', 'openai-responses', 'anthropic-messages']) {
  agentTests(`pi (${api})`, {
    program: bin('pi'),
    call: ['bash', { command: COMMAND }],
    task: pi(api)([]),
    question: pi(api)(['--no-tools', '--system-prompt', 'You answer in one sentence.']),
  });
}
