import { setImmediate as nextRound } from "node:timers/promises";
import type { Random } from "../faults/random.ts";
import type { Clock } from "./clock.ts";
import type { Host } from "./host.ts";

/**
 * What waits for its turn: a statement on its way to the database, an answer on its way back, a call between
 * services, a wish of somebody outside, the provider, a timer of a call or payment, and the timer of a loop.
 */
export type TurnKind = "statement" | "answer" | "call" | "wish" | "provider" | "timer" | "loop";

export type Turn = {
  kind: TurnKind;
  /** What it is, for the trace. */
  label: string;
  /** The process that goes on with it; where that has died, nobody does. */
  host?: Host;
  /** Of a timer: not before. */
  dueMs?: number;
  take(): void | Promise<void>;
};

/** How often each kind is chosen, against the others. Timers are late more often than not, as on a busy host. */
const WEIGHTS: Record<TurnKind, number> = {
  statement: 10,
  answer: 10,
  call: 10,
  wish: 5,
  provider: 6,
  timer: 3,
  loop: 0.7,
};

/** Promises and immediates that follow from a turn are over after so many rounds of the event loop. */
const ROUNDS = 4;

/** Everything that may happen next, of which one thing at a time does: the one that the seed says. */
export class Scheduler {
  readonly trace: string[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #waiting = new Set<Turn>();
  readonly #opening: (() => Promise<void>)[] = [];

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Keeps something waiting for its turn. @returns what takes it back */
  add(turn: Turn): () => void {
    if (turn.host?.isAlive !== false) this.#waiting.add(turn);
    return () => void this.#waiting.delete(turn);
  }

  /** Resolves when it is its turn. */
  turn(turn: Omit<Turn, "take">): Promise<void> {
    return new Promise((take) => void this.add({ ...turn, take }));
  }

  /** Does something at once, in the order of asking, before anything gets its turn. */
  beforeNext(work: () => Promise<void>): void {
    this.#opening.push(work);
  }

  /** A process has died: what it waited for never comes. */
  forget(host: Host): void {
    for (const turn of this.#waiting) if (turn.host === host) this.#waiting.delete(turn);
  }

  note(line: string): void {
    this.trace.push(`${this.#clock.sinceStartMs} ${line}`);
  }

  /** Waits until nothing happens any more by itself. */
  async rest(): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      await nextRound();
      for (let work = this.#opening.shift(); work !== undefined; work = this.#opening.shift()) {
        await work();
        round = -1;
      }
    }
  }

  /** What may be chosen now. */
  ready(isWanted: (turn: Turn) => boolean = () => true): Turn[] {
    const nowMs = this.#clock.nowMs;
    return [...this.#waiting].filter(
      (turn) => (turn.dueMs ?? 0) <= nowMs && !turn.host?.isStalled && isWanted(turn),
    );
  }

  /** When the first timer is due that is not yet. */
  nextTimerMs(isWanted: (turn: Turn) => boolean = () => true): number | undefined {
    const later = [...this.#waiting].filter(
      (turn) => isWanted(turn) && (turn.dueMs ?? 0) > this.#clock.nowMs,
    );
    return later.length === 0 ? undefined : Math.min(...later.map(({ dueMs }) => dueMs ?? 0));
  }

  choose(turns: readonly Turn[]): Turn | undefined {
    const total = turns.reduce((sum, { kind }) => sum + WEIGHTS[kind], 0);
    let left = this.#random.next() * total;
    for (const turn of turns) {
      left -= WEIGHTS[turn.kind];
      if (left < 0) return turn;
    }
    return turns.at(-1);
  }

  /** Lets it happen, and whatever follows from it. */
  async take(turn: Turn): Promise<void> {
    this.#waiting.delete(turn);
    this.note(turn.host === undefined ? turn.label : `${turn.host.name}: ${turn.label}`);
    await turn.take();
    await this.rest();
  }
}
