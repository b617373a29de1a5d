/* SPDX-License-Identifier: MIT */
// One streamed answer. Uses LM Studio's endpoint, whose streams end with statistics.
import { apiErrorFrom, request } from '../server/api';
import { readEventStream } from '../server/sse';
import type { OptionName } from './options';

export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export type Part =
  | { type: 'text'; text: string }
  | { type: 'image_url'; image_url: { url: string } };

export interface SentMessage {
  role: Message['role'];
  content: string | Part[];
}

export interface ChatRequest extends Partial<Record<OptionName, number>> {
  model: string;
  messages: SentMessage[];
  reasoning_effort?: string;
}

export interface Stats {
  firstToken?: number | undefined; // seconds
  speed?: number | undefined; // tokens per second
  promptTokens?: number | undefined;
  cachedTokens?: number | undefined;
  answerTokens?: number | undefined;
  stopped?: string | undefined; // why the answer ended early
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

export interface ChatHandlers {
  onProgress(text: string): void; // "loading 42%"
  onContent(text: string): void;
  onReasoning(text: string): void;
  onStats(stats: Stats): void;
}

const stopReasons: Record<string, string> = {
  maxPredictedTokensReached: 'token limit reached',
  contextLengthReached: 'context is full',
  modelUnloaded: 'model was unloaded',
};

export function statsOf(chunk: Chunk): Stats {
  return {
    firstToken: chunk.stats?.time_to_first_token,
    speed: chunk.stats?.tokens_per_second,
    promptTokens: chunk.usage?.prompt_tokens,
    cachedTokens: chunk.usage?.prompt_tokens_details?.cached_tokens,
    answerTokens: chunk.usage?.completion_tokens,
    stopped: stopReasons[chunk.stats?.stop_reason ?? ''],
  };
}

function onChunk(chunk: Chunk, handlers: ChatHandlers): void {
  if (chunk.error) throw apiErrorFrom(500, chunk);
  const delta = chunk.choices?.[0]?.delta;
  if (delta?.reasoning_content) handlers.onReasoning(delta.reasoning_content);
  if (delta?.content) handlers.onContent(delta.content);
  if (chunk.stats || chunk.usage) handlers.onStats(statsOf(chunk));
}

// Resolves when the answer is complete. Rejects with the server's error, with an AbortError after
// an abort, or when the stream ends before the answer.
export async function streamChat(
  body: ChatRequest,
  abort: AbortSignal,
  handlers: ChatHandlers,
): Promise<void> {
  // Comments say how far the load or the prompt is, at once and not only after five seconds.
  const streamed = { ...body, stream: true, stream_options: { include_progress: true } };
  const response = await request('POST', '/api/v0/chat/completions', streamed, { signal: abort });
  let complete = false;
  await readEventStream(response, {
    onMessage: ({ data }) => {
      if (data === '[DONE]') complete = true;
      else onChunk(JSON.parse(data) as Chunk, handlers);
    },
    onComment: (text) => handlers.onProgress(text.trim()),
  });
  if (!complete) throw new Error('The answer was cut off: the connection to the server was lost.');
}
