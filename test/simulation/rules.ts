import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { RESERVATION_RULES, type Rule } from "../checker/check.ts";
import { paymentRules } from "../checker/payments.ts";
import type { World } from "./world.ts";

/** What holds at every moment of a simulation: all that the checker knows, and what nobody's mistake excuses here. */
export function rulesOf(world: World): readonly Rule[] {
  return [
    ...RESERVATION_RULES,
    ...paymentRules(() => world.bank.ledger),
    moneyRule(world),
    faultRule,
    closedEventRule,
  ];
}

/**
 * Nobody here takes an outcome for another than it is. So a reservation is charged once at most, and nothing is given
 * back but what an operator wants to be.
 */
function moneyRule({ bank }: World): Rule {
  return async ({ on, history }) => {
    const rows = await on.query<{ id: string; reservation_id: string }>({
      text: "select payment_id as id, reservation_id from payment.payments",
    });
    const reservationOf = new Map(rows.map((row) => [row.id, row.reservation_id]));
    const charges = Map.groupBy(
      bank.ledger.filter(({ kind }) => kind === "charge"),
      ({ key }) => reservationOf.get(key) ?? key,
    );
    const violations = [...charges]
      .filter(([, entries]) => entries.length > 1)
      .map(([id, entries]) => `reservation ${id} was charged ${entries.length} times in all`);
    const asked = new Set(
      history.of(PaymentService.method.refundPayment).map(({ request }) => request.paymentId),
    );
    for (const { kind, key } of bank.ledger) {
      if (kind === "refund" && !asked.has(key))
        violations.push(`payment ${key} was given back, and nobody asked`);
    }
    return violations;
  };
}

const FAULTS: readonly Code[] = [Code.Internal, Code.Unknown, Code.DataLoss];

/** No caller ever meets a fault of ours. */
const faultRule: Rule = ({ history }) =>
  history.calls.flatMap(({ method, told }) => {
    if (told.kind !== "unknown" || !(told.error instanceof ConnectError)) return [];
    if (!FAULTS.includes(told.error.code)) return [];
    return [`${method} was answered with a fault: ${told.error.message} (${String(told.error.cause)})`];
  });

/** A cancelled event whose holds were released has none. */
const closedEventRule: Rule = async ({ on }) => {
  const rows = await on.query<{ id: string }>({
    text: `
      select reservation_id as id from reservation.reservations join reservation.events using (event_id)
      where is_cancelled and not is_releasing and state = 'HELD'`,
  });
  return rows.map(({ id }) => `reservation ${id} is HELD, and its event is cancelled and done with`);
};
