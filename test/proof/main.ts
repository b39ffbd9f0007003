/**
 * Proves what the box office promises, in full, on a PostgreSQL, a nats-server, ports and keys of its own:
 *
 *   npm run proof -- reservation
 *
 * Prints a line per property, with how much was tried, and what was wrong; ends with 1 where anything was.
 */
import { parseArgs } from "node:util";
import { FaultBoxOffice } from "../faults/box-office.ts";
import { Random } from "../faults/random.ts";
import { startServers } from "../support/start-servers.ts";
import { AREAS } from "./areas.ts";
import { type Finding, type Property, prove, type Size } from "./property.ts";

const VIOLATIONS_SHOWN = 20;

const HELP = `npm run proof -- AREA [options]

Proves what the box office promises, with real processes on a PostgreSQL and a nats-server of its own.

Areas: ${Object.keys(AREAS).join(", ")}

  --seed N      draws the same schedule again; a new seed unless given
  --only NAME   proves this property only; may be given several times
  --short       in the size in which every test run proves it
  --list        names the properties of the area
  --help        shows this`;

const options = readOptions();
if (options !== undefined) process.exitCode = await run(options);

type Options = { area: string; seed: number; properties: readonly Property[]; size: Size };

function readOptions(): Options | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      only: { type: "string", multiple: true },
      short: { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return tell(HELP);
  const [name = "", ...rest] = positionals;
  const area = AREAS[name];
  if (area === undefined || rest.length > 0)
    return refuse(`Name one area of ${Object.keys(AREAS).join(", ")}.`);
  if (values.list) return tell(area.properties.map((one) => `${one.name}: ${one.says}`).join("\n"));
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
  if (!Number.isInteger(seed)) return refuse(`--seed takes a whole number, and not "${values.seed}".`);
  const unknown = values.only?.find((wanted) => !area.properties.some((one) => one.name === wanted));
  if (unknown !== undefined) return refuse(`${name} has no property "${unknown}": see --list.`);
  const properties = area.properties.filter((one) => values.only?.includes(one.name) ?? true);
  return { area: name, seed, properties, size: values.short ? "short" : "full" };
}

function tell(text: string): undefined {
  console.log(text);
}

function refuse(text: string): undefined {
  console.error(`${text} (--help tells more)`);
  process.exitCode = 2;
}

/** @returns the exit code */
async function run({ area, seed, properties, size }: Options): Promise<number> {
  console.log(`proof of ${area}, seed ${seed} (repeat with --seed ${seed})`);
  const servers = await startServers();
  const stopOnSignal = () => void servers.stop().then(() => process.exit(130));
  process.once("SIGINT", stopOnSignal).once("SIGTERM", stopOnSignal);
  let broken = 0;
  try {
    const office = await FaultBoxOffice.open(servers, AREAS[area]?.services);
    try {
      for (const property of properties) {
        const startedAtMs = performance.now();
        const random = new Random(seed).fork(property.name);
        const finding = await prove(property, { office, random, size }).catch(failed);
        show(property, finding, performance.now() - startedAtMs);
        if (finding.violations.length > 0) broken++;
      }
    } finally {
      await office.end();
    }
  } finally {
    await servers.stop();
  }
  const verdict = broken === 0 ? "all hold" : `${broken} broken`;
  console.log(`${properties.length} properties: ${verdict} (seed ${seed})`);
  return broken === 0 ? 0 : 1;
}

function failed(error: unknown): Finding {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { counts: {}, violations: [`the proof could not be carried out: ${text}`] };
}

function show({ name, says }: Property, { counts, violations, notes = [] }: Finding, tookMs: number): void {
  const figures = Object.entries(counts).map(([what, count]) => `${what} ${count.toLocaleString("en")}`);
  const verdict = violations.length === 0 ? "holds " : "BROKEN";
  const facts = [...figures, `violations ${violations.length}`, `${(tookMs / 1000).toFixed(1)} s`];
  console.log(`${verdict}  ${name.padEnd(16)} ${says}: ${facts.join(", ")}`);
  for (const note of notes) console.log(`        ${note}`);
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN)) console.log(`        ${violation}`);
  const more = violations.length - VIOLATIONS_SHOWN;
  if (more > 0) console.log(`        and ${more} more`);
}
