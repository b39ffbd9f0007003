import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { type Runtime, systemRuntime, within } from "../src/runtime.ts";

test("ids of one millisecond share nothing but their time, so that none hints at another", () => {
  const ids = Array.from({ length: 5_000 }, () => systemRuntime.newId());
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const counters = ids.map((id) => Number.parseInt(id.slice(15, 18) + id.slice(20, 23), 16));
  const neighbours = counters.filter(
    (counter, index) => index > 0 && counter - (counters[index - 1] ?? 0) === 1,
  );
  expect(neighbours.length).toBeLessThan(5);
});

test("a sleep ends early, without an error, when it is aborted", async () => {
  const stop = new AbortController();
  const sleeping = systemRuntime.sleep(60_000, stop.signal);
  stop.abort();
  await expect(sleeping).resolves.toBeUndefined();
  await expect(systemRuntime.sleep(60_000, stop.signal)).resolves.toBeUndefined();
  await expect(systemRuntime.sleep(1)).resolves.toBeUndefined();
});

describe("within a time", () => {
  const never = new Promise<never>(() => undefined);

  test("work that ends comes to its result, or to its error", async () => {
    expect(await within(systemRuntime, 60_000, Promise.resolve("done"))).toBe("done");
    await expect(within(systemRuntime, 60_000, Promise.reject(new Error("broken")))).rejects.toThrow(
      "broken",
    );
  });

  test("work that does not end is no longer waited for", async () => {
    expect(await within(systemRuntime, 1, never)).toBeUndefined();
  });

  test("nobody waits on once the signal has aborted", async () => {
    const stop = new AbortController();
    const waiting = within(systemRuntime, 60_000, never, stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    expect(await within(systemRuntime, 60_000, never, stop.signal)).toBeUndefined();
  });

  test("no timer and no listener is left of it", async () => {
    const sleeps: AbortSignal[] = [];
    const sleep: Runtime["sleep"] = (ms, signal) => {
      if (signal) sleeps.push(signal);
      return systemRuntime.sleep(ms, signal);
    };
    const { signal } = new AbortController();
    await within({ sleep }, 60_000, Promise.resolve(), signal);
    expect(sleeps.map(({ aborted }) => aborted)).toEqual([true]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
