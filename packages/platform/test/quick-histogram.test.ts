import { Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { QuickHistogram } from "../src/quick-histogram.ts";

test("reads like a histogram of prom-client, to the byte", async () => {
  const options = { name: "wait_seconds", help: "How long.", buckets: [0.1, 1, 10] };
  const [ours, theirs] = [new Registry(), new Registry()];
  const quick = new QuickHistogram({ ...options, labels: ["method", "code"], registry: ours });
  const slow = new Histogram({ ...options, labelNames: ["method", "code"], registers: [theirs] });
  const series = [
    { method: "Reserve", code: "OK" },
    { method: "Pay", code: 'with "quotes"' },
  ];
  for (const labels of series) {
    const observe = quick.series(labels);
    for (const value of [0, 0.1, 0.10001, 1, 9.5, 10, 10.5, 1e9]) {
      observe(value);
      slow.observe(labels, value);
    }
  }
  const lines = async (registry: Registry) =>
    (await registry.metrics()).trim().split("\n").map(sorted).toSorted();
  expect(await lines(ours)).toEqual(await lines(theirs));
});

test("is reset with its registry, and counts on", async () => {
  const registry = new Registry();
  const quick = new QuickHistogram({ name: "wait", help: "How long.", labels: [], buckets: [1], registry });
  const observe = quick.series({});
  observe(5);
  registry.resetMetrics();
  expect(await registry.metrics()).toContain("wait_count 0");
  observe(0.5);
  expect(await registry.metrics()).toMatch(/wait_bucket\{le="1"\} 1\n.*wait_sum 0\.5\n.*wait_count 1/s);
});

/** The order of labels says nothing. */
const sorted = (line: string): string =>
  line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(",").toSorted().join(",")}}`);
