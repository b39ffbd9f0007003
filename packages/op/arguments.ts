import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { InvalidArgumentError, Option } from "commander";

const MAX_COUNT = 10_000_000;
const MAX_LIST = 1_000_000;

/** `--limit`, of lists. */
export const limitOption = (most = 200): Option =>
  new Option("--limit <n>", "how many to list at most").argParser(parseLimit).default(most);

/** `--reason`, of acts. */
export const reasonOption = (): Option =>
  new Option("--reason <text>", "why; the audit keeps it").default("", "none");

/** `--from` and `--until`, of lists by time. */
export const timeOption = (name: "from" | "until"): Option =>
  new Option(`--${name} <time>`, name === "from" ? "not before" : "only before").argParser(parseTime);

export function parseUuid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  throw new InvalidArgumentError("An id looks like 01890a5d-ac96-774b-bcce-b302099a8057.");
}

/** Of a list that was cut: how to see the rest. "" where all was listed. */
export const moreHint = (hasMore: boolean): string => (hasMore ? "\nThere are more: see --limit." : "");

/** Of tickets. */
export const parseCount = (text: string): number => parseWhole(text, 0, MAX_COUNT);

const parseLimit = (text: string): number => parseWhole(text, 1, MAX_LIST);

function parseWhole(text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`);
}

/** In UTC unless it says another offset. */
function parseTime(text: string): Timestamp {
  const hasOffset = /(Z|[+-]\d{2}:\d{2})$/.test(text);
  const isTime = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?(Z|[+-]\d{2}:\d{2})?$/.test(text);
  const iso = text.includes(":") && !hasOffset ? `${text.replace(" ", "T")}Z` : text.replace(" ", "T");
  const time = new Date(iso);
  if (isTime && !Number.isNaN(time.getTime())) return timestampFromDate(time);
  throw new InvalidArgumentError('A time in UTC, such as "2027-01-10T10:00", or with an offset.');
}
