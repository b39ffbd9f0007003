import { expect, test } from "vitest";
import { ServerClock } from "../src/api/clock.ts";

const NOON = Date.parse("2026-08-01T12:00:00Z");

test("the server's clock is as far as its answers tell, whatever this machine believes", () => {
  let monotonicMs = 5000;
  const clock = new ServerClock(() => monotonicMs);
  expect(clock.nowMs()).toBeUndefined();
  clock.observe(null);
  clock.observe("no date");
  expect(clock.nowMs()).toBeUndefined();
  clock.observe(new Date(NOON).toUTCString());
  monotonicMs += 1500;
  expect(clock.nowMs()).toBe(NOON + 1500);
});

test("an answer that a cache kept does not set it back", () => {
  let monotonicMs = 0;
  const clock = new ServerClock(() => monotonicMs);
  clock.observe(new Date(NOON).toUTCString());
  monotonicMs = 60_000;
  clock.observe(new Date(NOON + 50_000).toUTCString());
  expect(clock.nowMs()).toBe(NOON + 60_000);
});
