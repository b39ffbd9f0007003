import type { KnownBug } from "./known-bug.ts";

/** The completer takes a charge whose lease has ended for one that was never made. */
export const lostLeaseIsFailure: KnownBug = {
  name: "lost-lease-is-failure",
  why: "the provider may have charged, or still be about to: the buyer is told to pay again, and is charged a second time",
  edits: [
    {
      module: "services/payment/go-on.ts",
      text: "change((before) => loseSight(before, leaseId))",
      replacement: `change((before) => recordOutcome(before, { kind: "failed", reason: "PAYMENT_FAILED" }))`,
    },
  ],
  foundBy: 105,
};
