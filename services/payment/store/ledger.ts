import { Batcher } from "@boxoffice/platform/batcher.ts";
import type { Database } from "@boxoffice/platform/database.ts";
import { isRefusal } from "@boxoffice/platform/errors.ts";
import type { Milestone } from "../domain/milestones.ts";
import type { Payment } from "../domain/payment.ts";
import { type AttemptKey, findAttempts, insertAttempts, type NewAttempt } from "./attempts.ts";
import { changeInTransaction, type Lease, type Step } from "./change.ts";

export type LedgerOptions = {
  database: Database;
  newId: () => string;
  /** Called after a commit that wrote to the outbox. */
  onCommit(): void;
  /** Told after each step of a payment: for proofs, which end the process there. */
  reached?(milestone: Milestone): void;
};

/** Where payments are kept, and what their changes need. */
export type Ledger = LedgerOptions & {
  readonly batches: {
    finds: Batcher<AttemptKey, Payment[]>;
    inserts: Batcher<NewAttempt, Payment | undefined>;
    steps: Batcher<Step, Taken>;
  };
};

const MAX_BATCH = 200;

/** More than there can be payments under way in a process: what is known of one is never turned away. */
const MAX_QUEUE = 20_000;

/** What payments at the same time have in common is done together: the more of them, the larger the batches. */
export function openLedger(options: LedgerOptions): Ledger {
  const { database } = options;
  const limits = { maxBatch: MAX_BATCH, maxQueue: MAX_QUEUE };
  return {
    ...options,
    batches: {
      finds: new Batcher({ ...limits, run: (keys) => findAttempts(database, keys) }),
      inserts: new Batcher({
        ...limits,
        run: (attempts) => database.transaction((tx) => insertAttempts(tx, attempts)),
      }),
      steps: new Batcher({ ...limits, run: (steps) => takeSteps(options, steps) }),
    },
  };
}

/**
 * Changes one payment: locks it, decides, and writes what it became together with its announcement.
 *
 * @returns the payment as it is now; undefined when it is not there any more
 */
export async function changePayment(
  ledger: Ledger,
  paymentId: string,
  lease: Lease,
  decide: (payment: Payment) => Payment,
): Promise<Payment | undefined> {
  const taken = await ledger.batches.steps.submit({ paymentId, lease, decide });
  if ("error" in taken) throw taken.error;
  return taken.payment;
}

type Taken = { payment: Payment | undefined } | { error: unknown };

/** One step that cannot be taken, which is a defect, must not keep others from being taken. */
async function takeSteps(options: LedgerOptions, steps: readonly Step[]): Promise<Taken[]> {
  const { database, newId, onCommit } = options;
  try {
    const { payments, isAnnounced } = await database.transaction((tx) =>
      changeInTransaction(tx, newId, steps),
    );
    if (isAnnounced) onCommit();
    return payments.map((payment) => ({ payment }));
  } catch (error) {
    if (steps.length === 1 || isRefusal(error, "DEPENDENCY_UNAVAILABLE")) throw error;
    const alone = (step: Step) => takeSteps(options, [step]).catch((reason: unknown) => [{ error: reason }]);
    return (await Promise.all(steps.map(alone))).flat();
  }
}
