import type { RpcService } from "@boxoffice/platform/rpc/service.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import type { Random } from "../faults/random.ts";
import type { SimulatedConnection } from "./connection.ts";
import type { World } from "./world.ts";

/** A process of the box office: one incarnation of one replica of one service. */
export class Host {
  readonly service: string;
  readonly name: string;
  readonly connections: SimulatedConnection[] = [];
  services: readonly RpcService[] = [];
  /** Called when it is not needed any more. */
  close: () => void = () => {};
  isAlive = true;
  /** Its machine does nothing for a while. */
  isStalled = false;
  readonly #world: World;
  readonly #random: Random;
  readonly #skewMs: number;

  /** @param skewMs by how much its machine's clock is wrong */
  constructor(world: World, service: string, name: string, skewMs: number) {
    this.#world = world;
    this.#skewMs = skewMs;
    this.#random = world.random.fork(`ids of ${name}`);
    this.service = service;
    this.name = name;
  }

  /** Its time, ids and timers. @param kind what its sleeps are */
  runtime(kind: "timer" | "loop" = "timer"): Runtime {
    const { clock, scheduler } = this.#world;
    return {
      nowMs: () => clock.nowMs + this.#skewMs,
      newId: () => newId(clock.nowMs, this.#random),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted || !this.isAlive) return void (this.isAlive && resolve());
          const dueMs = clock.nowMs + ms;
          const take = () => {
            signal?.removeEventListener("abort", wake);
            resolve();
          };
          const remove = scheduler.add({ kind, host: this, label: `has slept ${ms} ms`, dueMs, take });
          const wake = () => {
            remove();
            if (this.isAlive) resolve();
          };
          signal?.addEventListener("abort", wake, { once: true });
        }),
    };
  }

  /** Runs a loop of the process. One that ends by itself is a fault. */
  loop(name: string, run: (signal: AbortSignal) => Promise<void>): void {
    run(NEVER).then(
      () => this.#world.violate(`the ${name} of ${this.name} has ended`),
      (error: unknown) => this.#world.violate(`the ${name} of ${this.name} has failed: ${String(error)}`),
    );
  }
}

const NEVER = new AbortController().signal;

/** A UUIDv7, from the seed. */
export function newId(nowMs: number, random: Random): string {
  const time = nowMs.toString(16).padStart(12, "0");
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => random.int(0, 15).toString(16)).join("");
  const variant = random.pick(["8", "9", "a", "b"]);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${variant}${hex(3)}-${hex(12)}`;
}
