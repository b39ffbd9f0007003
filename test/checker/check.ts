import type { Database, Queryable } from "@boxoffice/platform/database.ts";
import { announcementViolations } from "./announced.ts";
import { type Books, readBooks } from "./books.ts";
import type { History } from "./history.ts";
import { rowViolations } from "./rows.ts";
import { stockViolations } from "./stock.ts";
import { toldViolations } from "./told.ts";

/** What a rule judges by. All of it is of one moment. */
export type Evidence = {
  /** For what the books do not hold. It sees the same moment. */
  on: Queryable;
  books: Books;
  history: History;
  /** The events in question; null for all. */
  eventIds: ReadonlySet<string> | null;
};

/** Returns what is wrong, in words. */
export type Rule = (evidence: Evidence) => string[] | Promise<string[]>;

/** What holds in the reservation schema after any run. */
export const RESERVATION_RULES: readonly Rule[] = [
  ({ books }) => stockViolations(books),
  ({ books }) => rowViolations(books),
  ({ books }) => announcementViolations(books),
  ({ books, history, eventIds }) => toldViolations(books, history, eventIds),
];

export type CheckOptions = {
  /** As the owner of the schemas, so that it may read all of them. */
  database: Database;
  history: History;
  /** Only these events; all unless given. */
  eventIds?: Iterable<string>;
  /** What to check; the sale unless given. */
  rules?: readonly Rule[];
};

/**
 * Compares what clients were told with what the schemas hold, after a run or during it: all is read at one moment.
 *
 * @returns every violation, in words; nothing where all is well
 */
export function findViolations({ database, ...options }: CheckOptions): Promise<string[]> {
  return database.transaction(async (tx) => {
    await tx.query({ text: "set transaction isolation level repeatable read, read only" });
    return findViolationsIn(tx, options);
  });
}

/** The same in a transaction of the caller's. */
export async function findViolationsIn(
  on: Queryable,
  { history, rules = RESERVATION_RULES, ...options }: Omit<CheckOptions, "database">,
): Promise<string[]> {
  const eventIds = options.eventIds ? new Set(options.eventIds) : null;
  const books = await readBooks(on, eventIds && [...eventIds]);
  const found: string[] = [];
  for (const rule of rules) found.push(...(await rule({ on, books, history, eventIds })));
  return found;
}
