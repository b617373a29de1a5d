/* SPDX-License-Identifier: MIT */
// One streamed answer, by LM Studio's endpoint: that one tells its figures.
import { refusalOf, request } from '../server/api';
import { hear } from '../server/sse';

export interface Message {
  role: 'user' | 'assistant';
  content: string;
}

export interface Figures {
  first?: number | undefined; // seconds to the first token
  speed?: number | undefined; // tokens per second
  prompt?: number | undefined;
  cached?: number | undefined;
  answered?: number | undefined;
  stop?: string | undefined;
}

export interface Chunk {
  choices?: { delta?: { content?: string; reasoning_content?: string } }[];
  stats?: { tokens_per_second: number; time_to_first_token: number; stop_reason: string };
  usage?: {
    prompt_tokens: number;
    completion_tokens: number;
    prompt_tokens_details?: { cached_tokens: number };
  };
  error?: { message: string };
}

export interface Hears {
  onProgress(text: string): void;
  onContent(text: string): void;
  onReasoning(text: string): void;
  onFigures(figures: Figures): void;
}

const stops: Record<string, string> = {
  maxPredictedTokensReached: 'stopped at the most tokens allowed',
  contextLengthReached: 'stopped: the context is full',
  modelUnloaded: 'stopped: the model was unloaded',
};

export function figuresOf(chunk: Chunk): Figures {
  return {
    first: chunk.stats?.time_to_first_token,
    speed: chunk.stats?.tokens_per_second,
    prompt: chunk.usage?.prompt_tokens,
    cached: chunk.usage?.prompt_tokens_details?.cached_tokens,
    answered: chunk.usage?.completion_tokens,
    stop: stops[chunk.stats?.stop_reason ?? ''],
  };
}

function take(chunk: Chunk, to: Hears): void {
  if (chunk.error) throw refusalOf(500, chunk);
  const delta = chunk.choices?.[0]?.delta;
  if (delta?.reasoning_content) to.onReasoning(delta.reasoning_content);
  if (delta?.content) to.onContent(delta.content);
  if (chunk.stats || chunk.usage) to.onFigures(figuresOf(chunk));
}

export async function converse(
  body: { model: string; messages: Message[]; ttl?: number },
  signal: AbortSignal,
  to: Hears,
): Promise<void> {
  const response = await request(
    'POST',
    '/api/v0/chat/completions',
    { ...body, stream: true },
    { signal },
  );
  let whole = false;
  await hear(response, {
    onMessage: ({ data }) => {
      if (data === '[DONE]') whole = true;
      else take(JSON.parse(data) as Chunk, to);
    },
    onComment: (text) => to.onProgress(text.trim()),
  });
  if (!whole) throw new Error('The answer broke off: the server went away.');
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

// For a POSIX shell.
export function curlFor(origin: string, model: string, content: string, ttl?: number): string {
  const body = {
    model,
    messages: [{ role: 'user', content }],
    ...(ttl === undefined ? {} : { ttl }),
    stream: true,
  };
  const head = "-H 'Content-Type: application/json'";
  return `curl ${origin}/v1/chat/completions ${head} \\\n  -d ${quoted(JSON.stringify(body))}`;
}
