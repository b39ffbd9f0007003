import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../mode.ts";
import type { BoxOffice } from "./box-office.ts";
import { countReservations } from "./counts.ts";
import { type Program, runProgram } from "./program.ts";
import type { Contender } from "./rounds.ts";
import { findTool } from "./tools.ts";
import { measureWindow, secondsOfLoad } from "./window.ts";

/** What the product's rates are set against: the same work, done the usual ways, by pgbench. */
export type Reference = {
  /**
   * `transaction`: the usual one, BEGIN to COMMIT, a round trip for each statement.
   * `statement`: all of it in one statement, which is the best that a commit for each reservation can do.
   */
  form: "transaction" | "statement";
  /** Between how many ticket types each reservation chooses. */
  types: number;
  clients: number;
};

/** The bytes of a message about one reservation, or so. */
const PAYLOAD_BYTES = 190;
const THREADS = 2;
const LOOK_SECONDS = 2;
const PRICE = 4_900;

/** Makes what the references work on: tables of the same shape as the product's, with their indexes and checks. */
export async function prepareReferences({ database }: BoxOffice, types: number): Promise<void> {
  for (const text of [
    "create schema bench",
    "create table bench.ticket_types (like reservation.ticket_types including all) with (fillfactor = 50)",
    "create table bench.reservations (like reservation.reservations including all)",
    "create table bench.reservation_items (like reservation.reservation_items including all)",
    "create table bench.outbox (like reservation.outbox including all)",
    `insert into bench.ticket_types (ticket_type_id, event_id, position, name, category, price_minor,
       max_per_reservation, quantity, available, changed_at)
     select ${uuidOf("number")}, ${uuidOf("(number - 1) / 100 + 1")}, 1, 'Type', 'regular', ${PRICE}, 10,
       10000000, 10000000, clock_timestamp()
     from generate_series(1, ${types}) as number`,
    "vacuum analyze bench.ticket_types",
  ]) {
    await database.query({ text });
  }
}

/** A reference as something to be measured. */
export function referenceContender(box: BoxOffice, reference: Reference, seconds: number): Contender {
  return {
    start: () => runReference(box, reference, seconds),
    count: (window) => countReservations(box, window, "bench"),
    troubleIn: (printed) => {
      const { failed } = readPgbench(printed);
      return failed > 0 ? [`${failed} transactions failed`] : [];
    },
  };
}

/** At how many clients the form that is one statement is fastest. */
export async function findBestClients(
  { box, pace, tell }: Bench,
  types: number,
  candidates: readonly number[],
): Promise<number> {
  const short = { ...pace, warmUpSeconds: 1, windowSeconds: Math.min(LOOK_SECONDS, pace.windowSeconds) };
  const rates: number[] = [];
  for (const clients of candidates) {
    const program = runReference(box, { form: "statement", types, clients }, secondsOfLoad(short));
    const window = await measureWindow(box, short, program);
    const { units } = await countReservations(box, window, "bench");
    tell(`one statement, types: ${types}, clients: ${clients}: ${Math.round(units / window.seconds)}/s`);
    rates.push(units);
  }
  return candidates[rates.indexOf(Math.max(...rates))] ?? 1;
}

function runReference(box: BoxOffice, reference: Reference, seconds: number): Program {
  const { form, types, clients } = reference;
  const file = join(box.folder, `${form}.sql`);
  writeFileSync(file, form === "transaction" ? TRANSACTION : STATEMENT);
  const pgbench = findTool("pgbench");
  if (pgbench === undefined) throw new Error("pgbench is missing");
  return runProgram(pgbench, [
    ...["--no-vacuum", "--protocol=prepared", `--file=${file}`, `--define=types=${types}`],
    ...[`--client=${clients}`, `--jobs=${Math.min(THREADS, clients)}`, `--time=${Math.ceil(seconds)}`],
    box.ownerUrl,
  ]);
}

/** What pgbench says about itself, to stand beside the rows that were counted. */
export function readPgbench(printed: string): { perSecond: number; failed: number } {
  const rate = /^tps = ([\d.]+)/m.exec(printed)?.[1];
  if (rate === undefined) throw new Error(`pgbench printed no rate:\n${printed}`);
  const failed = /^number of failed transactions: (\d+)/m.exec(printed)?.[1];
  return { perSecond: Number(rate), failed: Number(failed ?? 0) };
}

function uuidOf(number: string): string {
  return `('00000000-0000-7000-8000-' || lpad((${number})::text, 12, '0'))::uuid`;
}

const PAYLOAD = `decode(repeat('ab', ${PAYLOAD_BYTES}), 'hex')`;
const TYPE = uuidOf(":type");
const EVENT = uuidOf("(:type - 1) / 100 + 1");

const TRANSACTION = `
\\set type random(1, :types)
begin;
update bench.ticket_types
  set available = available - 1, held = held + 1, stock_version = stock_version + 1, changed_at = clock_timestamp()
  where ticket_type_id = ${TYPE} and available >= 1;
insert into bench.reservations (reservation_id, event_id, state, total_minor, created_at, expires_at)
  values (uuidv7(), ${EVENT}, 'HELD', ${PRICE}, clock_timestamp(), clock_timestamp() + interval '1 day')
  returning reservation_id \\gset
insert into bench.reservation_items (reservation_id, ticket_type_id, quantity, unit_price_minor)
  values (:reservation_id, ${TYPE}, 1, ${PRICE});
insert into bench.outbox (outbox_id, event_id, payload) values (uuidv7(), ${EVENT}, ${PAYLOAD});
commit;
`;

const STATEMENT = `
\\set type random(1, :types)
with taken as (
  update bench.ticket_types
  set available = available - 1, held = held + 1, stock_version = stock_version + 1, changed_at = clock_timestamp()
  where ticket_type_id = ${TYPE} and available >= 1
  returning ticket_type_id, event_id, price_minor
), made as (
  insert into bench.reservations (reservation_id, event_id, state, total_minor, created_at, expires_at)
  select uuidv7(), event_id, 'HELD', price_minor, clock_timestamp(), clock_timestamp() + interval '1 day' from taken
  returning reservation_id
), listed as (
  insert into bench.reservation_items (reservation_id, ticket_type_id, quantity, unit_price_minor)
  select reservation_id, ticket_type_id, 1, price_minor from made, taken
)
insert into bench.outbox (outbox_id, event_id, payload) select uuidv7(), event_id, ${PAYLOAD} from taken;
`;
