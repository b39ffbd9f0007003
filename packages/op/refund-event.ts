import { isRefusal } from "@boxoffice/platform/errors.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { describeFailure, EXIT, toFailure } from "./failure.ts";
import type { Answer } from "./operator-command.ts";
import { readPages } from "./pages.ts";
import type { Services } from "./services.ts";

/** How many refunds are asked for at a time. */
const AT_A_TIME = 16;

const TRIES = 5;
const RETRY_MS = 1_000;
const PROGRESS_EVERY_MS = 2_000;

/** How long to wait at the end for refunds that the provider has not answered yet. */
const SETTLE_MS = 30_000;
const SETTLE_LOOK_MS = 1_000;

export type EventRefund = { eventId: string; reason: string; keepOffSale: boolean };

/**
 * Gives back everything that was paid for a cancelled event. What is refunded is no longer listed as paid, so that
 * the same again goes on where the last one was stopped.
 *
 * @param tell shows a line of progress
 */
export async function refundEvent(
  services: Services,
  refund: EventRefund,
  tell: (line: string) => void,
): Promise<Answer> {
  const { eventId } = refund;
  const { event } = await services.catalog.getEvent({ eventId });
  if (event?.state !== EventState.CANCELLED) {
    throw new Error("This event is not cancelled. Cancel it first: then nobody pays for it any more.");
  }
  const paid = await paymentsOf(services, eventId, PaymentState.SUCCEEDED);
  tell(`${event.name}: ${paid.length} payments to give back`);
  const failures = await refundAll(services, refund, paid, tell);
  const left = await waitForProvider(services, eventId, tell);
  const refunded = (await paymentsOf(services, eventId, PaymentState.REFUNDED)).length;
  const facts = [
    `${refunded} payments of this event are refunded.`,
    ...(left.refunding ? [`${left.refunding} are being given back; the box office goes on by itself.`] : []),
    ...(left.unknown
      ? [`${left.unknown} are unknown: \`payments\` lists them, \`resolve\` settles them.`]
      : []),
    ...(left.processing ? [`${left.processing} are being paid at this moment.`] : []),
    ...(left.succeeded ? [`${left.succeeded} are still paid.`] : []),
    ...failures.slice(0, 3).map(describeFailure),
  ];
  const isDone = Object.values(left).every((count) => count === 0);
  if (!isDone) facts.push("The same command again goes on with what is left.");
  return {
    json: { refunded, left, failures: failures.map(({ message, reason = "" }) => ({ message, reason })) },
    text: facts.join("\n"),
    exit: isDone ? EXIT.done : EXIT.wrong,
  };
}

async function refundAll(
  { payment }: Services,
  { reason, keepOffSale }: EventRefund,
  paymentIds: readonly string[],
  tell: (line: string) => void,
): Promise<ReturnType<typeof toFailure>[]> {
  const failures: ReturnType<typeof toFailure>[] = [];
  let next = 0;
  let told = Date.now();
  const work = async () => {
    for (let paymentId = paymentIds[next++]; paymentId !== undefined; paymentId = paymentIds[next++]) {
      const request = { paymentId, reason, keepOffSale, requestId: systemRuntime.newId() };
      await withRetries(() => payment.refundPayment(request)).catch((error: unknown) => {
        // Somebody else has begun with it.
        if (!isRefusal(error, "PAYMENT_NOT_REFUNDABLE")) failures.push(toFailure(error));
      });
      if (Date.now() - told < PROGRESS_EVERY_MS) continue;
      told = Date.now();
      tell(`${Math.min(next, paymentIds.length)} of ${paymentIds.length}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return failures;
}

/** Whatever may be tried again is, with the same request id, as long as that makes sense to somebody who waits. */
async function withRetries<T>(call: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await call();
    } catch (error) {
      if (tried >= TRIES || toFailure(error).exit !== EXIT.unanswered) throw error;
      await systemRuntime.sleep(RETRY_MS * tried);
    }
  }
}

async function waitForProvider(services: Services, eventId: string, tell: (line: string) => void) {
  const untilMs = Date.now() + SETTLE_MS;
  const count = async (state: PaymentState) => (await paymentsOf(services, eventId, state)).length;
  for (let before = 0; ; ) {
    const refunding = await count(PaymentState.REFUNDING);
    if (refunding === 0 || Date.now() >= untilMs) {
      return {
        refunding,
        unknown: await count(PaymentState.UNKNOWN),
        processing: await count(PaymentState.PROCESSING),
        succeeded: await count(PaymentState.SUCCEEDED),
      };
    }
    if (refunding !== before) tell(`waiting for the payment provider: ${refunding}`);
    before = refunding;
    await systemRuntime.sleep(SETTLE_LOOK_MS);
  }
}

async function paymentsOf({ payment }: Services, eventId: string, state: PaymentState): Promise<string[]> {
  const { items } = await readPages(Number.POSITIVE_INFINITY, async (page) => {
    const { payments, nextPageToken } = await payment.listPayments({ ...page, eventId, states: [state] });
    return { items: payments.map(({ paymentId }) => paymentId), nextPageToken };
  });
  return items;
}
