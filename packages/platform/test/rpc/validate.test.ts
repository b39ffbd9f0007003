import type { MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type FieldViolation, isRefusal } from "../../src/errors.ts";
import { failureOf, startTalk } from "./harness.ts";
import type { TalkRequestSchema } from "./talk.ts";

type Request = MessageInitShape<typeof TalkRequestSchema>;

const item = (quantity: number, name = "seat") => ({ name, quantity });
const NUL = "must not contain U+0000";

const WRONG: [string, Request, FieldViolation[]][] = [
  ["a malformed id", { id: "42" }, [{ field: "id", description: "must be a valid UUID" }]],
  [
    "items, by their place",
    { items: [item(1), item(0), item(101)] },
    [
      { field: "items[1].quantity", description: expect.stringContaining("greater than or equal to 1") },
      { field: "items[2].quantity", description: expect.stringContaining("less than or equal to 100") },
    ],
  ],
  [
    "too many items",
    { items: [item(1), item(1), item(1), item(1)] },
    [{ field: "items", description: expect.stringContaining("3") }],
  ],
  ["NUL in a text", { say: "a\0b" }, [{ field: "say", description: NUL }]],
  ["NUL deep inside", { items: [item(1), item(1, "\0")] }, [{ field: "items[1].name", description: NUL }]],
  ["NUL in the value of a map", { labels: { a: "\0" } }, [{ field: 'labels["a"]', description: NUL }]],
  ["NUL in the key of a map", { labels: { "\0": "a" } }, [{ field: "labels", description: NUL }]],
];

test.each(WRONG)("%s is refused, and the handler does not see it", async (_, request, fields) => {
  let calls = 0;
  await using talk = await startTalk({
    say() {
      calls += 1;
      return {};
    },
    async *count() {
      calls += 1;
      yield {};
    },
  });
  const unary = await failureOf(talk.client.say(request));
  const stream = await failureOf(talk.client.count(request)[Symbol.asyncIterator]().next());
  for (const error of [unary, stream]) {
    if (!isRefusal(error, "INVALID_REQUEST")) throw error;
    expect(error.fields).toEqual(fields);
    expect(error.message).toContain(fields[0]?.field);
  }
  expect(calls).toBe(0);
});

test("what the rules allow passes", async () => {
  await using talk = await startTalk({ say: ({ items }) => ({ count: items.length }) });
  const id = "0199c9e0-7d6b-7c7a-8a7e-0242ac120002";
  const request = { id, items: [item(1), item(100)], say: "a\u0001b", labels: { a: "b" } };
  expect((await talk.client.say(request)).count).toBe(2);
  expect((await talk.client.say({})).count).toBe(0);
});

test("each message of a client's stream is checked, as it comes", async () => {
  const seen: string[] = [];
  await using talk = await startTalk({
    async sum(requests) {
      for await (const { say } of requests) seen.push(say);
      return {};
    },
  });
  async function* requests() {
    yield { say: "good" };
    yield { id: "bad" };
    yield { say: "too late" };
  }
  const error = await failureOf(talk.client.sum(requests()));
  expect(isRefusal(error, "INVALID_REQUEST") && error.fields[0]?.field).toBe("id");
  expect(seen).toEqual(["good"]);
});

test("an answer names ten fields at most, because it travels in headers", async () => {
  await using talk = await startTalk({ say: () => ({}) });
  const labels = Object.fromEntries([["\0".padEnd(10_000, "x"), ""]]);
  const tooLong = await failureOf(talk.client.say({ labels }));
  expect(isRefusal(tooLong, "INVALID_REQUEST")).toBe(true);
  const items = Array.from({ length: 500 }, () => item(0));
  const tooMany = await failureOf(talk.client.say({ items }));
  expect(isRefusal(tooMany, "INVALID_REQUEST") && tooMany.fields.length).toBe(10);
});
