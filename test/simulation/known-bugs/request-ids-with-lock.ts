import type { KnownBug } from "./known-bug.ts";

const module = "services/reservation/store/reserve.ts";

/** The statement that locks the stock reads the request ids, too. */
export const requestIdsWithLock: KnownBug = {
  name: "request-ids-with-lock",
  why: "a statement that waited for a lock sees other rows as they were before its wait: who repeats a request is told that the tickets are sold out which it has itself",
  edits: [
    {
      module,
      text: `select \${TICKET_TYPE_COLUMNS} from reservation.ticket_types
        where ticket_type_id = any($1::uuid[]) order by ticket_type_id for update\`,
      values: [typeIds],`,
      replacement: `select \${TICKET_TYPE_COLUMNS}, array(
          select json_build_object('request_id', request_id, 'request_hash', encode(request_hash, 'hex'),
            'reservation_id', reservation_id)
          from reservation.reservations where request_id = any($2::uuid[])) as known
        from reservation.ticket_types
        where ticket_type_id = any($1::uuid[]) order by ticket_type_id for update\`,
      values: [typeIds, plainArray(requestIds)],`,
    },
    {
      module,
      text: `where request_id = any($1::uuid[])\``,
      replacement: `where request_id = any($1::uuid[]) and false\``,
    },
    {
      module,
      text: `known.map((row) => [`,
      replacement: `(types[0]?.known ?? []).map((row) => [`,
    },
  ],
  foundBy: 30,
};
