import type { KnownBug } from "./known-bug.ts";

/** Who has recorded that they charge does not look whether the payment was theirs to charge. */
export const chargeWithoutLease: KnownBug = {
  name: "charge-without-lease",
  why: "the completer has taken over and given the payment up meanwhile, so the buyer has paid by another: this is a second charge",
  edits: [
    {
      module: "services/payment/payment-steps.ts",
      text: "if (!isMine) return this.#notCharged(charging);",
      replacement: "",
    },
  ],
  foundBy: 190,
};
