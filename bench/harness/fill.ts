import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { BoxOffice } from "./box-office.ts";

/** Rows written by one statement, so that none takes for ever. */
const FILL_BATCH = 250_000;

/**
 * Writes holds of one ticket each straight into the database, as if they had been made, which is quicker than making
 * them. They end within `withinMs` from `firstEndsAt` on, evenly.
 */
export async function fillHolds(
  box: BoxOffice,
  event: Event,
  count: number,
  { firstEndsAt, withinMs }: { firstEndsAt: Date; withinMs: number },
): Promise<void> {
  for (let from = 0; from < count; from += FILL_BATCH) {
    await fill(box, event, {
      from,
      until: Math.min(count, from + FILL_BATCH),
      columns: "state, created_at, expires_at",
      values: "'HELD', clock_timestamp(), $4::timestamptz + n * $5::float8 * interval '1 ms'",
      parameters: [firstEndsAt, withinMs / count],
    });
  }
  await book(box, event, { held: count, paid: 0 });
}

/** Of ten reservations that are over, so many were paid; the rest ended unpaid. */
const PAID_OF_TEN = 5;
const OLDEST_DAYS = 300;

/** Writes reservations of the past year that are over: half of them paid, the others expired. */
export async function fillHistory(box: BoxOffice, event: Event, count: number): Promise<void> {
  const at = `clock_timestamp() - interval '${OLDEST_DAYS} days' * (1 - n / ${count}::float8) - interval '1 day'`;
  const isPaid = `n % 10 < ${PAID_OF_TEN}`;
  for (let from = 0; from < count; from += FILL_BATCH) {
    await fill(box, event, {
      from,
      until: Math.min(count, from + FILL_BATCH),
      columns: "created_at, expires_at, state, version, payment_id, paid_at, closed_at",
      values: `
        ${at}, ${at} + interval '15 minutes', case when ${isPaid} then 'PAID' else 'EXPIRED' end,
        case when ${isPaid} then 3 else 2 end, case when ${isPaid} then gen_random_uuid() end,
        case when ${isPaid} then ${at} + interval '1 minute' end,
        case when not (${isPaid}) then ${at} + interval '15 minutes' end`,
      parameters: [],
    });
  }
  await book(box, event, { held: 0, paid: (count / 10) * PAID_OF_TEN });
}

type Rows = { from: number; until: number; columns: string; values: string; parameters: unknown[] };

/** With ids in the order of their times, as the product's are, and with request ids, which are not. */
async function fill(box: BoxOffice, event: Event, rows: Rows): Promise<void> {
  const [type] = event.ticketTypes;
  box.untold += rows.until - rows.from;
  await box.database.query({
    text: `
      with made as (
        insert into reservation.reservations
          (event_id, total_minor, request_id, request_hash, reservation_id, ${rows.columns})
        select $1, $2, gen_random_uuid(), sha256(n::text::bytea), uuidv7(created_at - clock_timestamp()), ${rows.columns}
        from generate_series(${rows.from}, ${rows.until - 1}) as n,
          lateral (select ${rows.values}) as r (${rows.columns})
        returning reservation_id
      )
      insert into reservation.reservation_items (reservation_id, ticket_type_id, quantity, unit_price_minor)
      select reservation_id, $3, 1, $2 from made`,
    values: [event.eventId, type?.price?.minorUnits, type?.ticketTypeId, ...rows.parameters],
  });
}

/** The stock has to add up to its reservations. */
async function book(
  { database }: BoxOffice,
  { ticketTypes: [type] }: Event,
  { held, paid }: { held: number; paid: number },
): Promise<void> {
  await database.query({
    text: `
      update reservation.ticket_types
      set available = available - $2 - $3, held = held + $2, paid = paid + $3, stock_version = stock_version + 1
      where ticket_type_id = $1`,
    values: [type?.ticketTypeId, held, paid],
  });
}
