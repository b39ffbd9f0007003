export type OverloadOptions = {
  /** Requests that may be under way at a time to each service; waiting longer would make everybody late. */
  maxInFlight: number;
};

/** How often it is looked how late this process is. */
const LOOK_EVERY_MS = 20;

/**
 * A process that comes round later than this has more to do than it can, unless it has little to do: then the machine
 * is busy with something else, and refusing would help nobody.
 */
const LATE_MS = 150;
const LITTLE = 100;

/** By how much the part of requests that is refused grows while it is late, and shrinks while it is not. */
const GROW = 0.1;
const SHRINK = 0.02;
const MAX_SHARE = 0.95;

/**
 * Refuses requests before they cost much, when there are more than can be served: a service that has too many under
 * way already, or a process that comes round too late. Those that are let in are then answered in good time.
 */
export class Overload {
  readonly #options: OverloadOptions;
  readonly #byService = new Map<string, number>();
  /** How many requests are under way. */
  inFlight = 0;
  readonly #looking: NodeJS.Timeout;
  #lookedAtMs = performance.now();
  /** The part of requests that is refused, and how much of one is due. */
  #share = 0;
  #due = 0;

  constructor(options: OverloadOptions) {
    this.#options = options;
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** @returns what ends it, to be called once; undefined where the request is to be refused */
  enter(service: string): (() => void) | undefined {
    const before = this.#byService.get(service) ?? 0;
    if (before >= this.#options.maxInFlight || this.#isDue()) return undefined;
    this.#byService.set(service, before + 1);
    this.inFlight++;
    return () => {
      this.#byService.set(service, (this.#byService.get(service) ?? 0) - 1);
      this.inFlight--;
    };
  }

  /** Takes note of how late the process was, in milliseconds. */
  note(lateMs: number): void {
    const share = lateMs > LATE_MS ? this.#share + GROW : this.#share - SHRINK;
    this.#share = Math.min(MAX_SHARE, Math.max(0, share));
  }

  close(): void {
    clearInterval(this.#looking);
  }

  #isDue(): boolean {
    if (this.inFlight < LITTLE) return false;
    this.#due += this.#share;
    if (this.#due < 1) return false;
    this.#due -= 1;
    return true;
  }

  #look(): void {
    const nowMs = performance.now();
    this.note(nowMs - this.#lookedAtMs - LOOK_EVERY_MS);
    this.#lookedAtMs = nowMs;
  }
}
