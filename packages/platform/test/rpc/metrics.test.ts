import { Code, ConnectError } from "@connectrpc/connect";
import { register } from "prom-client";
import { expect, test } from "vitest";
import { BoxofficeError } from "../../src/errors.ts";
import { failureOf, startTalk } from "./harness.ts";

/** The count of a series, by the code with which calls ended. */
async function countOf(method: string, code: string): Promise<number> {
  const labels = `service="boxoffice.test.v1.TalkService",method="${method}",code="${code}"`;
  const prefix = `boxoffice_rpc_duration_seconds_count{${labels}} `;
  const line = (await register.metrics()).split("\n").find((one) => one.startsWith(prefix));
  return Number(line?.slice(prefix.length) ?? 0);
}

test("every call is timed once, by its method and by how it ended for its caller", async () => {
  register.resetMetrics();
  const arrived = Promise.withResolvers<void>();
  await using talk = await startTalk({
    async say({ say }, { signal }) {
      if (say === "leave") arrived.resolve();
      if (say === "refuse") throw new BoxofficeError("SOLD_OUT", "Sold out.");
      if (say === "break") throw new Error("broken");
      if (say === "wait" || say === "leave")
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return {};
    },
  });
  await talk.client.say({});
  await talk.client.say({});
  for (const say of ["refuse", "break"]) await failureOf(talk.client.say({ say }));
  expect(await failureOf(talk.client.say({ say: "wait" }, { timeoutMs: 1000 }))).toMatchObject({
    code: Code.DeadlineExceeded,
  });
  const gone = new AbortController();
  const cancelled = failureOf(talk.client.say({ say: "leave" }, { signal: gone.signal }));
  await arrived.promise;
  gone.abort(new ConnectError("gone", Code.Canceled));
  await cancelled;
  for (const [code, count] of [
    ["OK", 2],
    ["FAILED_PRECONDITION", 1],
    ["INTERNAL", 1],
    ["DEADLINE_EXCEEDED", 1],
    ["CANCELLED", 1],
  ] as const) {
    await expect.poll(() => countOf("Say", code), { timeout: 5_000 }).toBe(count);
  }
});
