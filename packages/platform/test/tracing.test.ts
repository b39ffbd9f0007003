import { afterAll, beforeAll, expect, test } from "vitest";
import { Collector } from "../../../test/support/collector.ts";
import { Batcher } from "../src/batcher.ts";
import { activeTraceparent, startTracing, traced, tracedTogether, traceIdOf } from "../src/tracing.ts";
import { startTalk } from "./rpc/harness.ts";
import { TalkService } from "./rpc/talk.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

const collector = new Collector();
let stop: () => Promise<void>;

beforeAll(async () => {
  // Until somebody collects traces, nothing is one.
  await traced("nothing", {}, async () => expect(activeTraceparent()).toBeUndefined());
  stop = await startTracing({ service: "test", endpoint: await collector.start(), share: 1 });
});

afterAll(async () => {
  await stop();
  collector.close();
});

const collected = async (traceId: string, count: number) => {
  const ofTrace = () => collector.spans.filter((span) => span.traceId === traceId);
  await expect.poll(() => ofTrace().length, { timeout: 20_000 }).toBe(count);
  return ofTrace();
};

test("a call's trace goes from its caller through server, batch and whatever is called on the way", async () => {
  const batcher = new Batcher<string, string>({
    maxBatch: 10,
    maxQueue: 10,
    run: (items) => traced("inside", {}, async () => items),
  });
  await using talk = await startTalk({ say: async ({ say }) => ({ said: await batcher.submit(say) }) });
  await talk.client.say({ say: "hello" }, { headers: { traceparent: `00-${TRACE}-${SPAN}-01` } });

  const spans = await collected(TRACE, 4);
  const name = `${TalkService.typeName}/Say`;
  const order: string[] = [];
  for (let parent = SPAN; order.length < 4; ) {
    const child = spans.find(({ parentSpanId }) => parentSpanId === parent);
    if (child === undefined) break;
    order.push(child.name);
    parent = child.spanId;
  }
  expect(order).toEqual([name, name, "batch", "inside"]);
});

test("a batch is a part of its first caller's trace, and names those of the others", async () => {
  const batcher = new Batcher<number, number>({ maxBatch: 10, maxQueue: 10, run: async (items) => items });
  const traceIds: string[] = [];
  const submit = (item: number) =>
    traced("caller", {}, () => {
      traceIds.push(traceIdOf() ?? "");
      return batcher.submit(item);
    });
  await Promise.all([submit(1), submit(2), submit(3)]);
  const [first = "", second, third] = traceIds;
  const spans = await collected(first, 2);
  const batch = spans.find(({ name }) => name === "batch");
  expect(batch?.parentSpanId).toBe(spans.find(({ name }) => name === "caller")?.spanId);
  expect(batch?.links.map(({ traceId }) => traceId)).toEqual([second, third]);
});

test.each([
  ["one that nobody keeps", `00-${TRACE.replace("4", "5")}-${SPAN}-00`, false],
  ["nonsense", "nonsense", true],
  ["zeros", `00-${"0".repeat(32)}-${SPAN}-01`, true],
  ["a version to come, with more in it", `01-${TRACE.replace("4", "6")}-${SPAN}-01-more`, true],
])("a traceparent that is %s breaks nothing", async (name, parent, isKept) => {
  const traceId = await traced(name, { parent }, async () => traceIdOf() ?? "");
  if (parent.startsWith("01")) expect(parent).toContain(traceId);
  if (isKept) await collected(traceId, 1);
  await traced("after", {}, async () => collected(traceIdOf() ?? "", 0));
  expect(collector.spans.some((span) => span.traceId === traceId)).toBe(isKept);
});

test("what is done for many who left their traceparent belongs to one whose trace is kept, and names each other once", async () => {
  const of = (digit: string, flags: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-${flags}`;
  const many = Array.from(
    { length: 40 },
    (_, index) => `00-${TRACE}-${`${index + 10}`.padStart(16, "a")}-01`,
  );
  const left = [undefined, "", "nonsense", of("7", "00"), of("8", "01"), of("8", "01"), ...many];
  await tracedTogether("for many", left, async () => {});
  const [span] = await collected("8".repeat(32), 1);
  expect(span?.parentSpanId).toBe("8".repeat(16));
  expect(span?.links).toHaveLength(32);
  expect(span?.links[0]?.traceId).toBe("7".repeat(32));
});
