/* SPDX-License-Identifier: MIT */
// Prompts of about a given number of tokens: common words, each one token, in an order that a seed
// decides. The same seed gives all servers the same prompt; another shares not even its beginning
// with it.
const words = (
  'time people way day man thing woman life child world school state family student group '
  + 'country problem hand part place case week company system program question work government '
  + 'number night point home water room mother area money story fact month lot right study book '
  + 'eye job word business issue side kind head house service friend father power hour game '
  + 'line end member law car city community name president team minute idea kid body '
  + 'information back parent face others level office door health person art war history party '
  + 'result change morning reason research girl guy moment air teacher force education').split(' ');

// mulberry32: small, public domain, good enough to shuffle words.
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

export function prompt(tokens, seed) {
  const next = random(seed);
  return Array.from({ length: tokens }, () => words[next() % words.length]).join(' ');
}

const user = (content) => ({ role: 'user', content });
// Said by us, so that no template adds one of its own.
const system = { role: 'system', content: 'You are a helpful assistant' };

// The body of a request with one question.
export const ask = (tokens, seed, more) =>
  ({ messages: [system, user(prompt(tokens, seed))], ...more });

// Its prompt as the templates of the measured models, all of them ChatML, make it.
export const rendered = ({ messages }) =>
  messages.map((m) => `<|im_start|>${m.role}\n${m.content}<|im_end|>\n`).join('')
  + '<|im_start|>assistant\n';

// A conversation that goes on, each time with a short question. `say` sends a body and gives the
// answer.
export class Conversation {
  #messages = [system];

  constructor(say) { this.say = say; }

  async go(text, more) {
    const messages = [...this.#messages, user(text)];
    const answer = await this.say({ messages, max_tokens: 4, ...more });
    this.#messages = [...messages, { role: 'assistant', content: answer.text }];
    return answer;
  }
}
