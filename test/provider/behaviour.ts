/**
 * How the provider treats a charge, as its token says: `<charge>[/<refund>][#<anything>]`.
 *
 * - `ok`, or anything unknown: takes the money.
 * - `card_error`, `payment_error`: refuses.
 * - `hang`: takes nothing and never answers. `hang-charged`: takes the money first.
 * - `late-<ms>`: takes the money and answers so much later.
 * - `fail`: takes nothing and answers 500. `fail-charged`: takes the money first.
 * - `reset`: takes nothing and resets the connection. `reset-charged`: takes the money first.
 * - `cut`: takes the money, and resets the connection in the middle of the answer.
 * - `busy`: takes nothing and answers 429.
 * - `less`: takes a cent less than it was asked for.
 *
 * Refunds go wrong in the same words, for the first two tries; then they are made.
 */
export type Behaviour = { charge: string; refund: string };

export function behaviourOf(token: string): Behaviour {
  const [words = ""] = token.split("#");
  const [charge = "ok", refund = "ok"] = words.split("/");
  return { charge, refund };
}

/** How often a refund goes wrong before it is made. */
export const WRONG_REFUNDS = 2;

export const lateMsOf = (word: string): number => Number(/^late-(\d+)$/.exec(word)?.[1] ?? 0);

/** A misbehaviour without the money that was taken before it. */
export const withoutCharge = (word: string): string => word.replace(/-charged$/, "");
