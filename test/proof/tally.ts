import { type Told, toldBy } from "../checker/history.ts";

/** What a call came to, without ever throwing. */
export function told<Answer>(call: Promise<Answer>): Promise<Told<Answer>> {
  return call.then((answer) => ({ kind: "answered" as const, answer }), toldBy);
}

/** In one word: the reason of a refusal, or what kind of answer it was. */
export const wordOf = (outcome: Told<unknown>): string =>
  outcome.kind === "refused" ? outcome.reason : outcome.kind;

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
