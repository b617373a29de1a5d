/* SPDX-License-Identifier: MIT */
// Agents from npm that take a gigabyte, or minutes.
import path from 'node:path';
import { COMMAND, agentTests } from '../lib/agents.js';

const bin = (name) => path.join(import.meta.dirname, 'node_modules/.bin', name);

const opencode = (more, config) => ({ url, model, prompt }) => ({
  args: ['run', ...more, '-m', `lmstudio/${model}`, prompt],
  env: { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' },
  files: { '.config/opencode/opencode.json': JSON.stringify({ ...config, provider: { lmstudio: {
    npm: '@ai-sdk/openai-compatible', name: 'doze', options: { baseURL: `${url}/v1` },
    models: { [model]: { limit: { context: 262144, output: 64 } } } } } }) },
});
agentTests('opencode', {
  program: bin('opencode'),
  call: ['bash', { command: COMMAND }],
  task: opencode(['--auto'], {}),
  question: opencode(['--agent', 'brief'], { agent: { brief: { mode: 'primary', temperature: 0,
    prompt: 'You answer in one sentence.', tools: { '*': false } } } }),
});

const qwen = (more) => ({ url, model, prompt }) => ({
  args: ['--auth-type', 'openai', '--openai-base-url', `${url}/v1`, '--openai-api-key', 'none',
    '-m', model, ...more, '-p', prompt],
});
agentTests('qwen-code', {
  program: bin('qwen'),
  call: ['run_shell_command', { command: COMMAND, is_background: false }],
  task: qwen(['--yolo']),
  question: qwen(['--bare', '--exclude-tools', 'edit,read_file,run_shell_command,notebook_edit',
    '--system-prompt', 'You answer in one sentence.']),
});

const cline = ({ url, model, prompt }) => ({
  args: ['-P', 'lmstudio', '-m', model, prompt],
  files: { '.cline/data/settings/providers.json': JSON.stringify({ version: 1,
    lastUsedProvider: 'lmstudio', providers: { lmstudio: { settings: { provider: 'lmstudio',
      model, baseUrl: `${url}/v1` }, updatedAt: '2026-11-27T00:00:00.000Z',
    tokenSource: 'manual' } } }) },
});
agentTests('cline', {
  program: bin('cline'),
  call: ['run_commands', { commands: [COMMAND] }],
  task: cline,
  question: cline,
  room: 6656, // its tools cannot be left out
});

const continued = (more) => ({ url, model, prompt }) => ({
  args: ['--config', path.join('..', 'home', 'config.yaml'), ...more, '-p', prompt],
  env: { CONTINUE_TELEMETRY_ENABLED: '0' },
  files: { 'config.yaml': JSON.stringify({ name: 'Local', version: '0.0.1', schema: 'v1',
    models: [{ name: 'doze', provider: 'lmstudio', model, apiBase: `${url}/v1`,
      roles: ['chat'], capabilities: ['tool_use'],
      defaultCompletionOptions: { temperature: 0, maxTokens: 64 } }] }) },
});
agentTests('continue', {
  program: bin('cn'),
  call: ['Bash', { command: COMMAND }],
  task: continued(['--auto']),
  question: continued(['--readonly']),
});
