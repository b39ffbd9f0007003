import type { Random } from "../faults/random.ts";
import type { ConnectionFault } from "./connection.ts";

export type CallFault = "not sent" | "request lost" | "answer lost";

/** How long a call may take at most where it is slow: longer than anybody waits for it. */
const SLOWEST_MS = 60_000;

/** Chances of what goes wrong, each time that it could. */
const CHANCES = {
  slowAnswer: 0.12,
  lostCommit: 0.02,
  lostConnection: 0.004,
  lostCall: 0.05,
  slowCall: 0.05,
  provider: 0.04,
};

/** What goes wrong, by the seed, until all is to be well. */
export class Faults {
  /** Commits of which nobody was told. */
  lostCommits = 0;
  readonly #random: Random;
  #isOver = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** From now on nothing goes wrong any more. */
  end(): void {
    this.#isOver = true;
  }

  isAnswerSlow(): boolean {
    return this.#happens(CHANCES.slowAnswer);
  }

  ofConnection(statement: string): ConnectionFault | undefined {
    if (statement === "commit" && this.#happens(CHANCES.lostCommit)) {
      this.lostCommits++;
      return "lost after";
    }
    if (!this.#happens(CHANCES.lostConnection)) return undefined;
    return this.#random.pick(["lost before", "lost after"]);
  }

  ofCall(): CallFault | undefined {
    if (!this.#happens(CHANCES.lostCall)) return undefined;
    return this.#random.pick(["not sent", "request lost", "answer lost"]);
  }

  /** How long a call is on its way, at least. */
  callDelayMs(): number {
    return this.#happens(CHANCES.slowCall) ? this.#random.int(1, SLOWEST_MS) : 0;
  }

  ofProvider(): boolean {
    return this.#happens(CHANCES.provider);
  }

  #happens(chance: number): boolean {
    return !this.#isOver && this.#random.chance(chance);
  }
}
