/**
 * Breaks whatever can break while buyers buy, and looks after each fault whether anything is wrong:
 *
 *   npm run chaos -- --seed 4711 --only kills
 *
 * Ends with 1 where anything was.
 */
import { parseArgs } from "node:util";
import { Random } from "../faults/random.ts";
import type { Size } from "../proof/property.ts";
import type { Fault } from "./fault.ts";
import { FAULTS } from "./faults.ts";
import { isBroken, tableOf, wrongIn } from "./report.ts";
import { type Finding, tryFault } from "./run.ts";
import { closeSite, openSite, type Site } from "./site.ts";

const HELP = `npm run chaos -- [options]

Breaks whatever can break while buyers buy: two copies of each process behind a proxy, with a PostgreSQL, a nats-server
and a payment company of its own. After each fault the checker compares what buyers were told with all the books.

  --seed N      draws the same buyers and moments again; a new seed unless given
  --only NAME   tries this fault only; may be given several times
  --rate N      buyers per second, where a machine is slow, or busy with other things
  --short       a few seconds of each
  --json        prints the findings as JSON, and all else to stderr
  --list        names the faults
  --help        shows this`;

type Options = {
  seed: number;
  faults: readonly Fault[];
  size: Size;
  json: boolean;
  perSecond: number | undefined;
};

const options = readOptions();
if (options !== undefined) process.exitCode = await run(options);

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      only: { type: "string", multiple: true },
      rate: { type: "string" },
      short: { type: "boolean" },
      json: { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return tell(HELP);
  if (values.list) return tell(FAULTS.map(listed).join("\n"));
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
  if (!Number.isInteger(seed)) return refuse(`--seed takes a whole number, and not "${values.seed}".`);
  const unknown = values.only?.find((wanted) => !FAULTS.some(({ name }) => name === wanted));
  if (unknown !== undefined) return refuse(`There is no fault "${unknown}": see --list.`);
  const perSecond = values.rate === undefined ? undefined : Number(values.rate);
  if (perSecond !== undefined && !(perSecond > 0))
    return refuse(`--rate takes buyers per second, and not "${values.rate}".`);
  const faults = FAULTS.filter(({ name }) => values.only?.includes(name) ?? true);
  return { seed, faults, size: values.short ? "short" : "full", json: values.json ?? false, perSecond };
}

function listed({ name, does, needs }: Fault): string {
  return `${name}: ${does}${needs === undefined ? "" : ` (takes ${needs}, and so root)`}`;
}

function tell(text: string): undefined {
  console.log(text);
}

function refuse(text: string): undefined {
  console.error(`${text} (--help tells more)`);
  process.exitCode = 2;
}

/** @returns the exit code */
async function run({ seed, faults, size, json, perSecond }: Options): Promise<number> {
  const say = json ? console.error : console.log;
  say(`chaos, seed ${seed} (repeat with --seed ${seed})`);
  const random = new Random(seed);
  const site = await openSite(random.fork("site"));
  const findings: Finding[] = [];
  const stopOnSignal = () => {
    say(tableOf(findings));
    void closeSite(site).finally(() => process.exit(130));
  };
  process.once("SIGINT", stopOnSignal).once("SIGTERM", stopOnSignal);
  const { kind } = site.network;
  const { proxy } = site.arrangement;
  say(`two copies of each process, in ${kind}, behind ${proxy}`);
  try {
    for (const fault of faults) {
      const trial = { site, random: random.fork(fault.name), size, perSecond };
      const finding = await tryFault(fault, trial).catch((error) => failed(fault, error));
      findings.push(finding);
      say([sentenceOf(finding), ...wrongIn(finding)].join("\n  "));
      await makeWhole(site);
    }
  } finally {
    await closeSite(site);
  }
  const broken = findings.filter(isBroken).length;
  if (json) console.log(JSON.stringify({ seed, size, network: kind, proxy, findings }, null, 2));
  say(tableOf(findings));
  say(`${faults.length} faults: ${broken === 0 ? "all survived" : `${broken} not survived`} (seed ${seed})`);
  return broken === 0 ? 0 : 1;
}

/** Whatever a fault left behind when it could not be carried out. */
async function makeWhole({ processes, network }: Site): Promise<void> {
  network.heal();
  for (const process of processes.values()) if (!process.isRunning) await process.start();
}

function failed({ name, does }: Fault, error: unknown): Finding {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const violations = [`the fault could not be carried out: ${text}`];
  const none = { counts: {}, died: [], backMs: null, isBusy: false, late: [], errors: {}, seconds: 0 };
  return { name, does, violations, ...none };
}

function sentenceOf(finding: Finding): string {
  const { name, does, skipped, violations, died, late, seconds } = finding;
  if (skipped !== undefined) return `skipped   ${name}: ${skipped}`;
  const wrong = violations.length + died.length + late.length;
  return `${wrong === 0 ? "survived" : "BROKEN  "}  ${name}: ${does} (${seconds} s)`;
}
