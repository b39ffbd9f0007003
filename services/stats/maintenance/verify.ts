import { type Changes, noChanges, sizeOf, type Versioned } from "../domain/changes.ts";
import { compare, type Difference, lost } from "../domain/compare.ts";
import { readSources } from "../sources.ts";
import { type Known, readKnown } from "../store/known.ts";
import { countReservations, readClock, recount } from "../store/recount.ts";
import type { Found, TaskContext } from "./task.ts";

/** What is newer elsewhere must arrive within this. */
const ARRIVES_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 500;
const KEEP_EVERY_MS = 5_000;

/** So many are waited for at most, and so many told; all are counted. */
const MAX_BEHIND = 100_000;
const TOLD = 100;

/**
 * Compares what the other services have with what is kept of it here, and the counters with a recount of what is
 * kept, in SQL. It reads, changes nothing, and may run during a sale: what is merely on its way is waited for.
 */
export async function verify(context: TaskContext): Promise<Found> {
  const { database, sources, signal, progress } = context;
  const differences: Difference[] = [];
  const behind = noChanges();
  let entities = 0;
  let madeBefore = 0n;
  const startedAt = await readClock(database);
  for await (const changes of readSources(sources, signal)) {
    const known = await readKnown(database, changes);
    for (const { subject, of } of KINDS) {
      const compared = compare<Versioned>(subject, changes[of], known[of]);
      differences.push(...compared.differences);
      if (sizeOf(behind) < MAX_BEHIND) behind[of].push(...(compared.behind as never[]));
    }
    entities += sizeOf(changes);
    madeBefore += BigInt(
      changes.reservations.filter(({ createdMs }) => createdMs < startedAt.getTime()).length,
    );
    await progress(entities);
  }
  differences.push(...(await neverArrived(context, behind, () => progress(entities))));
  await whileKept(context, entities, async () => {
    differences.push(...(await recount(database)));
    const kept = await countReservations(database, startedAt);
    if (kept > madeBefore) differences.push(tooMany(kept, madeBefore));
  });
  return { entities, differences: differences.slice(0, TOLD), differenceCount: differences.length };
}

const KINDS = [
  { subject: "event", of: "events" },
  { subject: "ticket type", of: "ticketTypes" },
  { subject: "reservation", of: "reservations" },
  { subject: "payment", of: "payments" },
] as const;

/** Waits for what is on its way. @returns what did not come */
async function neverArrived(
  { database, runtime, signal }: TaskContext,
  behind: Changes,
  progress: () => Promise<void>,
): Promise<Difference[]> {
  const untilMs = runtime.nowMs() + ARRIVES_WITHIN_MS;
  for (;;) {
    const known = await readKnown(database, behind);
    for (const { of } of KINDS) behind[of] = stillBehind(behind[of], known[of]) as never[];
    if (sizeOf(behind) === 0) return [];
    if (runtime.nowMs() >= untilMs) return KINDS.flatMap((kind) => lostOf(kind, behind, known));
    await progress();
    await runtime.sleep(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

function stillBehind(entities: readonly Versioned[], known: readonly Versioned[]): Versioned[] {
  return entities.filter((entity) => compare("", [entity], known).behind.length > 0);
}

function lostOf({ subject, of }: (typeof KINDS)[number], behind: Changes, known: Known): Difference[] {
  const versions = new Map(known[of].map(({ id, version }) => [id, version]));
  return behind[of].map((entity) => lost(subject, entity, versions.get(entity.id)));
}

/** Keeps the task while `work` waits for statements that take long. */
async function whileKept(
  { runtime, progress }: TaskContext,
  entities: number,
  work: () => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  const keeping = (async () => {
    while (!done.signal.aborted) {
      await progress(entities);
      await runtime.sleep(KEEP_EVERY_MS, done.signal);
    }
  })();
  try {
    await Promise.all([work().finally(() => done.abort()), keeping]);
  } finally {
    done.abort();
    await keeping.catch(() => {});
  }
}

function tooMany(kept: bigint, exported: bigint): Difference {
  const [counted, expected] = [String(kept), String(exported)];
  return { subject: "reservations", id: "all", field: "number", counted, expected };
}
