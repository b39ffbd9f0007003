import {
  type Change,
  type ChangeBatch,
  ChangeBatchSchema,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create } from "@bufbuild/protobuf";

/** An entity of some event, as a change tells it. */
export type Exported = { eventId: string; change: Change };

/** A page of entities as the events' messages would tell them. They have neither id nor time: nothing happened. */
export function toBatches(page: readonly Exported[]): ChangeBatch[] {
  const byEvent = Map.groupBy(page, ({ eventId }) => eventId);
  return [...byEvent].map(([eventId, entities]) =>
    create(ChangeBatchSchema, { eventId, changes: entities.map(({ change }) => change) }),
  );
}

/**
 * Reads all there is, page by page in the order of ids, each page a statement of its own: no transaction stays open
 * for as long as it takes, which would keep the dead versions of hot rows alive.
 *
 * @param readPage rows with an id after the given one, and none at the end
 */
export async function* pages<Row>(
  readPage: (after: string | null) => Promise<Row[]>,
  idOf: (row: Row) => string,
): AsyncGenerator<Row[]> {
  for (let after: string | null = null; ; ) {
    const page: Row[] = await readPage(after);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = idOf(last);
  }
}
