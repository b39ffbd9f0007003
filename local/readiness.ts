import { setTimeout as delay } from "node:timers/promises";
import type { ProcessSpec } from "./supervisor.ts";

const POLL_MS = 40;

/**
 * Resolves when a process serves.
 *
 * @param logged resolves when it logged what it logs when it does
 * @param ended resolves to how it ended
 */
export async function waitUntilReady(
  spec: ProcessSpec,
  logged: Promise<void>,
  ended: Promise<string>,
): Promise<void> {
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const serves = "ok" in spec.readyWhen ? answersOk(spec.readyWhen.ok, signal) : logged;
  const early = ended.then((end) => {
    throw new Error(`${spec.name} ended before it was ready (${end}). It logged:`);
  });
  const late = delay(spec.readyWithinMs, undefined, { signal }).then(() => {
    throw new Error(`${spec.name} was not ready within ${spec.readyWithinMs / 1000} s. It logged:`);
  });
  late.catch(() => {});
  try {
    await Promise.race([serves, early, late]);
  } finally {
    giveUp.abort();
  }
}

async function answersOk(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
    const ok = await fetch(url, { signal: limit }).then(
      async (response) => {
        await response.body?.cancel();
        return response.ok;
      },
      () => false,
    );
    if (ok) return;
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
