import { Batcher, Lanes } from "@boxoffice/platform/batcher.ts";
import type { ChangeOutcome, ChangeRequest } from "./domain/change.ts";
import type { ReserveOutcome, ReserveRequest } from "./domain/decide.ts";
import { batchSize, decisionSeconds, holdsMade, reserveRefusals, showQueue } from "./metrics.ts";
import { type ChangeOptions, changeReservations } from "./store/change.ts";
import { isSoldOut, type ReserveOptions, reserveBatch } from "./store/reserve.ts";
import { reclaimExpired } from "./store/sweep.ts";

export type LaneOptions = {
  /** How many batches are decided at a time. */
  lanes: number;
  maxBatch: number;
  /** How many requests may wait in each lane. */
  maxQueue: number;
  /** Called after a commit that wrote to the outbox, with the events whose reservations it made or changed. */
  onCommit(eventIds: ReadonlySet<string>): void;
};

export type ReserveLanes = Lanes<ReserveRequest, ReserveOutcome>;
export type ChangeLane = Batcher<ChangeRequest, ChangeOutcome>;

const RECLAIM_BATCH = 1_000;

/** An event always goes to the same lane, where its requests are decided in the order of their arrival. */
export function createReserveLanes(options: LaneOptions & ReserveOptions): ReserveLanes {
  const lanes: ReserveLanes = new Lanes({
    ...options,
    keyOf: ({ eventId }) => eventId,
    async run(requests) {
      batchSize.observe(requests.length);
      const observeSeconds = decisionSeconds.startTimer();
      const outcomes = await reserveWithReclaim(requests, options);
      observeSeconds();
      countOutcomes(outcomes);
      return outcomes;
    },
  });
  showQueue(() => lanes.depth);
  return lanes;
}

/**
 * Begin, confirm, abort, cancel and release, in the order of arrival. One lane, because the reservations of a hot
 * ticket type share its row: where several batches are decided at a time, each waits for the others' locks, and is
 * smaller for it.
 */
export function createChangeLane(options: Omit<LaneOptions, "lanes"> & ChangeOptions): ChangeLane {
  return new Batcher({
    ...options,
    async run(requests) {
      const outcomes = await changeReservations(requests, options);
      options.onCommit(
        new Set(
          outcomes.flatMap((outcome) => (outcome.kind === "done" ? [outcome.reservation.eventId] : [])),
        ),
      );
      return outcomes;
    },
  });
}

function countOutcomes(outcomes: readonly ReserveOutcome[]): void {
  holdsMade.inc(outcomes.filter(({ kind }) => kind === "made").length);
  for (const outcome of outcomes) {
    if (outcome.kind === "refused") reserveRefusals.inc({ reason: outcome.error.reason });
  }
}

/**
 * Where something looks sold out, tickets of ended holds may still be booked as held: they are put back, in a
 * transaction of their own, and those who got nothing are decided again. So sales never depend on the sweeper.
 */
async function reserveWithReclaim(
  requests: ReserveRequest[],
  options: LaneOptions & ReserveOptions,
): Promise<ReserveOutcome[]> {
  const outcomes = await reserveBatch(requests, options);
  options.onCommit(eventsOf(outcomes));
  const unlucky = requests.filter((_, index) => {
    const outcome = outcomes[index];
    return outcome !== undefined && isSoldOut(outcome);
  });
  if (unlucky.length === 0) return outcomes;
  const wanted = new Set(unlucky.flatMap(({ items }) => items.map(({ ticketTypeId }) => ticketTypeId)));
  const reclaimed = await reclaimExpired({ ...options, limit: RECLAIM_BATCH }, [...wanted]);
  if (reclaimed === 0) return outcomes;
  const again = await reserveBatch(unlucky, options);
  options.onCommit(eventsOf(again));
  const second = new Map(unlucky.map((request, index) => [request, again[index]]));
  return outcomes.map((outcome, index) => {
    const request = requests[index];
    return (request && second.get(request)) ?? outcome;
  });
}

const eventsOf = (outcomes: readonly ReserveOutcome[]): ReadonlySet<string> =>
  new Set(outcomes.flatMap((outcome) => (outcome.kind === "made" ? [outcome.reservation.eventId] : [])));
