import { History } from "../checker/history.ts";
import { Random } from "../faults/random.ts";
import type { Backends } from "./backends.ts";
import { Bank } from "./bank.ts";
import type { Clock } from "./clock.ts";
import { Faults } from "./faults.ts";
import { Host } from "./host.ts";
import { Judge } from "./judge.ts";
import { Network } from "./network.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { startPayment, startReservation } from "./replicas.ts";
import { Scheduler } from "./scheduler.ts";

/** By how much the clock of an application's host may be wrong. */
const MAX_SKEW_MS = 600_000;

/** How many replicas of each service there are. */
const REPLICAS = 2;

/** A box office in one process: two replicas of reservation and of payment, the provider, and everybody's time. */
export class World {
  readonly backends: Backends;
  readonly clock: Clock;
  readonly random: Random;
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly network: Network;
  readonly bank: Bank;
  readonly judge = new Judge(this);
  readonly history = new History();
  readonly hosts: Host[] = [];
  readonly violations: string[] = [];
  /** How often a statement had to wait for a lock. */
  waits = 0;
  #blocked = 0;
  #started = 0;

  constructor(seed: number, backends: Backends, clock: Clock) {
    this.backends = backends;
    this.clock = clock;
    this.random = new Random(seed);
    this.plan = drawPlan(this.random.fork("plan"));
    this.scheduler = new Scheduler(clock, this.random.fork("turns"));
    this.faults = new Faults(this.random.fork("faults"));
    this.network = new Network(this);
    this.bank = new Bank(this, this.plan.canLookUp);
    for (let replica = 0; replica < REPLICAS; replica++) {
      this.start("reservation");
      this.start("payment");
    }
  }

  violate(violation: string): void {
    this.violations.push(violation);
  }

  start(service: string): void {
    const skewMs = this.random.int(-MAX_SKEW_MS, MAX_SKEW_MS);
    const host = new Host(this, service, `${service} ${++this.#started}`, skewMs);
    this.hosts.push(host);
    if (service === "reservation") startReservation(this, host);
    else startPayment(this, host);
  }

  alive(service?: string): Host[] {
    return this.hosts.filter((host) => host.isAlive && (service === undefined || host.service === service));
  }

  /** The process that answers a call. */
  pick(service: string): Host | undefined {
    const alive = this.alive(service);
    return alive.length === 0 ? undefined : this.random.pick(alive);
  }

  /** As by `kill -9`: nothing of it goes on, and its transactions are undone. Another one is started in its place. */
  async kill(host: Host): Promise<void> {
    this.scheduler.note(`${host.name} is killed`);
    host.isAlive = false;
    this.scheduler.forget(host);
    for (const connection of host.connections) await connection.terminate();
    await this.untilQuiet();
    this.network.lost(host);
    const take = () => this.start(host.service);
    this.scheduler.add({ kind: "wish", label: `another ${host.service} starts`, take });
    await this.scheduler.rest();
  }

  /** Until every statement that was sent is answered or waits for a lock. */
  async untilQuiet(): Promise<void> {
    const blocked = await this.backends.quiet(this.random);
    if (blocked.length > this.#blocked) this.waits += blocked.length - this.#blocked;
    this.#blocked = blocked.length;
    if (blocked.length > 0) this.scheduler.note(`  waiting for locks: ${blocked.join(", ")}`);
  }

  /**
   * Moves the clock, though over the end of a hold only where nobody has read the sale's clock and not committed yet: a
   * read would say EXPIRED of what is paid a moment later, and decisions do take but a moment.
   */
  async moveClock(ms: number): Promise<void> {
    const isDeciding = this.alive().some(({ connections }) => connections.some((one) => one.isDeciding));
    if (!isDeciding) return this.clock.moveTo(ms);
    const rows = await this.backends.look<{ ms: string | null }>(NEXT_END);
    const endMs = Number(rows[0]?.ms ?? Number.POSITIVE_INFINITY);
    await this.clock.moveTo(Math.min(ms, endMs - 1));
  }

  /** Leaves nothing behind for the next. */
  async end(): Promise<void> {
    for (const host of this.hosts) {
      host.isAlive = false;
      for (const connection of host.connections) connection.end();
      host.close();
    }
    await this.scheduler.rest();
  }
}

const NEXT_END = `
  select (extract(epoch from min(expires_at)) * 1000)::bigint as ms
  from reservation.reservations where expires_at > reservation.clock()`;
