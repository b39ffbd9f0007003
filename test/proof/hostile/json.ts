import type { Random } from "../../faults/random.ts";
import type { JsonTree } from "./sample.ts";
import { hostileNumber, hostileText, MILLION, Raw } from "./values.ts";

/** An object of JSON whose keys may come twice. */
class Pairs {
  readonly pairs: [string, unknown][];

  constructor(pairs: [string, unknown][]) {
    this.pairs = pairs;
  }
}

/** Breaks a message in one to three places, and then perhaps the text that it is written as. */
export function mutateJson(tree: JsonTree, random: Random): Buffer {
  let root: unknown = structuredClone(tree);
  const times = random.pick([1, 1, 1, 2, 3]);
  for (let time = 0; time < times; time++) root = mutateSomewhere(root, random);
  const text = write(root);
  return random.chance(0.15) ? mutateText(text, random) : Buffer.from(text);
}

/** JSON with what {@link mutateJson} put into it. */
export function write(value: unknown): string {
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join()}]`;
  if (value instanceof Pairs) return writePairs(value.pairs);
  if (isObject(value)) return writePairs(Object.entries(value));
  return JSON.stringify(value) ?? "null";
}

const writePairs = (pairs: readonly [string, unknown][]): string =>
  `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`).join()}}`;

type Mutation = (value: unknown, random: Random) => unknown;

const ANY_VALUE: readonly Mutation[] = [
  (_, random) => hostileText(random),
  (_, random) => hostileText(random),
  (_, random) => hostileNumber(random),
  (_, random) => hostileNumber(random),
  (_, random) => random.pick([null, true, false, [], {}, [[]], [null], { "": {} }]),
  (value) => [value],
  (value) => ({ value }),
  (value) => [value, value],
  (value, random) => deep(value, random.pick([10, 101, 2_000]), random.chance(0.5)),
  (value, random) => repeated(value, random.pick([0, 21, 501, 2_000])),
  (value) => (typeof value === "string" ? ` ${value} ` : String(value)),
  (value) => (typeof value === "string" ? value.toUpperCase() : JSON.stringify(value)),
  (_, random) => (random.chance(0.02) ? "x".repeat(MILLION) : "x".repeat(10_000)),
];

/** Goes down to some value of the tree and puts another one there. */
function mutateSomewhere(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.8)) {
    const index = random.int(0, value.length - 1);
    return value.with(index, mutateSomewhere(value[index], random));
  }
  if (isObject(value)) return mutateObject(value, random);
  return random.pick(ANY_VALUE)(value, random);
}

function mutateObject(value: Record<string, unknown>, random: Random): unknown {
  const keys = Object.keys(value);
  const way = random.int(0, 99);
  if (keys.length === 0 || way < 8) return addUnknown(value, random);
  const key = random.pick(keys);
  if (way < 75) return { ...value, [key]: mutateSomewhere(value[key], random) };
  if (way < 83) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  if (way < 90) return new Pairs([...Object.entries(value), [key, random.chance(0.5) ? value[key] : null]]);
  if (way < 96) return renamed(value, key, random);
  return random.pick(ANY_VALUE)(value, random);
}

function addUnknown(value: Record<string, unknown>, random: Random): Pairs {
  const name = random.pick([
    "__proto__",
    "constructor",
    "isAdmin",
    "",
    "\u0000",
    "$typeName",
    hostileText(random),
  ]);
  return new Pairs([...Object.entries(value), [name, random.pick(ANY_VALUE)(value, random)]]);
}

function renamed(value: Record<string, unknown>, key: string, random: Random): Record<string, unknown> {
  const { [key]: own, ...others } = value;
  const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const name = random.pick([snake, key.toUpperCase(), `${key} `, `[${key}]`, hostileText(random)]);
  return { [name]: own, ...others };
}

/** As often as it was meant to be, unless it is too long for that. */
function repeated(value: unknown, times: number): Raw {
  const text = write(value);
  const count = Math.min(times, Math.ceil(MAX_REPEATED / text.length));
  return new Raw(`[${new Array(count).fill(text).join()}]`);
}

const MAX_REPEATED = 100_000;

function deep(value: unknown, levels: number, isList: boolean): Raw {
  const [open, close] = isList ? ["[", "]"] : ['{"items":', "}"];
  return new Raw(open.repeat(levels) + write(value) + close.repeat(levels));
}

/** Breaks the text, not what it says. */
function mutateText(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text);
  const at = random.int(0, bytes.length);
  const cut = (extra: Uint8Array | string) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(extra as string), bytes.subarray(at)]);
  switch (random.int(0, 9)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return cut(Buffer.from([random.int(0, 255)]));
    case 2:
      return cut(
        Buffer.from(
          random.pick([
            [0xff, 0xfe],
            [0xc0, 0x80],
            [0xed, 0xa0, 0x80],
            [0xf5, 0x80],
            [0xe2, 0x82],
          ]),
        ),
      );
    case 3:
      return Buffer.concat([bytes, bytes]);
    case 4:
      return Buffer.concat([Buffer.from("\ufeff"), bytes]);
    case 5:
      return Buffer.from(text.replaceAll('"', "'"));
    case 6:
      return Buffer.from(text.replace(/}$/, ",}"));
    case 7:
      return cut(random.pick(["/* */", "// \n", "\t", "\u00a0", "\\", "\n".repeat(1_000), "["]));
    case 8:
      return Buffer.from(text, "utf16le");
    default:
      return Buffer.from(random.pick(["", "null", "[]", "{}", "0", '""', "{", "nul", "[".repeat(60_000)]));
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Raw) &&
  !(value instanceof Pairs);
