import { createLogger } from "@boxoffice/platform/log.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { register } from "prom-client";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../domain/transitions.ts";
import { CardError, type ChargeRequest, NotSentError, type PaymentProvider } from "../provider/port.ts";
import { ProviderCalls } from "../provider-calls.ts";

const ABOUT = { reservation_ref: "ref" };

type Step = "ok" | "decline" | "break" | "not sent" | "hang";

/** Does what it is told, call after call, and counts. */
class Scripted implements PaymentProvider {
  asked = 0;
  open = 0;
  mostOpen = 0;
  step: Step = "ok";
  readonly hanging: { resolve: () => void; signal: AbortSignal }[] = [];

  async charge({ amount, currency, signal }: ChargeRequest) {
    await this.#act(signal);
    return { amount, currency };
  }

  refund = (_key: string, signal: AbortSignal) => this.#act(signal);

  async #act(signal: AbortSignal): Promise<void> {
    this.asked++;
    this.mostOpen = Math.max(this.mostOpen, ++this.open);
    const { step } = this;
    if (step === "hang") {
      await new Promise<void>((resolve) => this.hanging.push({ resolve, signal }));
    }
    this.open--;
    if (step === "decline") throw new CardError("no");
    if (step === "break") throw new Error("reset");
    if (step === "not sent") throw new NotSentError("no");
  }
}

function callsTo(provider: PaymentProvider, more: object = {}) {
  const log = createLogger("test", "silent");
  return new ProviderCalls({ provider, runtime: systemRuntime, log, timeoutMs: 5_000, ...more });
}

const REQUEST = { amount: 1n, currency: "EUR", token: "tok", idempotencyKey: "key" };

async function chargeWith(calls: ProviderCalls, onLate: (outcome: Outcome) => void = () => {}) {
  const outcome = await calls.charge(REQUEST, ABOUT, onLate);
  return outcome.kind === "failed" ? outcome.reason : outcome.kind;
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < times; n++) results.push(await work());
  return results;
}

describe("the breaker", () => {
  test.each<[Step, string]>([
    ["break", "unknown"],
    ["not sent", "DEPENDENCY_UNAVAILABLE"],
  ])("opens when calls end with %s: from then on nothing is sent", async (step, told) => {
    const provider = new Scripted();
    const calls = callsTo(provider);
    provider.step = step;
    expect(await repeat(10, () => chargeWith(calls))).toEqual(Array(10).fill(told));
    expect(await repeat(5, () => chargeWith(calls))).toEqual(Array(5).fill("DEPENDENCY_UNAVAILABLE"));
    expect(provider.asked).toBe(10);
  });

  test("stays closed however many cards are declined", async () => {
    const provider = new Scripted();
    const calls = callsTo(provider);
    provider.step = "decline";
    await repeat(50, () => chargeWith(calls));
    expect(provider.asked).toBe(50);
  });

  test("lets one call try, for which nobody waits, and closes after it", async () => {
    const provider = new Scripted();
    const calls = callsTo(provider, { breakerPauseMs: 30 });
    provider.step = "break";
    await repeat(10, () => chargeWith(calls));
    await systemRuntime.sleep(40);
    provider.step = "hang";
    const trying = chargeWith(calls);
    await expect.poll(() => provider.hanging).toHaveLength(1);
    expect(await chargeWith(calls)).toBe("DEPENDENCY_UNAVAILABLE");
    provider.step = "ok";
    provider.hanging[0]?.resolve();
    expect(await trying).toBe("charged");
    expect(await chargeWith(calls)).toBe("charged");
  });

  test("is not opened by refunds, which are asked for as often as it takes", async () => {
    const provider = new Scripted();
    const calls = callsTo(provider);
    provider.step = "break";
    expect(await repeat(30, () => calls.refund("key", ABOUT))).toEqual(Array(30).fill(false));
    expect(provider.asked).toBe(30);
    provider.step = "ok";
    expect([await chargeWith(calls), await calls.refund("key", ABOUT)]).toEqual(["charged", true]);
  });
});

test("more charges than may be made at a time are not sent", async () => {
  const provider = new Scripted();
  const calls = callsTo(provider, { maxConcurrent: 3 });
  provider.step = "hang";
  const waiting = [1, 2, 3].map(() => chargeWith(calls));
  expect(await repeat(4, () => chargeWith(calls))).toEqual(Array(4).fill("DEPENDENCY_UNAVAILABLE"));
  for (const { resolve } of provider.hanging) resolve();
  expect(await Promise.all(waiting)).toEqual(["charged", "charged", "charged"]);
  expect([provider.asked, provider.mostOpen]).toEqual([3, 3]);
});

test("a charge that takes too long gives its place back, and is listened to", async () => {
  const provider = new Scripted();
  const calls = callsTo(provider, { maxConcurrent: 1, timeoutMs: 50 });
  provider.step = "hang";
  const late: Outcome[] = [];
  expect(await chargeWith(calls, (outcome) => late.push(outcome))).toBe("unknown");
  provider.step = "ok";
  expect(await chargeWith(calls)).toBe("charged");
  expect(provider.hanging[0]?.signal.aborted).toBe(false);
  provider.hanging[0]?.resolve();
  await expect.poll(() => late).toEqual([{ kind: "charged" }]);
});

test("metrics tell what became of calls, and the breaker's state", async () => {
  register.resetMetrics();
  const provider = new Scripted();
  const calls = callsTo(provider);
  for (const step of ["ok", "decline", ...Array<Step>(12).fill("break")] as Step[]) {
    provider.step = step;
    await chargeWith(calls);
  }
  const text = await register.metrics();
  expect(text).toContain('boxoffice_payment_provider_calls_total{call="charge",outcome="answered"} 1');
  expect(text).toContain('boxoffice_payment_provider_calls_total{call="charge",outcome="refused"} 1');
  expect(text).toMatch(/provider_calls_total\{call="charge",outcome="unknown"\} 8/);
  expect(text).toMatch(/provider_calls_total\{call="charge",outcome="not_sent"\} 4/);
  expect(text).toContain("boxoffice_payment_provider_breaker_state 2");
});
