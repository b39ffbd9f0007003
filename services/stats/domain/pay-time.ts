/**
 * How long reservations take to be paid is counted in buckets whose bounds grow by a twentieth, so that counts of any
 * events and times add up, and a quantile is told within 2.5 % of what it is.
 */
const GROWTH = 1.05;

/** A hundred days: what takes longer counts as that. */
const LONGEST_MS = 100 * 24 * 60 * 60 * 1_000;

/** The bucket of a time: 0 holds a millisecond and less, `n` what is above GROWTH to the n-1 and at most to the n. */
export function bucketOf(ms: number): number {
  if (ms <= 1) return 0;
  return Math.ceil(Math.log(Math.min(ms, LONGEST_MS)) / Math.log(GROWTH));
}

/** The time that differs least, in proportion, from every time in the bucket, in milliseconds. */
export function timeOf(bucket: number): number {
  return bucket === 0 ? 1 : (2 * GROWTH ** bucket) / (GROWTH + 1);
}
