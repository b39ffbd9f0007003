import { writeSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

/**
 * Ends the run with `N passed, N failed, N skipped`, alone on the very last line. A file that did not load, an
 * error outside of every test, and a run that did not come to its end count as failed.
 */
export default class SummaryReporter implements Reporter {
  #count = { passed: 0, failed: 1, skipped: 0 };

  onInit(): void {
    process.once("exit", (code) => {
      const { passed, failed, skipped } = this.#count;
      if (failed > 0 && code === 0) process.exitCode = 1;
      const failures = code === 0 ? failed : Math.max(failed, 1);
      writeSync(1, `${passed} passed, ${failures} failed, ${skipped} skipped\n`);
    });
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      const states = [...module.children.allTests()].map((test) => test.result().state);
      for (const state of states) count[state === "pending" ? "failed" : state]++;
      if (module.state() === "failed" && !states.includes("failed")) count.failed++;
    }
    this.#count = count;
  }
}
