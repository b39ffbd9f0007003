import type { Database } from "@boxoffice/platform/database.ts";
import { BoxofficeError, isRefusal } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { type Runtime, within } from "@boxoffice/platform/runtime.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { lowersQuantity } from "./domain/take-back.ts";
import type { TellSale } from "./sales.ts";
import {
  type ClaimedCommand,
  claimCommands,
  markDelivered,
  postpone,
  readCommand,
  takeCommandBack,
} from "./store/commands.ts";

export type CompleterOptions = {
  database: Database;
  tellSale: TellSale;
  runtime: Runtime;
  log: Logger;
  /** Called after a commit that wrote to the outbox. */
  onCommit(): void;
  /** How long others leave a command alone that one has taken, in milliseconds: longer than a call may take. */
  leaseMs?: number;
  /** How long a caller waits for the sale, in milliseconds. */
  waitMs?: number;
  /** From 0 to 1. */
  random?: () => number;
};

/** A crash leaves a command alone for no longer than this: the two sides shall agree within 10 s. */
const LEASE_MS = 6_000;
const WAIT_MS = 2_000;
const WAIT_POLL_MS = 25;

const POLL_MS = 500;
const RETRY_MS = 1_000;
const BATCH = 20;

/** How long a command rests after its first failure, and at most, in milliseconds; a refusal will hardly change. */
const BACKOFF = { transient: { first: 250, most: 10_000 }, refused: { first: 5_000, most: 300_000 } };

/** Codes without a reason of ours that the same call would earn again. */
const DEFINITE_CODES = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.FailedPrecondition,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
]);

/**
 * Delivers commands to the sale until each is answered, on every replica at once: what a crash or an outage left,
 * and what the call that made the change could not deliver by itself.
 */
export class Completer {
  readonly #options: CompleterOptions;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(options: CompleterOptions) {
    this.#options = options;
  }

  /** Delivers whatever is due until `signal` aborts; then what is under way is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const { runtime, log } = this.#options;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        const progress = await this.deliverDue();
        isFailing = false;
        if (progress === 0) await runtime.sleep(POLL_MS, signal);
      } catch (error) {
        if (!isFailing)
          log.warn({ error }, "cannot deliver commands to the sale; they are kept and tried again");
        isFailing = true;
        await runtime.sleep(RETRY_MS, signal);
      }
    }
  }

  /** Delivers the first due command of some events. @returns how many of them were answered */
  async deliverDue(): Promise<number> {
    const claimed = await this.#claim({ limit: BATCH });
    const answered = await Promise.all(claimed.map((command) => this.#attempt(command)));
    return answered.filter(Boolean).length;
  }

  /**
   * Delivers an event's commands up to `version`, for the caller who made that one. Where the sale takes its time
   * the caller need not wait for it: delivery goes on.
   *
   * @throws BoxofficeError QUANTITY_BELOW_RESERVED when the sale refused the change, which then was taken back
   */
  async deliver(eventId: string, version: bigint): Promise<void> {
    const { database, runtime, log, waitMs = WAIT_MS } = this.#options;
    const rested = new AbortController();
    const work = this.#deliverUpTo(eventId, version, rested.signal).catch((error: unknown) => {
      log.warn({ error, eventId }, "cannot deliver a command to the sale; it is kept and tried again");
    });
    this.#track(work);
    await within(runtime, waitMs, work);
    rested.abort();
    const command = await readCommand(database, eventId, version);
    if (command?.refusal) {
      const { reason, message, metadata } = command.refusal;
      throw new BoxofficeError(reason, message, { metadata });
    }
  }

  /** Waits for deliveries that nobody waits for any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #deliverUpTo(eventId: string, version: bigint, stop: AbortSignal): Promise<void> {
    const { database, runtime } = this.#options;
    while (!stop.aborted) {
      const [head] = await this.#claim({ limit: 1, eventId });
      if (head !== undefined && !(await this.#attempt(head))) return;
      const command = await readCommand(database, eventId, version);
      // One more round after a refusal, which tells the sale what holds again.
      const wasJustRefused = command?.state === "REFUSED" && head?.version === version;
      if (command?.state !== "PENDING" && !wasJustRefused) return;
      if (head === undefined) await runtime.sleep(WAIT_POLL_MS, stop); // somebody else delivers the first one
    }
  }

  #claim(options: { limit: number; eventId?: string }): Promise<ClaimedCommand[]> {
    const { database, runtime, leaseMs = LEASE_MS } = this.#options;
    return claimCommands(database, { ...options, leaseId: runtime.newId(), leaseMs });
  }

  /** @returns whether the command is answered, be it by a refusal */
  async #attempt(claimed: ClaimedCommand): Promise<boolean> {
    const { database, tellSale } = this.#options;
    try {
      await tellSale(claimed.eventId, claimed.version, claimed.command);
    } catch (error) {
      return this.#handleFailure(claimed, error);
    }
    await markDelivered(database, claimed);
    return true;
  }

  async #handleFailure(claimed: ClaimedCommand, error: unknown): Promise<boolean> {
    const { database, runtime, log, onCommit, random = Math.random } = this.#options;
    const { eventId, version, attempts, command } = claimed;
    const about = { error, eventId, version, kind: command.kind, attempts };
    if (isRefusal(error, "QUANTITY_BELOW_RESERVED") && lowersQuantity(command)) {
      await takeCommandBack({ database, newId: runtime.newId }, { ...claimed, command }, error);
      onCommit();
      log.info({ eventId, version }, "the sale refused a change, which was taken back");
      return true;
    }
    const refused = isDefinite(error);
    if (refused)
      log.error(about, "the sale refuses a command; it is kept, and tried again from time to time");
    else if (attempts === 1) log.warn(about, "the sale cannot be told; the command is kept and tried again");
    const { first, most } = refused ? BACKOFF.refused : BACKOFF.transient;
    const delayMs = Math.min(most, first * 2 ** Math.min(attempts - 1, 20));
    await postpone(database, claimed, Math.round(delayMs * (0.5 + random() / 2)));
    return false;
  }

  #track(work: Promise<unknown>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }
}

/** Whether the sale has decided, so that asking again soon will not help. */
function isDefinite(error: unknown): boolean {
  if (error instanceof BoxofficeError) {
    return !isRefusal(error, "DEPENDENCY_UNAVAILABLE", "OVERLOADED", "RATE_LIMITED");
  }
  return error instanceof ConnectError && DEFINITE_CODES.has(error.code);
}
