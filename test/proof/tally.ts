import { Code, ConnectError } from "@connectrpc/connect";
import { type Told, toldBy } from "../checker/history.ts";

/** What a call came to, without ever throwing. */
export function told<Answer>(call: Promise<Answer>): Promise<Told<Answer>> {
  return call.then((answer) => ({ kind: "answered" as const, answer }), toldBy);
}

/** A fault of ours that reached a caller, such as a deadlock: never an answer, whatever was broken meanwhile. */
const FAULTS: readonly Code[] = [Code.Internal, Code.Unknown, Code.DataLoss];

/** In one word: the reason of a refusal, FAULT, or what kind of answer it was. */
export function wordOf(outcome: Told<unknown>): string {
  if (outcome.kind === "refused") return outcome.reason;
  const isFault =
    outcome.kind === "unknown" &&
    outcome.error instanceof ConnectError &&
    FAULTS.includes(outcome.error.code);
  return isFault ? "FAULT" : outcome.kind;
}

/** How often each word occurs. */
export function tally(words: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** A violation for each word that is not among those that may occur. */
export function unexpectedWords(
  counts: Record<string, number>,
  expected: readonly string[],
  what: string,
): string[] {
  return Object.entries(counts)
    .filter(([word]) => !expected.includes(word))
    .map(([word, count]) => `${count} ${what} came to ${word}`);
}
