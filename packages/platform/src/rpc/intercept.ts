import type { Interceptor } from "@connectrpc/connect";

/** Carries a call out, as interceptors see it. */
export type Invoke = Parameters<Interceptor>[0];

/** Wraps interceptors around a call; the first one is the outermost. */
export function intercept(interceptors: readonly Interceptor[], invoke: Invoke): Invoke {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), invoke);
}
