import { randomUUID } from "node:crypto";
import { expect, inject, test } from "vitest";
import { Bus } from "../src/bus.ts";
import { createLogger } from "../src/log.ts";

const log = createLogger("test", "silent");

function openBus(prefix: string): Bus & AsyncDisposable {
  const bus = new Bus({ url: inject("natsUrl"), name: "test", prefix, log });
  return Object.assign(bus, { [Symbol.asyncDispose]: () => bus.close() });
}

test("news reach every process that listens, once, until it stops", async () => {
  const prefix = `test-${randomUUID()}`;
  await using teller = openBus(prefix);
  await using one = openBus(prefix);
  await using two = openBus(prefix);
  await using other = openBus(`${prefix}-other`);
  const heard: string[] = [];
  const listening = new AbortController();
  const { signal } = new AbortController();
  one.hear("availability.*", (subject) => heard.push(`one ${subject}`), listening.signal); // before it is connected
  await expect.poll(() => [teller, two, other].every((bus) => bus.isConnected)).toBe(true);
  two.hear("availability.*", (subject) => heard.push(`two ${subject}`), signal);
  two.hear("prices.*", (subject) => heard.push(`two ${subject}`), signal);
  other.hear("availability.*", (subject) => heard.push(`other ${subject}`), signal);
  await expect
    .poll(() => {
      teller.tell("availability.warm-up");
      return [...new Set(heard)].sort();
    })
    .toEqual(["one availability.warm-up", "two availability.warm-up"]);
  heard.length = 0;
  teller.tell("availability.1");
  await expect
    .poll(() => heard.filter((line) => line.endsWith(".1")).sort())
    .toEqual(["one availability.1", "two availability.1"]);
  listening.abort();
  await expect
    .poll(() => {
      heard.length = 0;
      teller.tell("availability.2");
      return new Promise((resolve) => setTimeout(() => resolve([...new Set(heard)]), 50));
    })
    .toEqual(["two availability.2"]);
});

test("no stream keeps them", async () => {
  const prefix = `test-${randomUUID()}`;
  await using bus = openBus(prefix);
  await expect.poll(() => bus.isConnected).toBe(true);
  const consumed: string[] = [];
  const consuming = new AbortController();
  const handle = async (messages: { subject: string }[]) => {
    consumed.push(...messages.map(({ subject }) => subject));
  };
  const running = bus.consume({ durable: "test", maxBatch: 10, handle }, consuming.signal);
  bus.tell("availability.1");
  await bus.publish([{ subject: "x.v1.1", id: randomUUID(), payload: new Uint8Array() }]);
  bus.tell("availability.2");
  await bus.publish([{ subject: "x.v1.2", id: randomUUID(), payload: new Uint8Array() }]);
  await expect.poll(() => consumed).toEqual([`${prefix}.x.v1.1`, `${prefix}.x.v1.2`]);
  consuming.abort();
  await running;
});

test("telling without NATS is no fault", async () => {
  const bus = new Bus({ url: "nats://127.0.0.1:1", name: "test", log });
  bus.tell("availability.1");
  await bus.close();
});
