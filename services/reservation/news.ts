import type { Bus } from "@boxoffice/platform/bus.ts";

/** Below the bus's news: who hears it looks again. It carries no numbers, which could arrive in another order. */
const TOPIC = "availability.";

/** Of one event, news is told at most this often, in milliseconds. */
const TELL_EVERY_MS = 50;

/**
 * Tells whoever keeps an event's availability that it has changed. The first change is told at once; those that
 * follow within {@link TELL_EVERY_MS} are told together at its end, so that the last one always is.
 */
export class AvailabilityNews {
  readonly #bus: Pick<Bus, "tell" | "hear">;
  /** Events told of a moment ago, and whether they have changed since. */
  readonly #resting = new Map<string, boolean>();

  constructor(bus: Pick<Bus, "tell" | "hear">) {
    this.#bus = bus;
  }

  /** To be called after the commit: whoever hears it must find the change. */
  changed(eventId: string): void {
    if (this.#resting.has(eventId)) this.#resting.set(eventId, true);
    else this.#tell(eventId);
  }

  /** What every replica tells, this one too. */
  hear(handle: (eventId: string) => void, signal: AbortSignal): void {
    this.#bus.hear(`${TOPIC}*`, (subject) => handle(subject.slice(TOPIC.length)), signal);
  }

  #tell(eventId: string): void {
    this.#bus.tell(`${TOPIC}${eventId}`);
    this.#resting.set(eventId, false);
    setTimeout(() => {
      const hasChanged = this.#resting.get(eventId);
      this.#resting.delete(eventId);
      if (hasChanged) this.#tell(eventId);
    }, TELL_EVERY_MS).unref();
  }
}
