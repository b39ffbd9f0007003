import { setFlagsFromString } from "node:v8";

/**
 * How V8's collector works in a process that sells. node:http2 gives each header's value to V8 as a string among the
 * old objects, half a dozen per call, and only a major collection frees it: what that costs is by the call, and all that
 * can be chosen is whether it comes in few long pauses or in many short ones (docs/adr/0011).
 */
const FLAGS = [
  // The next major collection comes when the old objects have grown by so much, and not by a factor of up to four.
  "--heap-growing-percent=60",
  // In a queue much outlives one minor collection and nothing a second. Made among the old objects at once, because the
  // first was outlived so often, it would wait there for a major one.
  "--no-allocation-site-pretenuring",
];

/** To be called once, before there is much to collect. */
export function tuneCollector(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
