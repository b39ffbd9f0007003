import { defineConfig } from "vitest/config";

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
    maxWorkers: 2,
    // Only what hangs takes so long; a busy machine may take long over everything.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
  },
});
