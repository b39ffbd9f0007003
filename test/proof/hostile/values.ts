import type { Random } from "../../faults/random.ts";

/** A piece of JSON that is written as it stands: what no value of JavaScript would come out as. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const UUID = "0198c1f0-0000-7000-8000-000000000001";

/** Texts that have broken something somewhere. None of them holds what judge.ts calls a leak. */
export const TEXTS: readonly string[] = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  `${UUID}\u0000`,
  "'; drop table events; --",
  "' or '1'='1",
  '" or ""="',
  "1; select pg_sleep(60)",
  "%' union select null, null --",
  "%_%",
  "\\",
  "\\'",
  "$1",
  "$$; $$",
  "E'\\000'",
  "\u202egnihtemos",
  "\u05d0\u05d1\u05d2 \u0627\u0644\u0633\u0644\u0627\u0645",
  "\ud800",
  "\udfff\ud800",
  "a\udc00b",
  "\ufeff",
  "\ufffe\uffff",
  "\u{10ffff}",
  "e\u0301".repeat(100),
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}",
  "\r\nSet-Cookie: a=b",
  "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
  "<script>alert(1)</script>",
  "=1+1",
  "{{7*7}}",
  "$" + "{7*7}",
  "../../../../secret",
  "%00",
  "%2e%2e%2f",
  "null",
  "undefined",
  "true",
  "NaN",
  "-1",
  "0x7f",
  "1e3",
  "00000000-0000-0000-0000-000000000000",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  UUID,
  UUID.toUpperCase(),
  `{${UUID}}`,
  UUID.replaceAll("-", ""),
  "2026-02-30T25:61:61Z",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "10000-01-01T00:00:00Z",
  "-0001-01-01T00:00:00Z",
  "2030-01-01T00:00:00.0000000001Z",
  "2030-01-01T00:00:00+99:99",
  "315576000001s",
  "-1s",
  "1.0000000000s",
  "__proto__",
  "constructor",
  "toString",
  "a,b,,c.d.e",
  "AAAA",
  "=",
  "!!!!",
  "Europe/../etc",
  "ada@example.com\r\nBcc: all@example.com",
];

/** Numbers at every edge, as JSON writes them. */
const NUMBERS: readonly string[] = [
  "0",
  "-0",
  "1",
  "-1",
  "0.5",
  "1.0",
  "1e0",
  "1e1000",
  "-1e1000",
  "1e-1000",
  "5e-324",
  "1.7976931348623157e308",
  "127",
  "128",
  "255",
  "256",
  "500",
  "501",
  "32767",
  "65536",
  "9999999",
  "10000000",
  "10000001",
  "2147483647",
  "2147483648",
  "-2147483648",
  "-2147483649",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "18446744073709551615",
  "18446744073709551616",
  "123456789012345678901234567890",
];

/** What is a number to some parsers, and to JSON none. */
const NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x10", "1_000", "- 1", "1e"];

const INT_EDGES = [0n, 1n, -1n, 127n, 128n, 2n ** 31n - 1n, -(2n ** 31n), 10_000_000n, 10_000_001n] as const;
const LONG_EDGES = [...INT_EDGES, 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)] as const;

/** A text out of {@link TEXTS}, often with something around it, and now and then a long one. */
export function hostileText(random: Random): string {
  const text = random.pick(TEXTS);
  const way = random.int(0, 99);
  if (way < 60) return text;
  if (way < 75) return random.pick(TEXTS) + text;
  if (way < 90) return `Tickets ${text} for two`;
  const length = random.pick([2, 51, 201, 501, 1_001, 20_000]);
  return (text || "x").repeat(Math.ceil(length / (text.length || 1))).slice(0, length);
}

/** A number as JSON text: of the right size or not, and now and then none at all. */
export function hostileNumber(random: Random): Raw {
  if (random.chance(0.1)) return new Raw(random.pick(NO_NUMBERS));
  const text = random.pick(NUMBERS);
  return new Raw(random.chance(0.3) ? `"${text}"` : text);
}

/** An integer that 32 bits hold, at an edge. */
export const edgeInt32 = (random: Random): number => Number(random.pick(INT_EDGES));

/** The same for 64 bits. */
export const edgeInt64 = (random: Random): bigint => random.pick(LONG_EDGES);

/** As long as a text can be that somebody sends by mistake, and longer than any request may be. */
export const MILLION = 1_000_000;
