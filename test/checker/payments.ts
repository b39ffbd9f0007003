import { PaymentService, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import type { Entry } from "../provider/ledger.ts";
import type { Books, ReservationBook } from "./books.ts";
import type { Rule } from "./check.ts";
import type { History } from "./history.ts";
import { type PaymentBook, type PaymentBooks, readPaymentBooks } from "./payment-books.ts";

/**
 * What holds between the payment schema, the reservations and the provider's own ledger, after any run. A payment
 * whose outcome nobody knows may have been charged or not; every other state says which.
 *
 * @param readLedger the entries of the provider's ledger: of all that was paid for the events in question, and nothing
 *   else
 */
export function paymentRules(readLedger: () => readonly Entry[]): readonly Rule[] {
  return [
    async ({ on, books, history }) => {
      const payments = await readPaymentBooks(on, readLedger, [...books.reservations.keys()]);
      return [
        ...moneyViolations(payments),
        ...reservationViolations(payments, books),
        ...announcementViolations(payments),
        ...toldViolations(payments, books, history),
      ];
    },
  ];
}

/** In these the provider has taken the money, whatever became of it since. */
const CHARGED = ["CHARGED", "CONFIRMED", "REFUND_DUE", "REFUNDING", "REFUNDED"];
/** In these it may have. */
const OPEN = ["CHARGING", "UNKNOWN"];
/** In these it may have given it back. */
const RETURNING = ["REFUND_DUE", "REFUNDING", "REFUNDED"];

function moneyViolations(books: PaymentBooks): string[] {
  const violations: string[] = [];
  for (const payment of books.payments.values()) {
    const charges = books.charges.get(payment.paymentId) ?? [];
    const refunds = books.refunds.get(payment.paymentId) ?? [];
    violations.push(...moneyFaults(payment, charges, refunds).map((fault) => `${nameOf(payment)} ${fault}`));
  }
  for (const key of books.charges.keys()) {
    if (!books.payments.has(key)) violations.push(`the provider charged for ${key}, which is no payment`);
  }
  return [...violations, ...doubleCharges(books)];
}

function moneyFaults(payment: PaymentBook, charges: readonly Entry[], refunds: readonly Entry[]): string[] {
  const { state, amountMinor, currencyCode } = payment;
  const faults: string[] = [];
  if (charges.length > 1) faults.push(`was charged ${charges.length} times`);
  if (refunds.length > 1) faults.push(`was given back ${refunds.length} times`);
  if (CHARGED.includes(state) && charges.length === 0)
    faults.push("was never charged, by the provider's ledger");
  if (charges.length > 0 && !CHARGED.includes(state) && !OPEN.includes(state)) {
    faults.push("was charged, by the provider's ledger");
  }
  if (state === "REFUNDED" && refunds.length === 0)
    faults.push("was not given back, by the provider's ledger");
  if (refunds.length > 0 && !RETURNING.includes(state))
    faults.push("was given back, by the provider's ledger");
  for (const { amount, currency } of charges) {
    if (BigInt(amount) === amountMinor && currency === currencyCode) continue;
    faults.push(`is of ${amountMinor} ${currencyCode}, and was charged ${amount} ${currency}`);
  }
  return faults;
}

/** Of what was charged for a reservation, all but one is given back, or about to be. */
function doubleCharges(books: PaymentBooks): string[] {
  const kept = [...books.payments.values()].filter(
    ({ paymentId, state }) =>
      books.charges.has(paymentId) && !books.refunds.has(paymentId) && state !== "REFUND_DUE",
  );
  return [...Map.groupBy(kept, ({ reservationId }) => reservationId)]
    .filter(([, payments]) => payments.length > 1)
    .map(([reservationId, payments]) => `reservation ${reservationId} was charged ${payments.length} times`);
}

function reservationViolations({ payments }: PaymentBooks, { reservations }: Books): string[] {
  const violations: string[] = [];
  for (const payment of payments.values()) {
    const reservation = reservations.get(payment.reservationId);
    if (reservation === undefined) throw new Error("payments are read by their reservations");
    for (const fault of reservationFaults(payment, reservation)) {
      violations.push(`${nameOf(payment)} ${fault} (the reservation is ${reservation.state})`);
    }
  }
  for (const { reservationId, state, paymentId } of reservations.values()) {
    if (state !== "PAYING" && state !== "PAID") continue;
    const payment = payments.get(paymentId ?? "");
    if (payment?.reservationId === reservationId) continue;
    violations.push(`reservation ${reservationId} is ${state} by payment ${paymentId}, which is not there`);
  }
  return violations;
}

function reservationFaults(payment: PaymentBook, reservation: ReservationBook): string[] {
  const { paymentId, state, isAbortPending, isReleasePending, amountMinor } = payment;
  const isMine = reservation.paymentId === paymentId;
  const isPaying = isMine && reservation.state === "PAYING";
  const isPaid = isMine && reservation.state === "PAID";
  const faults: string[] = [];
  if (amountMinor !== null && amountMinor !== reservation.totalMinor) faults.push("is not of the total");
  switch (state) {
    case "CHARGING":
    case "UNKNOWN":
      if (!isPaying) faults.push("has not kept its seats");
      break;
    case "CHARGED":
      if (!isPaying && !isPaid) faults.push("is charged, and its hold is gone");
      break;
    case "CONFIRMED":
    case "REFUNDING":
      if (!isPaid) faults.push("is charged and not given back, and has no tickets");
      break;
    case "FAILED":
      if (isPaying && !isAbortPending) faults.push("failed, and keeps its seats");
      if (isPaid) faults.push("failed, and has tickets");
      break;
    case "REFUND_DUE":
      if (isPaid) faults.push("is owed, and has tickets");
      break;
    case "REFUNDED":
      if (isPaid && !isReleasePending) faults.push("was given back, and has tickets");
      if (isPaying && !isAbortPending) faults.push("was given back, and keeps its seats");
      break;
  }
  return faults;
}

/** The last that was announced is how it is; what never began in its reservation is announced to nobody. */
function announcementViolations({ payments, announced }: PaymentBooks): string[] {
  const violations: string[] = [];
  for (const payment of payments.values()) {
    const changes = (announced.get(payment.paymentId) ?? []).sort((a, b) => Number(a.version - b.version));
    const versions = new Set(changes.map(({ version }) => version));
    if (versions.size < changes.length)
      violations.push(`${nameOf(payment)} was announced twice in a version`);
    const last = changes.at(-1);
    const isNews = payment.eventId !== null && payment.state !== "CREATED" && payment.state !== "CHARGING";
    if (!isNews) continue;
    const told = last && STATE_NAMES.get(last.state);
    if (told !== PUBLIC[payment.state] || Number(last?.version) !== payment.version) {
      violations.push(`${nameOf(payment)} was last announced as ${told} in version ${last?.version}`);
    }
  }
  return violations;
}

/** Calls and events spell states with equal numbers. */
const STATE_NAMES = new Map(Object.entries(PaymentState).map(([name, state]) => [state as number, name]));

const PUBLIC: Record<string, string> = {
  CHARGED: "PROCESSING",
  CONFIRMED: "SUCCEEDED",
  FAILED: "FAILED",
  UNKNOWN: "UNKNOWN",
  REFUND_DUE: "REFUNDING",
  REFUNDING: "REFUNDING",
  REFUNDED: "REFUNDED",
};

/** A payment that succeeded has not failed since, and the other way round; a request id makes one payment. */
function toldViolations({ payments }: PaymentBooks, { reservations }: Books, history: History): string[] {
  const calls = history
    .of(PaymentService.method.payReservation)
    .filter(({ request }) => reservations.has(request.reservationId));
  const violations: string[] = [];
  for (const { request, told } of calls) {
    if (told.kind === "answered") {
      const { paymentId = "", state, reservationId } = told.answer.payment ?? {};
      const kept = payments.get(paymentId);
      if (kept === undefined) violations.push(`a buyer was told of payment ${paymentId}, which is not there`);
      if (reservationId !== request.reservationId) violations.push(`a buyer was told of another's payment`);
      const wasPaid = ["CONFIRMED", "REFUNDING", "REFUNDED"].includes(kept?.state ?? "");
      if (state === PaymentState.SUCCEEDED && !wasPaid) {
        violations.push(`payment ${paymentId} was told as succeeded, and is ${kept?.state}`);
      }
    }
    const failedId =
      told.kind === "refused" && FAILURES.includes(told.reason) ? told.metadata.payment_id : "";
    const failed = failedId ? payments.get(failedId) : undefined;
    if (failed !== undefined && !["FAILED", "REFUND_DUE", "REFUNDED"].includes(failed.state)) {
      violations.push(`${nameOf(failed)} was told as failed`);
    }
  }
  const withId = calls.filter(({ request }) => request.requestId !== "");
  for (const [requestId, same] of Map.groupBy(withId, ({ request }) => request.requestId)) {
    const made = new Set(
      same.flatMap(({ told }) => (told.kind === "answered" ? [told.answer.payment?.paymentId] : [])),
    );
    if (made.size > 1) violations.push(`request id ${requestId} was answered with ${made.size} payments`);
  }
  return violations;
}

const FAILURES = ["CARD_DECLINED", "PAYMENT_FAILED", "CURRENCY_NOT_SUPPORTED"];

const nameOf = ({ paymentId, state }: PaymentBook): string => `payment ${paymentId}, which is ${state},`;
