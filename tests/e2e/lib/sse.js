/* SPDX-License-Identifier: MIT */
// Server-sent events of a fetch response: {event, data, id} and, for comment lines, {comment}.
export async function* readEvents(response) {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true });
    let end;
    while ((end = text.indexOf('\n\n')) >= 0) {
      yield parseBlock(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
  if (text) yield { rest: text }; // an event without its end
}

function parseBlock(block) {
  const event = {};
  for (const line of block.split('\n')) {
    if (line.startsWith(':')) event.comment = line.slice(1).trim();
    else {
      const colon = line.indexOf(': ');
      event[line.slice(0, colon)] = line.slice(colon + 2);
    }
  }
  return event;
}

// The chunks of a streamed OpenAI answer, [DONE] and comments left out.
export async function* readChunks(response) {
  for await (const event of readEvents(response)) {
    if (event.data === undefined || event.data === '[DONE]') continue;
    yield JSON.parse(event.data);
  }
}
