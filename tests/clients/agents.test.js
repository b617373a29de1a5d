/* SPDX-License-Identifier: MIT */
// The agents from npm that are quick to install and to run. The others: agents/.
import path from 'node:path';
import { COMMAND, agentTests } from './lib/agents.js';

const bin = (name) => path.join(import.meta.dirname, 'node_modules/.bin', name);

const claude = (more) => ({ url, model, prompt }) => ({
  args: ['-p', prompt, '--model', model, ...more],
  env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: 'none',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
});
agentTests('claude-code', {
  program: bin('claude'),
  call: ['Bash', { command: COMMAND, description: 'Write the file' }],
  task: claude(['--allowedTools', 'Bash']),
  asks: 'caller', // it sends no temperature: what the trained model would say is chance
  question: claude(['--tools', '', '--system-prompt', 'You answer in one sentence.']),
});

const codex = (more) => ({ port, model, prompt }) => ({
  args: ['exec', '--oss', '--local-provider', 'lmstudio', '-m', model, '--skip-git-repo-check',
    ...more, prompt],
  env: { CODEX_OSS_PORT: String(port) },
});
agentTests('codex', {
  program: bin('codex'),
  call: ['exec_command', { cmd: COMMAND }],
  task: codex(['--dangerously-bypass-approvals-and-sandbox']),
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
    asks: 'caller', // as Claude Code
    question: pi(api)(['--no-tools', '--system-prompt', 'You answer in one sentence.']),
  });
}
