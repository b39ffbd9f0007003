import { newRequestId } from "../api/request-id.ts";
import { keep, kept } from "../ui/kept.ts";

/**
 * The request ids of what a buyer means to do. The same intent keeps its id until the box office has decided about
 * it, over double clicks, retries and reloads, so that it is done once. A changed mind is another intent.
 *
 * @param name what it is about, such as the event that is reserved
 */
export function requestIdFor(name: string, content: unknown): string {
  const wanted = JSON.stringify(content);
  const pending = read(name);
  if (pending?.content === wanted) return pending.requestId;
  const requestId = newRequestId();
  keep("session", keyOf(name), JSON.stringify({ requestId, content: wanted }));
  return requestId;
}

/** To be called when the box office has decided: the next time is a new intent. */
export function settle(name: string): void {
  keep("session", keyOf(name), undefined);
}

/** Whether something was sent about which nobody knows what became of it. */
export function isPending(name: string): boolean {
  return read(name) !== undefined;
}

type Pending = { requestId: string; content: string };

const keyOf = (name: string): string => `boxoffice.intent.${name}`;

function read(name: string): Pending | undefined {
  try {
    return JSON.parse(kept("session", keyOf(name)) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
