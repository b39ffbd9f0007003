import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Where files take long, in the order to begin with. Which of two comes first matters little. */
const LONG = [
  "/test/browser/",
  "/test/proof/statistics.",
  "/test/proof/reservation.",
  "/test/chaos/chaos.",
  "/test/proof/",
  "/gateway/test/siege.",
  "/test/operations/",
  "/services/stats/test/maintenance.",
  "/test/local/",
  "/test/journey/",
];

/**
 * Begins with what takes long, so that no worker is left with it when the others have nothing to do any more. Vitest
 * does so by itself once it has seen the files run, but not on a fresh clone.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONG.findIndex((part) => moduleId.includes(part));
  return rank === -1 ? LONG.length : rank;
}
