import { announcementViolations } from "../../checker/announced.ts";
import { RESERVATION_RULES, type Rule } from "../../checker/check.ts";
import { paymentRules } from "../../checker/payments.ts";
import { rowViolations } from "../../checker/rows.ts";
import { stockViolations } from "../../checker/stock.ts";
import type { Random } from "../../faults/random.ts";
import { settle } from "../payment/world.ts";
import { check, type Proof, type Property, type Size } from "../property.ts";
import { untilExact } from "../statistics/world.ts";
import { Http1Connection } from "./http1.ts";
import { Http2Connection } from "./http2.ts";
import { drawRequest, type Protocol, protocolsOf, type Target } from "./inputs.ts";
import { judge } from "./judge.ts";
import { behave, type Welcome } from "./neighbours.ts";
import { type Door, describeRequest, type HostileAnswer, type HostileRequest } from "./request.ts";
import { drawStranger } from "./strangers.ts";
import { openWorld, statisticsOf, type World } from "./world.ts";

const INPUTS = { full: 1_000_000, short: 800 };

/** How many hostile clients there are at a time. */
const WIDTH = { full: 48, short: 8 };

/** After so many inputs there is something new to attack. */
const RENEW_EVERY = 20_000;

/** What a process may take at most, in MiB: that it does not grow with what is sent to it. */
const MAX_MEMORY_MIB = 1_024;

const VIOLATIONS_KEPT = 500;

/** Every method on every port, by each protocol that is spoken there, with input that nobody should send. */
export const hostileInput: Property = {
  name: "hostile-input",
  says: "mutated messages, envelopes, headers and bytes at every method on every port: no process ends, only declared errors, nothing told of the inside, honest clients unharmed, the books exact",
  async prove(proof) {
    const { office, random, size } = proof;
    const world = await openWorld(office);
    await world.renew();
    const over = new AbortController();
    const behaving = behave(office, world, random.fork("honest"), over.signal);
    const attack = new Attack(world, random, size);
    try {
      await attack.run();
    } finally {
      over.abort();
    }
    const welcome = await behaving;
    const memory = await memoryOf(world);
    return {
      counts: {
        inputs: attack.sent,
        methods: new Set(world.targets.map(({ method }) => method)).size,
        "methods at doors by protocols": attack.kinds.size,
        ...attack.summary(),
        "slowest answer in ms": Math.round(attack.slowestMs),
        "honest calls": welcome.calls,
        "slowest of them in ms": Math.round(welcome.slowestMs),
        "most memory in MiB": Math.max(...memory.values()),
      },
      violations: [
        ...attack.violations,
        ...welcomeViolations(welcome),
        ...memoryViolations(memory),
        ...(await booksViolations(proof, world)),
      ],
    };
  },
};

class Attack {
  sent = 0;
  slowestMs = 0;
  readonly violations: string[] = [];
  /** Each method at a door by a protocol that something was sent to. */
  readonly kinds = new Set<string>();
  readonly #world: World;
  readonly #random: Random;
  readonly #size: Size;
  readonly #inputs: number;
  readonly #words = new Map<string, number>();
  readonly #ways: readonly Way[][];
  readonly #startedAtMs = performance.now();
  #next = 0;
  #renewed = 1;
  #told = 0;
  #renewing: Promise<void> = Promise.resolve();

  constructor(world: World, random: Random, size: Size) {
    this.#world = world;
    this.#random = random;
    this.#size = size;
    this.#inputs = INPUTS[size];
    const ways = world.targets.flatMap((target) =>
      protocolsOf(target).map((protocol) => ({ target, protocol })),
    );
    this.#ways = [
      ways.filter(({ target }) => target.isGateway),
      ways.filter(({ target }) => !target.isGateway),
    ];
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: WIDTH[this.#size] }, () => this.#attack()));
    await this.#renewing;
  }

  /** The words that answers came to, the most frequent ones first. */
  summary(): Record<string, number> {
    const words = [...this.#words].sort(([, one], [, other]) => other - one).slice(0, 8);
    return Object.fromEntries(words);
  }

  /** One hostile client, who keeps a connection of each kind to each door for as long as he is let. */
  async #attack(): Promise<void> {
    const connections = new Map<string, Http1Connection | Http2Connection>();
    const connectionTo = (door: Door, version: 1 | 2) => {
      const key = `${door.name} ${version}`;
      const known =
        connections.get(key) ?? (version === 1 ? new Http1Connection(door) : new Http2Connection(door));
      connections.set(key, known);
      return known;
    };
    while (this.#next < this.#inputs) {
      const index = this.#next++;
      this.#renewInTime(index);
      const request = this.#draw(this.#random.fork(`input ${index}`), index);
      const startedAtMs = performance.now();
      const answer = await connectionTo(request.door, request.version).exchange(request);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAtMs);
      this.sent++;
      this.#note(index, request, answer);
    }
    for (const connection of connections.values()) connection.close();
  }

  #draw(random: Random, index: number): HostileRequest {
    const { doors, wrongTokens } = this.#world;
    if (random.chance(0.03)) return drawStranger(random.pick(doors), random);
    const [gateway = [], services = []] = this.#ways;
    const ways = random.chance(0.6) ? gateway : services;
    // At first each of them in turn, so that none is left out.
    const way = (index < 2 * ways.length ? ways[index % ways.length] : random.pick(ways)) as Way;
    if (HEAVY.test(way.target.method.name) && random.chance(0.98))
      return this.#draw(random.fork("lighter"), this.#inputs);
    this.kinds.add(
      `${way.target.door.name} ${way.target.method.parent.typeName}/${way.target.method.name} ${way.protocol}`,
    );
    return drawRequest(way.target, way.protocol, random, wrongTokens);
  }

  #note(index: number, request: HostileRequest, answer: HostileAnswer): void {
    const { word, faults } = judge(request, answer);
    this.#words.set(word, (this.#words.get(word) ?? 0) + 1);
    for (const fault of faults) {
      if (this.violations.length < VIOLATIONS_KEPT)
        this.violations.push(`input ${index}: ${fault}: ${describeRequest(request)}`);
    }
  }

  /** A long run is looked after by somebody, who should not have to wait for its end. */
  #tellProgress(): void {
    const minutes = (performance.now() - this.#startedAtMs) / 60_000;
    console.error(`  ${this.sent} inputs in ${minutes.toFixed(1)} min, ${this.violations.length} violations`);
    for (const violation of this.violations.slice(this.#told)) console.error(`    ${violation}`);
    this.#told = this.violations.length;
  }

  #renewInTime(index: number): void {
    if (index < this.#renewed * RENEW_EVERY) return;
    this.#renewed++;
    this.#tellProgress();
    this.#renewing = this.#renewing.then(() => this.#world.renew());
  }
}

type Way = { target: Target; protocol: Protocol };

/** What counts everything again is not asked for all the time. */
const HEAVY = /^(RebuildStats|VerifyStats)$/;

function welcomeViolations({ calls, failures }: Welcome): string[] {
  return calls === 0 ? ["no honest client was there"] : failures;
}

/** The memory that each process has taken, in MiB, by its name. */
async function memoryOf({ replicas }: World): Promise<Map<string, number>> {
  const memory = new Map<string, number>();
  for (const [name, { process }] of Object.entries(replicas)) {
    const { readyWhen } = process.spec;
    if (!("ok" in readyWhen)) continue;
    const metrics = await (await fetch(readyWhen.ok.replace("readyz", "metrics"))).text();
    const bytes = /^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1];
    memory.set(name, Math.round(Number(bytes) / 2 ** 20));
  }
  return memory;
}

function memoryViolations(memory: ReadonlyMap<string, number>): string[] {
  return [...memory]
    .filter(([, mebibytes]) => !(mebibytes <= MAX_MEMORY_MIB))
    .map(([name, mebibytes]) => `${name} has taken ${mebibytes} MiB`);
}

/** What holds for events whose buyers nobody has written down. */
const BOOK_RULES: readonly Rule[] = [
  ({ books }) => stockViolations(books),
  ({ books }) => rowViolations(books),
  ({ books }) => announcementViolations(books),
];

/** Whether the books of reservation, payment, provider and statistics are exact, of honest and of attacked events. */
async function booksViolations(proof: Proof, world: World): Promise<string[]> {
  const { office } = proof;
  const honest = world.honest.map(({ eventId }) => eventId);
  const settled = await settle(proof);
  const statistics = await statisticsOf(office, world);
  const exact = await untilExact({ office, statistics }, [...honest, ...world.attacked]);
  return [
    ...settled.violations,
    ...(await check(proof, honest, RESERVATION_RULES)),
    ...(await check(proof, [...honest, ...world.attacked], [...BOOK_RULES, ...paymentRules(world.ledger)])),
    ...(await check(proof, world.attackedByServices, BOOK_RULES)),
    ...exact.violations,
  ];
}
