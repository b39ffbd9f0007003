import { BoxofficeError, type Reason, toConnectError } from "@boxoffice/platform/errors.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { type Call, type Told, toldBy } from "../checker/history.ts";
import { backAfter, errorOf, intolerable, isBusy } from "./measure.ts";

const ANSWERED = { kind: "answered", answer: { $typeName: "test" } } as const;

const call = (told: Told<Call["request"]>, startedAtMs = 0, endedAtMs = startedAtMs + 10): Call => ({
  service: "boxoffice.test",
  method: "Reserve",
  request: { $typeName: "test" },
  startedAtMs,
  endedAtMs,
  told,
});

const refused = (reason: Reason) => toldBy(toConnectError(new BoxofficeError(reason, "no")));
const lost = toldBy(
  new ConnectError("fetch failed", Code.Unknown, undefined, undefined, new TypeError("lost")),
);

test.each<[string, Told<never> | typeof ANSWERED, string | undefined]>([
  ["an answer", ANSWERED, undefined],
  ["that all is sold", refused("SOLD_OUT"), undefined],
  ["that the card was declined", refused("CARD_DECLINED"), undefined],
  ["that a service is away", refused("DEPENDENCY_UNAVAILABLE"), "UNAVAILABLE DEPENDENCY_UNAVAILABLE"],
  ["that there is too much to do", refused("OVERLOADED"), "UNAVAILABLE OVERLOADED"],
  ["that it is somebody else", refused("UNAUTHENTICATED"), "UNAUTHENTICATED UNAUTHENTICATED"],
  ["a proxy's word", toldBy(new ConnectError("503", Code.Unavailable)), "UNAVAILABLE"],
  ["nothing in time", toldBy(new ConnectError("late", Code.DeadlineExceeded)), "DEADLINE_EXCEEDED"],
  ["nothing, having gone", toldBy(new ConnectError("gone", Code.Canceled)), undefined],
  ["nothing, and has gone before it was sent", toldBy(new DOMException("gone", "AbortError")), undefined],
  ["nothing, by a connection that just broke", toldBy(new TypeError("fetch failed")), "connection lost"],
  ["nothing, by a broken connection", lost, "connection lost"],
  ["a fault", toldBy(new ConnectError("internal error", Code.Internal)), "INTERNAL"],
])("whoever is told %s sees the error that it is", (_, told, error) => {
  expect(errorOf(call(told))).toBe(error);
});

test("a fault of the product's is a violation, and an outage that it tells of is none", () => {
  const calls = [
    refused("DEPENDENCY_UNAVAILABLE"),
    lost,
    toldBy(new ConnectError("late", Code.DeadlineExceeded)),
  ];
  expect(intolerable(calls.map((told) => call(told)))).toEqual([]);
  const fault = toldBy(new ConnectError("internal error", Code.Internal));
  expect(intolerable([call(fault), call(fault)])).toEqual([
    expect.stringMatching(/^2 calls came to INTERNAL, such as Reserve: .*internal error/),
  ]);
});

/** A call each 10 ms from 0 to `untilMs`, each told what `toldAt` says and answered after what `tookMs` says. */
const stream = (untilMs: number, toldAt: (ms: number) => Told<Call["request"]>, tookMs = (_: number) => 5) =>
  Array.from({ length: untilMs / 10 }, (_, index) => {
    const startedAtMs = index * 10;
    return call(toldAt(startedAtMs), startedAtMs, startedAtMs + tookMs(startedAtMs));
  });

test("buyers are served badly until the last call that failed, or was slow, has ended", () => {
  const failing = stream(20_000, (ms) => (ms >= 5_000 && ms < 8_000 ? lost : ANSWERED));
  expect(backAfter(failing, [5_000], 20_000)[0]).toBeCloseTo(2_995, -2);
  const slow = stream(
    20_000,
    () => ANSWERED,
    (ms) => (ms >= 5_000 && ms < 6_000 ? 3_000 : 5),
  );
  expect(backAfter(slow, [5_000], 20_000)[0]).toBeCloseTo(3_990, -2);
  expect(
    backAfter(
      stream(20_000, () => ANSWERED),
      [5_000],
      20_000,
    ),
  ).toEqual([0]);
});

test("what is well again when the next thing breaks was served badly no longer for that", () => {
  const isBad = (ms: number) => [5_000, 10_100, 15_050].some((moment) => ms >= moment && ms < moment + 1_000);
  const calls = stream(20_000, (ms) => (isBad(ms) ? lost : ANSWERED));
  const times = backAfter(calls, [5_000, 10_100, 15_050], 20_000);
  expect(times.map((ms) => Math.round(ms / 100))).toEqual([10, 10, 10]);
});

test("what is still wrong when the next thing breaks counts from the first", () => {
  const calls = stream(20_000, (ms) => (ms >= 5_000 && ms < 12_000 ? lost : ANSWERED));
  const [first, second] = backAfter(calls, [5_000, 8_000], 20_000);
  expect(first).toBeGreaterThan(2_900);
  expect(second).toBeCloseTo(6_995, -2);
});

test("where many were slow before anything broke, the machine is busy, and failed calls alone count", () => {
  const slow = stream(
    20_000,
    (ms) => (ms >= 5_000 && ms < 8_000 ? lost : ANSWERED),
    () => 1_500,
  );
  expect(isBusy(slow.filter(({ endedAtMs }) => endedAtMs < 5_000))).toBe(true);
  expect(isBusy(stream(5_000, () => ANSWERED))).toBe(false);
  expect(backAfter(slow, [5_000], 20_000)[0]).toBeGreaterThan(14_000);
  expect(backAfter(slow, [5_000], 20_000, false)[0]).toBeCloseTo(4_490, -2);
});
