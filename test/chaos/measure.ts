import { BoxofficeError, fromConnectError, REASONS, type Reason } from "@boxoffice/platform/errors.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Call } from "../checker/history.ts";

/** A buyer is served well who is answered within this time, whatever the answer is. */
const SLOW_MS = 1_000;

/** Within the objective, in any second, are all but so many of the calls that end in it. */
const MAY_FAIL = 0.01;
const MAY_BE_SLOW = 0.05;

const WINDOW_MS = 1_000;
const STEP_MS = 250;

/** Refusals that say something about the box office, and not about what was asked for. */
const TROUBLES: readonly Reason[] = [
  "OVERLOADED",
  "RATE_LIMITED",
  "DEPENDENCY_UNAVAILABLE",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "INVALID_REQUEST",
  "REQUEST_ID_REUSED",
];

/** The proxy in front says so of whoever has opened a connection and not sent a request within 10 s. */
const PROXY_TIRED = "HTTP 408";

/** What may be told to a buyer while something is broken. Everything else is a fault of the product's. */
const TOLERABLE = [
  "UNAVAILABLE",
  "UNAVAILABLE OVERLOADED",
  "UNAVAILABLE DEPENDENCY_UNAVAILABLE",
  "RESOURCE_EXHAUSTED RATE_LIMITED",
  "DEADLINE_EXCEEDED",
  "connection lost",
  PROXY_TIRED,
];

/**
 * What went wrong with a call, as its caller sees it: the code and, where there is one, the reason.
 *
 * @returns undefined where nothing did, which includes SOLD_OUT and the like; also where the caller went by himself
 */
export function errorOf({ told }: Call): string | undefined {
  if (told.kind === "answered") return undefined;
  if (told.kind === "refused") {
    return TROUBLES.includes(told.reason) ? `${codeName(REASONS[told.reason])} ${told.reason}` : undefined;
  }
  const own = fromConnectError(told.error);
  if (own instanceof BoxofficeError) return `${codeName(REASONS[own.reason])} ${own.reason}`;
  const error = ConnectError.from(told.error); // what fetch itself throws is none yet
  if (error.code === Code.Canceled) return undefined;
  if (error.cause instanceof TypeError) return "connection lost"; // a fetch that got no answer
  return error.rawMessage === PROXY_TIRED ? PROXY_TIRED : codeName(error.code);
}

/** How often each error was seen. */
export function errorsIn(calls: readonly Call[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const call of calls) {
    const error = errorOf(call);
    if (error !== undefined) counts[error] = (counts[error] ?? 0) + 1;
  }
  return counts;
}

/** A violation for each error that nobody may see, whatever is broken, with one of those who saw it. */
export function intolerable(calls: readonly Call[]): string[] {
  const seen = Map.groupBy(calls, errorOf);
  return [...seen].flatMap(([error, those]) => {
    if (error === undefined || TOLERABLE.includes(error)) return [];
    const { method, told } = those[0] as Call;
    const text = told.kind === "unknown" ? String(told.error) : "";
    return [`${those.length} calls came to ${error}, such as ${method}: ${text}`];
  });
}

/** Whether too many were slow before anything broke: then the machine is busy, and slowness tells nothing. */
export function isBusy(callsBefore: readonly Call[]): boolean {
  return callsBefore.filter(isSlow).length > callsBefore.length * MAY_BE_SLOW;
}

/**
 * How long after each moment the buyers' calls were within the objective again, in milliseconds: 0 where they always
 * were. What is still wrong at the next moment counts on from the first.
 *
 * @param moments when something happened, by `performance.now()`, in order
 * @param untilMs the end of what is looked at
 * @param countSlow whether slow calls count, or failed ones alone
 */
export function backAfter(
  calls: readonly Call[],
  moments: readonly number[],
  untilMs: number,
  countSlow = true,
): number[] {
  const ended = calls
    .filter(({ endedAtMs }) => endedAtMs >= (moments[0] ?? 0) && endedAtMs <= untilMs)
    .toSorted((a, b) => a.endedAtMs - b.endedAtMs);
  const times: number[] = [];
  let since: number | undefined;
  for (const [index, moment] of moments.entries()) {
    const next = moments[index + 1] ?? untilMs;
    const start: number = since ?? moment;
    let lastBadMs = start;
    let isBad = false;
    for (const [from, end] of windowsIn(moment, next)) {
      const window = ended.filter(({ endedAtMs }) => endedAtMs >= from && endedAtMs < end);
      const bad = badIn(window, countSlow);
      isBad = bad !== undefined;
      lastBadMs = Math.max(lastBadMs, bad ?? 0);
    }
    times.push(lastBadMs - start);
    since = isBad ? start : undefined;
  }
  return times;
}

/** Windows one after the other. None reaches beyond the end: what breaks then was not still broken before. */
function windowsIn(startMs: number, endMs: number): [from: number, end: number][] {
  const last = Math.max(startMs, endMs - WINDOW_MS);
  const windows: [number, number][] = [[last, endMs]];
  for (let from = last - STEP_MS; from > startMs - STEP_MS; from -= STEP_MS) {
    const begin = Math.max(from, startMs);
    windows.unshift([begin, begin + WINDOW_MS]);
  }
  return windows;
}

/** When the last bad call ended, of calls that are not within the objective; undefined where they are. */
function badIn(calls: readonly Call[], countSlow: boolean): number | undefined {
  const failed = calls.filter((call) => errorOf(call) !== undefined);
  const slow = countSlow ? calls.filter(isSlow) : [];
  if (failed.length <= calls.length * MAY_FAIL && slow.length <= calls.length * MAY_BE_SLOW) return undefined;
  return Math.max(...[...failed, ...slow].map(({ endedAtMs }) => endedAtMs));
}

const isSlow = ({ startedAtMs, endedAtMs }: Call): boolean => endedAtMs - startedAtMs > SLOW_MS;

/** As in a status: DEADLINE_EXCEEDED. */
const codeName = (code: Code): string => (Code[code] ?? "").replaceAll(/(?<!^)([A-Z])/g, "_$1").toUpperCase();
