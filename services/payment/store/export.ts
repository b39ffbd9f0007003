import type { Queryable } from "@boxoffice/platform/database.ts";
import { pages } from "@boxoffice/platform/export.ts";
import type { Payment } from "../domain/payment.ts";
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from "./rows.ts";

const PAGE_SIZE = 500;

/** Every payment that has begun in its reservation, or those of one event, in pages. */
export function allPayments(on: Queryable, eventId: string | null): AsyncGenerator<Payment[]> {
  return pages(
    async (after) => {
      const rows = await on.query<PaymentRow>({
        text: `
          select ${PAYMENT_COLUMNS} from payment.payments
          where ($1::uuid is null or payment_id > $1)
            and ${eventId === null ? "event_id is not null" : "event_id = $3"}
          order by payment_id
          limit $2`,
        values: [after, PAGE_SIZE, ...(eventId === null ? [] : [eventId])],
      });
      return rows.map(toPayment);
    },
    ({ paymentId }) => paymentId,
  );
}
