import { Batcher } from "@boxoffice/platform/batcher.ts";
import type { ReserveOutcome, ReserveRequest } from "./domain/decide.ts";
import type { TicketType } from "./domain/sale.ts";
import { isSoldOut, type ReserveOptions, reserveBatch } from "./store/reserve.ts";
import { reclaimExpired } from "./store/sweep.ts";

export type LaneOptions = ReserveOptions & {
  /** How many batches are decided at a time. An event always goes to the same lane. */
  lanes: number;
  maxBatch: number;
  /** How many requests may wait in each lane. */
  maxQueue: number;
  /** Called after a commit that wrote to the outbox. */
  onCommit(): void;
};

const RECLAIM_BATCH = 1_000;

/** Sends each request to its event's lane, where it is decided together with those that arrived with it. */
export class ReserveLanes {
  readonly #lanes: Batcher<ReserveRequest, ReserveOutcome>[];

  constructor(options: LaneOptions) {
    this.#lanes = Array.from(
      { length: options.lanes },
      () =>
        new Batcher({
          maxBatch: options.maxBatch,
          maxQueue: options.maxQueue,
          run: (requests) => decideWithReclaim(requests, options),
        }),
    );
  }

  /** @throws BoxofficeError OVERLOADED, DEPENDENCY_UNAVAILABLE */
  submit(request: ReserveRequest, signal: AbortSignal): Promise<ReserveOutcome> {
    const lane = this.#lanes[laneOf(request.eventId, this.#lanes.length)];
    if (lane === undefined) throw new Error("there is at least one lane");
    return lane.submit(request, signal);
  }
}

/**
 * Where something looks sold out, tickets of ended holds may still be booked as held: they are put back, in a
 * transaction of their own, and those who got nothing are decided again. So sales never depend on the sweeper.
 */
async function decideWithReclaim(
  requests: ReserveRequest[],
  options: LaneOptions,
): Promise<ReserveOutcome[]> {
  const outcomes = await reserveBatch(requests, options);
  options.onCommit();
  const unlucky = requests.filter((_, index) => {
    const outcome = outcomes[index];
    return outcome !== undefined && isSoldOut(outcome);
  });
  if (unlucky.length === 0) return outcomes;
  const wanted = new Set(unlucky.flatMap(({ items }) => items.map(({ ticketTypeId }) => ticketTypeId)));
  const reclaimed = await reclaimExpired({ ...options, limit: RECLAIM_BATCH }, [...wanted]);
  if (reclaimed === 0) return outcomes;
  const again = await reserveBatch(unlucky, options);
  options.onCommit();
  const second = new Map(unlucky.map((request, index) => [request, again[index]]));
  return outcomes.map((outcome, index) => {
    const request = requests[index];
    return (request && second.get(request)) ?? outcome;
  });
}

/** Any spread will do; the last characters of an id are its random ones. */
function laneOf(eventId: TicketType["eventId"], lanes: number): number {
  return Number.parseInt(eventId.slice(-6), 16) % lanes;
}
