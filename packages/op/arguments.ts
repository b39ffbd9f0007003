import { InvalidArgumentError, Option } from "commander";

const MAX_LIST = 1_000_000;

/** `--limit`, of lists. */
export const limitOption = (most = 200): Option =>
  new Option("--limit <n>", "how many to list at most").argParser(parseLimit).default(most);

export function parseUuid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  throw new InvalidArgumentError("An id looks like 01890a5d-ac96-774b-bcce-b302099a8057.");
}

/** Of a list that was cut: how to see the rest. "" where all was listed. */
export const moreHint = (hasMore: boolean): string => (hasMore ? "\nThere are more: see --limit." : "");

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MAX_LIST) return limit;
  throw new InvalidArgumentError(`A whole number from 1 to ${MAX_LIST}.`);
}
