import type { Transaction } from "@boxoffice/platform/database.ts";
import type { StockChanges } from "../domain/stock.ts";
import { announceTicketTypes } from "./changes.ts";
import { TICKET_TYPE_COLUMNS, type TicketTypeRow, toTicketType } from "./rows.ts";

/** Changes the counters of ticket types, whose rows it locks in the order of ids. */
export async function changeStock(
  tx: Transaction,
  newId: () => string,
  changes: StockChanges,
  now: Date,
): Promise<void> {
  if (changes.size === 0) return;
  const typeIds = [...changes.keys()];
  const all = [...changes.values()];
  tx.write({
    name: "lock-stock-to-change",
    text: `
      select from reservation.ticket_types
      where ticket_type_id = any($1::uuid[]) order by ticket_type_id for update`,
    values: [typeIds],
  });
  tx.write({
    name: "change-stock",
    text: `
      update reservation.ticket_types t
      set quantity = t.quantity + d.quantity,
          available = t.available + d.available,
          held = t.held + d.held,
          paid = t.paid + d.paid,
          definition_version = t.definition_version + (d.quantity <> 0)::int,
          stock_version = t.stock_version + 1,
          changed_at = $6
      from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[])
        as d (ticket_type_id, quantity, available, held, paid)
      where t.ticket_type_id = d.ticket_type_id`,
    values: [
      typeIds,
      all.map(({ quantity }) => quantity),
      all.map(({ available }) => available),
      all.map(({ held }) => held),
      all.map(({ paid }) => paid),
      now,
    ],
  });
  const resized = typeIds.filter((_, index) => all[index]?.quantity !== 0);
  if (resized.length > 0) await announceQuantities(tx, newId, resized, now);
}

/** A quantity belongs to what a ticket type is, which others are told of. */
async function announceQuantities(
  tx: Transaction,
  newId: () => string,
  typeIds: readonly string[],
  now: Date,
): Promise<void> {
  const rows = await tx.query<TicketTypeRow>({
    name: "resized-ticket-types",
    text: `select ${TICKET_TYPE_COLUMNS} from reservation.ticket_types where ticket_type_id = any($1::uuid[])`,
    values: [typeIds],
  });
  for (const type of rows.map(toTicketType)) announceTicketTypes(tx, newId, now, type.eventId, [type]);
}
