/**
 * The steps of a payment and of a refund, by what has just been done when one is over. A process may end between any
 * two of them: what it leaves is completed.
 */
export const MILESTONES = [
  "attempt recorded",
  "begun",
  "charging recorded",
  "provider answered",
  "outcome recorded",
  "confirmed",
  "confirmation recorded",
  "aborted",
  "abort recorded",
  "act recorded",
  "money given back",
  "refund recorded",
  "released",
  "release recorded",
  "taken over",
] as const;
export type Milestone = (typeof MILESTONES)[number];
