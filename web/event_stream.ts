/**
 * Server-sent events (HTML standard, section 9.2.6) out of a stream of text, as far as they are
 * sent here: a name and a line of data each.
 *
 * EventSource would do this, but can send no token.
 *
 * @module
 */

/** One event. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** Gives the events of `text`, which comes in pieces of any length. */
export async function* streamEvents(text: AsyncIterable<string>): AsyncGenerator<StreamEvent> {
  let rest = "";
  for await (const piece of text) {
    const blocks = (rest + piece).split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) yield eventOf(block);
  }
}

function eventOf(block: string): StreamEvent {
  const fieldOf = (name: string): string =>
    block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
  return { name: fieldOf("event"), data: fieldOf("data") };
}
