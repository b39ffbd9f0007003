import { useEffect, useRef, useState } from "react";

const SAMPLE_MS = 1000;

/** Over so many seconds a rate per second is averaged: long enough to be read, short enough to be live. */
const AVERAGED_SAMPLES = 5;
const SAMPLES_OF_A_MINUTE = 60;

export type Rate = {
  perSecond: number;
  /** Undefined until it has been watched for a minute. */
  inLastMinute: number | undefined;
};

/** How fast a count that only grows is growing, watched from here. */
export function useRate(count: number | undefined): Rate {
  const latest = useRef(count);
  latest.current = count;
  const [samples, setSamples] = useState<readonly number[]>([]);
  useEffect(() => {
    const timer = setInterval(() => {
      const now = latest.current;
      if (now !== undefined) setSamples((before) => [...before, now].slice(-SAMPLES_OF_A_MINUTE - 1));
    }, SAMPLE_MS);
    return () => clearInterval(timer);
  }, []);
  return rateOf(samples);
}

/** @param samples of a count, a second apart, the latest last */
export function rateOf(samples: readonly number[]): Rate {
  const growth = (seconds: number): number => (samples.at(-1) ?? 0) - (samples.at(-1 - seconds) ?? 0);
  const seconds = Math.min(AVERAGED_SAMPLES, samples.length - 1);
  return {
    perSecond: seconds < 1 ? 0 : growth(seconds) / seconds,
    inLastMinute: samples.length > SAMPLES_OF_A_MINUTE ? growth(SAMPLES_OF_A_MINUTE) : undefined,
  };
}

/** How many tickets were ever reserved, whatever became of them: it only grows. */
export function everReserved(stats: { reserved: bigint; expired: bigint; cancelled: bigint }): number {
  return Number(stats.reserved + stats.expired + stats.cancelled);
}
