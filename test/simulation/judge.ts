import { fromConnectError, isRefusal, type Reason } from "@boxoffice/platform/errors.ts";
import { type Change, ChangeBatchSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import {
  ReservationState,
  type ReserveRequest,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** Why nothing is sold to somebody, as far as it depends on when they ask. */
const DECIDED: readonly Reason[] = ["SOLD_OUT", "EVENT_CANCELLED", "LIMIT_EXCEEDED"];

/**
 * Judges decisions at the moment they are made, by what is known here alone: when each lock was granted, and what had
 * been committed by then. What came of a decision need not show it.
 */
export class Judge {
  readonly #world: World;
  /** The request ids that had reservations when a process was last granted the stock that it sells from. */
  readonly #used = new Map<Host, ReadonlySet<string>>();

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * Whether a statement locks rows that something is then decided about. One that reads nothing of what it locks only
   * waits in line.
   */
  static locksToDecide(text: string): boolean {
    return /\bfor (update|share)\b/.test(text) && !/^\s*select\s+from\b/.test(text);
  }

  /** A process was granted the stock. All that it sells is of one event, so it decides one batch at a time. */
  stockGranted(host: Host): void {
    this.#world.scheduler.beforeNext(async () => {
      const rows = await this.#world.backends.look<{ id: string }>(USED_REQUEST_IDS);
      this.#used.set(host, new Set(rows.map(({ id }) => id)));
    });
  }

  /** Whoever repeats a request gets what it has made before, if that was committed when the stock was granted. */
  refused(host: Host, { requestId }: ReserveRequest, error: unknown): void {
    const own = fromConnectError(error);
    if (!isRefusal(own, ...DECIDED) || !this.#used.get(host)?.has(requestId)) return;
    this.#world.violate(
      `${host.name} refused request ${requestId} as ${own.reason}, which had its reservation`,
    );
  }

  /**
   * Who had to wait for the rows is judged by the time after the wait.
   *
   * @param payloads what is announced of the decision
   * @param lockedAtMs when the last of the rows was granted that it is about
   */
  decided(host: Host, payloads: readonly Uint8Array[], lockedAtMs: number): void {
    for (const payload of payloads) {
      const { changeTime, changes } = fromBinary(ChangeBatchSchema, payload);
      // How many tickets there are is the same at any time.
      if (changes.every(({ change }) => change.case === "ticketType")) continue;
      const earlyMs = lockedAtMs - (changeTime ? timestampMs(changeTime) : 0);
      if (earlyMs <= 0) continue;
      const ended = changes.some((change) => isPayingAfterEnd(change, lockedAtMs));
      const what = ended ? "let a hold be paid for that had ended, and " : "";
      this.#world.violate(`${host.name} ${what}decided by a clock of ${earlyMs} ms before it had its locks`);
    }
  }
}

const isPayingAfterEnd = ({ change }: Change, atMs: number): boolean =>
  change.case === "reservation" &&
  change.value.state === (ReservationState.PAYING as number) &&
  change.value.expireTime !== undefined &&
  timestampMs(change.value.expireTime) <= atMs;

const USED_REQUEST_IDS = "select request_id as id from reservation.reservations where request_id is not null";
