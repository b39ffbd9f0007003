import type { ServerResponse } from "node:http";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { ConnectError } from "@connectrpc/connect";
import { timeIsOver } from "../call.ts";
import { endOf, type Speech } from "../speech.ts";
import type { Viewer } from "./feeds.ts";
import type { Snapshot } from "./snapshot.ts";

export type HttpViewerOptions = {
  /** An answer whose head is written. */
  response: ServerResponse;
  speech: Speech;
  authorization: string | undefined;
  /** Rejects when they may not watch any longer. */
  recheck(): Promise<void>;
  /** How long they want to watch at most, in milliseconds. */
  timeoutMs: number | undefined;
  /** The error as the client gets it. */
  toShown(error: unknown): ConnectError;
};

/** How long it may take until there is something to show, in milliseconds. */
const FIRST_WITHIN_MS = 10_000;

/** A viewer who takes nothing for this long is cut off, in milliseconds. */
const STALL_MS = 30_000;

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** A viewer at the other end of a stream of HTTP, by Connect's protocol or gRPC-Web's. */
export class HttpViewer implements Viewer {
  readonly authorization: string | undefined;
  readonly #options: HttpViewerOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Set while the connection has not taken what it was given: then only the newest is kept for it. */
  #stalled: NodeJS.Timeout | undefined;
  #newest: Snapshot | undefined;
  #shown: Snapshot | undefined;
  #isOver = false;

  constructor(options: HttpViewerOptions) {
    this.#options = options;
    this.authorization = options.authorization;
    const { timeoutMs, response } = options;
    this.#timers.push(setTimeout(() => this.#shown || this.end(nothingToShow()), FIRST_WITHIN_MS));
    if (timeoutMs !== undefined) {
      this.#timers.push(setTimeout(() => this.end(timeIsOver()), Math.min(timeoutMs, MAX_TIMEOUT_MS)));
    }
    response.once("close", () => this.#over());
  }

  recheck(): Promise<void> {
    return this.#options.recheck();
  }

  show(snapshot: Snapshot): void {
    if (this.#isOver || snapshot === this.#shown) return;
    this.#shown = snapshot;
    if (this.#stalled === undefined) this.#write(snapshot.frame(this.#options.speech.codec));
    else this.#newest = snapshot;
  }

  end(error?: unknown): void {
    if (this.#isOver) return;
    this.#over();
    const { response, speech, toShown } = this.#options;
    response.end(endOf(speech.protocol, error === undefined ? undefined : toShown(error)));
  }

  #write(frame: Buffer): void {
    const { response } = this.#options;
    if (response.write(frame)) return;
    this.#stalled = setTimeout(() => response.destroy(), STALL_MS);
    response.once("drain", () => {
      clearTimeout(this.#stalled);
      this.#stalled = undefined;
      const newest = this.#newest;
      this.#newest = undefined;
      if (newest !== undefined) this.#write(newest.frame(this.#options.speech.codec));
    });
  }

  #over(): void {
    this.#isOver = true;
    clearTimeout(this.#stalled);
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

function nothingToShow(): BoxofficeError {
  const message = "The service does not answer at the moment. Try again shortly.";
  return new BoxofficeError("DEPENDENCY_UNAVAILABLE", message, { retryAfterMs: 1_000 });
}
