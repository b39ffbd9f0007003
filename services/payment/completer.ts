import type { Logger } from "@boxoffice/platform/log.ts";
import { type Runtime, within } from "@boxoffice/platform/runtime.ts";
import type { PaymentState } from "./domain/payment.ts";
import { type GoOnOptions, goOn, leaseMsFor } from "./go-on.ts";
import { type Claimed, claimDue, postpone } from "./store/claim.ts";

export type CompleterOptions = GoOnOptions & { runtime: Runtime; log: Logger };

/** Somebody waits for these: a buyer for the tickets, or everybody for the seats. */
const URGENT: PaymentState[] = ["CREATED", "CHARGING", "CHARGED", "FAILED"];

/** These may be many, and take as long as the provider takes. */
const PATIENT: PaymentState[] = ["REFUND_DUE", "REFUNDING", "REFUNDED"];

/** How many payments are gone on with at a time. Patient ones never take the place of urgent ones. */
const MAX_RUNNING = { urgent: 50, patient: 50 };

const LOOK_EVERY_MS = 500;
const BUSY_LOOK_EVERY_MS = 20;
const RETRY_MS = 1_000;
const DRAIN_MS = 2_000;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Goes on with payments that a crash, a lost answer or a service that is away has left, on every replica at once. */
export async function runCompleter(options: CompleterOptions, signal: AbortSignal): Promise<void> {
  const { runtime, log } = options;
  const running = { urgent: new Set<Promise<void>>(), patient: new Set<Promise<void>>() };
  let isFailing = false;
  const failed = (error: unknown) => {
    if (!isFailing) log.warn({ error }, "cannot complete payments; they are kept and tried again");
    isFailing = true;
  };
  while (!signal.aborted) {
    try {
      let isMore = false;
      for (const kind of ["urgent", "patient"] as const) {
        const free = MAX_RUNNING[kind] - running[kind].size;
        const claimed = free > 0 ? await claim(options, kind, free) : [];
        for (const each of claimed) {
          const work = complete(options, each, signal)
            .catch(failed)
            .finally(() => running[kind].delete(work));
          running[kind].add(work);
        }
        isMore ||= claimed.length > 0 && claimed.length === free;
      }
      if (isFailing) log.info("payments are being completed again");
      isFailing = false;
      await runtime.sleep(isMore ? BUSY_LOOK_EVERY_MS : LOOK_EVERY_MS, signal);
    } catch (error) {
      failed(error);
      await runtime.sleep(RETRY_MS, signal);
    }
  }
  await within(runtime, DRAIN_MS, Promise.all([...running.urgent, ...running.patient]));
}

/** Takes over as many payments as may be gone on with at a time, and waits for them. @returns how many */
export async function completeOnce(options: CompleterOptions, signal: AbortSignal): Promise<number> {
  const urgent = await claim(options, "urgent", MAX_RUNNING.urgent);
  const claimed = [...urgent, ...(await claim(options, "patient", MAX_RUNNING.patient))];
  const results = await Promise.allSettled(claimed.map((each) => complete(options, each, signal)));
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
  return claimed.length;
}

function claim(
  { ledger, provider }: CompleterOptions,
  kind: "urgent" | "patient",
  limit: number,
): Promise<Claimed[]> {
  const lease = { id: ledger.newId(), ms: leaseMsFor(provider) };
  // Where the provider cannot tell what became of a charge, only an operator can.
  const patient = provider.canLookUp ? [...PATIENT, "UNKNOWN" as const] : PATIENT;
  return claimDue(ledger.database, { lease, states: kind === "urgent" ? URGENT : patient, limit });
}

async function complete(options: CompleterOptions, claimed: Claimed, signal: AbortSignal): Promise<void> {
  const { payment, tries } = claimed;
  options.ledger.reached?.("taken over");
  if (await goOn(options, payment, signal)) return;
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
  await postpone(options.ledger.database, payment.paymentId, { id: payment.leaseId, ms: pauseMs });
}
