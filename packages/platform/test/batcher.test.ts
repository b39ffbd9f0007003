import { describe, expect, test } from "vitest";
import { Batcher } from "../src/batcher.ts";

/** A batcher whose batches are finished by the test, one after the other. */
function held(options: { maxBatch?: number; maxQueue?: number; concurrency?: number } = {}) {
  const batches: number[][] = [];
  const finishes: { resolve(results: string[]): void; reject(error: Error): void }[] = [];
  const batcher = new Batcher<number, string>({
    maxBatch: options.maxBatch ?? 100,
    maxQueue: options.maxQueue ?? 100,
    concurrency: options.concurrency ?? 1,
    run(items) {
      batches.push(items);
      return new Promise((resolve, reject) => finishes.push({ resolve, reject }));
    },
  });
  const begun = (count: number) => expect.poll(() => batches.length).toBe(count);
  const finish = (index: number) =>
    finishes[index]?.resolve((batches[index] ?? []).map((item) => `did ${item}`));
  const spoil = (index: number): void => {
    finishes[index]?.reject(new Error("broken"));
  };
  return { batcher, batches, begun, finish, spoil };
}

describe("a batch", () => {
  test("is what arrived while the one before was worked on, in order, and each gets its own result", async () => {
    const { batcher, batches, begun, finish } = held();
    const first = [batcher.submit(1), batcher.submit(2)];
    await begun(1);
    const second = [batcher.submit(3), batcher.submit(4), batcher.submit(5)];
    expect(batcher.depth).toBe(3);
    finish(0);
    expect(await Promise.all(first)).toEqual(["did 1", "did 2"]);
    await begun(2);
    finish(1);
    expect(await Promise.all(second)).toEqual(["did 3", "did 4", "did 5"]);
    expect(batches).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    const third = batcher.submit(6);
    await begun(3);
    finish(2);
    expect(await third).toBe("did 6");
  });

  test("has its limit; the rest is the next one", async () => {
    const { batcher, batches, begun, finish } = held({ maxBatch: 2 });
    const all = Promise.all([1, 2, 3, 4, 5].map((item) => batcher.submit(item)));
    for (const index of [0, 1, 2]) {
      await begun(index + 1);
      finish(index);
    }
    await all;
    expect(batches).toEqual([[1, 2], [3, 4], [5]]);
  });

  test("may be one of several at a time, and no more", async () => {
    const { batcher, batches, begun, finish } = held({ concurrency: 2, maxBatch: 2 });
    const all = Promise.all([1, 2, 3, 4, 5].map((item) => batcher.submit(item)));
    await begun(2);
    const late = batcher.submit(6);
    await new Promise(setImmediate);
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ]);
    finish(1);
    await begun(3);
    expect(batches[2]).toEqual([5, 6]);
    finish(0);
    finish(2);
    expect([(await all).length, await late]).toEqual([5, "did 6"]);
  });

  test("leaves out those who are gone when its turn comes", async () => {
    const { batcher, batches, begun, finish } = held();
    const first = batcher.submit(1);
    await begun(1);
    const gone = batcher.submit(2, { isGone: () => true });
    gone.catch(() => undefined);
    const here = batcher.submit(3, { isGone: () => false });
    finish(0);
    await first;
    await begun(2);
    finish(1);
    expect([await here, batches[1]]).toEqual(["did 3", [3]]);
    await expect(gone).rejects.toThrow("gone");
  });

  test("that fails fails for its items alone", async () => {
    const { batcher, begun, finish, spoil } = held();
    const unlucky = Promise.allSettled([batcher.submit(1), batcher.submit(2)]);
    await begun(1);
    const lucky = batcher.submit(3);
    spoil(0);
    expect((await unlucky).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await begun(2);
    finish(1);
    expect(await lucky).toBe("did 3");
  });

  test("leaves out those whose callers have gone by their turn", async () => {
    const { batcher, batches, begun, finish } = held();
    const first = batcher.submit(1);
    await begun(1);
    const gone = new AbortController();
    const late = batcher.submit(2, { signal: gone.signal });
    const patient = batcher.submit(3);
    gone.abort(new Error("gone"));
    finish(0);
    await first;
    await expect(late).rejects.toThrow("gone");
    await begun(2);
    finish(1);
    await patient;
    expect(batches).toEqual([[1], [3]]);
  });
});

test("a full queue refuses at once, and takes more when it has room", async () => {
  const { batcher, begun, finish } = held({ maxQueue: 2 });
  const first = batcher.submit(1);
  await begun(1);
  const waiting = [batcher.submit(2), batcher.submit(3)];
  await expect(batcher.submit(4)).rejects.toMatchObject({ reason: "OVERLOADED", retryAfterMs: 1_000 });
  finish(0);
  await first;
  await begun(2);
  const next = batcher.submit(5);
  finish(1);
  await Promise.all(waiting);
  await begun(3);
  finish(2);
  expect(await next).toBe("did 5");
});
