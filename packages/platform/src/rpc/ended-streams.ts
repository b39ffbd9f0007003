import { subscribe } from "node:diagnostics_channel";
import type { Http2Stream } from "node:http2";

/**
 * Every writable stream of Node 24 has a function of its own that knows the stream, and that V8 puts among the old
 * objects at once, because it is written where a property is assigned. So a stream that has ended, and all that its
 * listeners know of the call, outlives every minor collection, is copied by two of them, and goes with the next major
 * one: at some thousand calls a second these copies are most of what a collection does. Without its listeners a
 * stream holds little.
 */
export function forgetEndedStreams(): void {
  if (isForgetting) return;
  isForgetting = true;
  for (const side of ["server", "client"]) subscribe(`http2.${side}.stream.close`, onClosing);
}

let isForgetting = false;

/** Node publishes this before it emits "close", for which others still listen. */
function onClosing(message: unknown): void {
  const { stream } = message as { stream: Http2Stream };
  stream.once("close", forget);
}

function forget(this: Http2Stream): void {
  this.removeAllListeners("removeListener"); // or each of the others would be announced to these
  this.removeAllListeners();
}
