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

/** The order of labels says nothing. */
const sorted = (line: string): string =>
  line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(",").toSorted().join(",")}}`);
