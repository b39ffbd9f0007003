import { setTimeout as delay } from "node:timers/promises";
import { type Connection, LOST, type PreparedStep } from "./connection.ts";
import { GrpcConnection, prepareGrpc } from "./grpc-connection.ts";
import { HttpConnection, prepareHttp } from "./http-connection.ts";
import { Latencies } from "./latencies.ts";
import type { LoadResult, LoadSpec } from "./spec.ts";

const REOPEN_AFTER_MS = 20;

/** How long answers may still come in after the last request. */
const LAST_ANSWERS_MS = 5_000;

/** How often arrivals are looked at. */
const TICK_MS = 1;

/**
 * Sends what `spec` says. Closed loop: every connection always has so many requests in flight. Open loop: requests
 * arrive at random moments, whatever became of those before, and their time is taken from when they should have
 * left, so that a server which stops answering is not spared the requests that wait for it.
 */
export async function drive(spec: LoadSpec, onStart: () => void): Promise<LoadResult> {
  const generator = new Generator(spec);
  await generator.open();
  onStart();
  await generator.run();
  return generator.close();
}

type Slot = { connection: Connection };

class Generator {
  readonly #spec: LoadSpec;
  readonly #journeys: PreparedStep[][];
  readonly #connections: Connection[] = [];
  #idle: Slot[] = [];
  /** When the journeys that wait for a slot should have begun, and how many of them have since. */
  readonly #waiting: number[] = [];
  #served = 0;
  readonly #latencies = new Latencies();
  readonly #refused: Record<string, number> = {};
  #begun = 0;
  #underWay = 0;
  #lost = 0;
  #countFromMs = 0;
  #endAtMs = 0;
  #isOver = false;

  constructor(spec: LoadSpec) {
    const { protocol, host, port, journeys } = spec;
    const prepare = protocol === "grpc" ? prepareGrpc : prepareHttp;
    this.#spec = spec;
    this.#journeys = journeys.map((steps) => steps.map((step) => prepare(step, host, port)));
  }

  async open(): Promise<void> {
    const { connections, perConnection } = this.#spec;
    for (let index = 0; index < connections; index++) this.#connections.push(this.#newConnection());
    await Promise.all(this.#connections.map((connection) => connection.open()));
    for (let index = 0; index < perConnection; index++) {
      for (const connection of this.#connections) this.#idle.push({ connection });
    }
  }

  async run(): Promise<void> {
    const { seconds, countFrom, ratePerSecond } = this.#spec;
    const startMs = performance.now();
    this.#countFromMs = startMs + 1_000 * countFrom;
    this.#endAtMs = startMs + 1_000 * seconds;
    if (ratePerSecond === undefined) {
      for (const slot of this.#idle.splice(0)) this.#repeat(slot);
      this.#flush();
      await delay(1_000 * seconds);
    } else await this.#arrive(startMs, ratePerSecond);
    this.#isOver = true;
    const deadlineMs = performance.now() + LAST_ANSWERS_MS;
    while (this.#underWay > 0 && performance.now() < deadlineMs) await delay(TICK_MS);
  }

  close(): LoadResult {
    for (const connection of this.#connections) connection.close();
    return {
      begun: this.#begun,
      completed: this.#latencies.count,
      refused: this.#refused,
      lost: this.#lost,
      latencyMs: this.#latencies.summary(),
    };
  }

  async #arrive(startMs: number, ratePerSecond: number): Promise<void> {
    const gapMs = 1_000 / ratePerSecond;
    let nextMs = startMs;
    while (nextMs < this.#endAtMs) {
      const nowMs = performance.now();
      for (; nextMs <= nowMs; nextMs += -Math.log(1 - Math.random()) * gapMs) {
        this.#underWay++;
        if (this.#counts(nextMs)) this.#begun++;
        const slot = this.#idle.pop();
        if (slot === undefined) this.#waiting.push(nextMs);
        else this.#begin(slot, nextMs);
      }
      this.#flush();
      await delay(TICK_MS);
    }
  }

  /** @param intendedMs when it should begin, which is when its time begins */
  #begin(slot: Slot, intendedMs: number): void {
    const steps = this.#journeys[Math.floor(Math.random() * this.#journeys.length)];
    if (steps === undefined) throw new Error("there is at least one journey");
    this.#step(slot, steps, 0, intendedMs, undefined);
  }

  #step(slot: Slot, steps: PreparedStep[], index: number, beganMs: number, id: string | undefined): void {
    const step = steps[index];
    if (step === undefined) {
      if (this.#counts(beganMs)) this.#latencies.add(performance.now() - beganMs);
      this.#underWay--;
      this.#next(slot);
      return;
    }
    slot.connection.send(step, id, (refusal, body) => {
      if (refusal === undefined) {
        const named = index + 1 < steps.length && body ? reservationIn(body) : undefined;
        this.#step(slot, steps, index + 1, beganMs, id ?? named);
        return;
      }
      if (this.#counts(beganMs)) this.#refused[refusal] = (this.#refused[refusal] ?? 0) + 1;
      this.#underWay--;
      if (refusal !== LOST) this.#next(slot);
    });
  }

  /** The slot is free again. Who has arrived is served also when no more arrive. */
  #next(slot: Slot): void {
    if (this.#spec.ratePerSecond === undefined) {
      if (!this.#isOver) this.#repeat(slot);
      return;
    }
    const intendedMs = this.#waiting[this.#served];
    if (intendedMs === undefined) this.#idle.push(slot);
    else {
      this.#served++;
      this.#begin(slot, intendedMs);
    }
  }

  #repeat(slot: Slot): void {
    const nowMs = performance.now();
    this.#underWay++;
    if (this.#counts(nowMs)) this.#begun++;
    this.#begin(slot, nowMs);
  }

  #counts(beganMs: number): boolean {
    return beganMs >= this.#countFromMs && beganMs < this.#endAtMs;
  }

  #flush(): void {
    for (const connection of this.#connections) connection.flush();
  }

  /** One that breaks is opened again, and its slots go on. */
  #newConnection(): Connection {
    const { protocol, host, port, perConnection } = this.#spec;
    const reopen = async (): Promise<void> => {
      while (!this.#isOver) {
        await delay(REOPEN_AFTER_MS);
        const isOpen = await connection.open().then(
          () => true,
          () => false,
        );
        if (!isOpen) continue;
        for (let index = 0; index < perConnection; index++) this.#next({ connection });
        connection.flush();
        return;
      }
    };
    const onLost = () => {
      if (this.#isOver) return;
      this.#lost++;
      this.#idle = this.#idle.filter((slot) => slot.connection !== connection);
      void reopen();
    };
    const connection =
      protocol === "grpc" ? new GrpcConnection(host, port, onLost) : new HttpConnection(host, port, onLost);
    return connection;
  }
}

/** The id of the reservation in an answer's JSON. */
function reservationIn(body: Buffer): string | undefined {
  const key = '"reservationId":"';
  const at = body.indexOf(key);
  return at < 0 ? undefined : body.toString("latin1", at + key.length, at + key.length + 36);
}
