import { defineConfig } from "vitest/config";
import LongestFirst from "./test/support/longest-first.ts";

export default defineConfig({
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "services/*/test/**/*.test.ts",
      "gateway/test/**/*.test.ts",
      "bench/test/**/*.test.ts",
      "web/test/**/*.test.ts",
      "test/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/fixtures/**"],
    globalSetup: ["test/support/servers.ts"],
    reporters: ["default", "./test/support/summary-reporter.ts"],
    sequence: { sequencer: LongestFirst },
    // A worker reads every module once, and not once for each of a hundred files. So a file puts back what it changes
    // of what all share: the environment, the clock, the metrics.
    isolate: false,
    // What takes long mostly waits, for holds that end and processes that start.
    maxWorkers: 3,
    // Only what hangs takes so long; a busy machine may take long over everything.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
  },
});
