import { type Refusal, refusalOf } from "../api/refusal.ts";
import type { Facts, Messages, Told } from "./en.ts";

/** What only the page knows about what was refused. */
export type Surroundings = Partial<Pick<Facts, "type" | "timeLeft">>;

/**
 * Tells a person why something was refused and what to do about it. This is the one place where errors of the box
 * office become words.
 */
export function explain(
  messages: Messages,
  error: unknown,
  around: Surroundings = {},
): Told & { refusal: Refusal } {
  const refusal = refusalOf(error);
  const { cause, metadata } = refusal;
  // A service may be newer than this page, and refuse for a reason that has no words here yet.
  const tell = messages.refusals[cause] ?? messages.refusals.UNEXPECTED;
  const facts: Facts = {
    available: numberIn(metadata.available),
    most: numberIn(metadata.max_per_reservation),
    type: around.type,
    timeLeft: around.timeLeft,
  };
  return { ...tell(facts), refusal };
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
