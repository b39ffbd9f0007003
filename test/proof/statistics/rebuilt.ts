import { setTimeout as delay } from "node:timers/promises";
import { type StatsTask, StatsTaskState } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { until } from "../../faults/until.ts";
import type { Property } from "../property.ts";
import { told } from "../tally.ts";
import { saleViolations, sellDuring, untilExact, untilQuiet, type World, worldOf } from "./world.ts";

const REBUILDS = { full: 5, short: 1 };
const ANSWERS_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 180_000;
const SLOW_MS = 5_000;

/** Everything is counted again beside what is shown, while the sale goes on, and once the process dies in the middle. */
export const rebuilt: Property = {
  name: "rebuilt",
  says: "rebuilt during a sale, also when killed in the middle, and verified during it, the statistics are exact",
  async prove({ office, random, size }) {
    const world = await worldOf(office);
    const { statistics, stats } = world;
    const violations: string[] = [];
    let entities = 0n;
    const sold = await sellDuring(world, random, async () => {
      for (let time = 0; time < REBUILDS[size]; time++) {
        // What readers of the generation before might still need is kept for a minute: here nobody does.
        await office.database.query({ text: "update stats.progress set clear_after = stats.clock()" });
        const taskId = await begin(() => statistics.rebuildStats({}));
        if (time === 0 || random.chance(0.5)) {
          await delay(random.int(0, 600));
          await stats.process.kill();
          await office.database.query({
            text: "update stats.tasks set run_until = stats.clock() where state = 'RUNNING'",
          });
          await stats.process.start();
        }
        const task = await ended(world, taskId);
        entities = task.entities;
        if (task.state !== StatsTaskState.SUCCEEDED) violations.push(`a rebuild failed: ${task.problem}`);
      }
      violations.push(...(await verify(world)));
    });
    await untilQuiet(world, sold.eventIds);
    const { ms, violations: differences } = await untilExact(world, sold.eventIds);
    violations.push(...differences, ...(await verify(world)), ...saleViolations(sold, SLOW_MS));
    return {
      counts: {
        rebuilds: REBUILDS[size],
        "entities counted again": Number(entities),
        "calls of the sale": sold.words.length,
        "exact after ms": Math.round(ms),
      },
      violations,
    };
  },
};

async function verify(world: World): Promise<string[]> {
  const taskId = await begin(() => world.statistics.verifyStats({}));
  const { state, problem, differences } = await ended(world, taskId);
  if (state !== StatsTaskState.SUCCEEDED) return [`a verification failed: ${problem}`];
  return differences.map(
    ({ subject, id, field, counted, expected }) =>
      `the verification found ${field} of ${subject} ${id} to be ${counted} in place of ${expected}`,
  );
}

/** A process that was started again takes a moment to be found again. */
async function begin(ask: () => Promise<{ taskId: string }>): Promise<string> {
  let taskId: string | undefined;
  await until("the statistics answer", ANSWERS_WITHIN_MS, async () => {
    const outcome = await told(ask());
    if (outcome.kind === "answered") taskId = outcome.answer.taskId;
    return taskId !== undefined;
  });
  return taskId ?? "";
}

async function ended({ statistics }: World, taskId: string): Promise<StatsTask> {
  let task: StatsTask | undefined;
  await until("the task has ended", ENDS_WITHIN_MS, async () => {
    const outcome = await told(statistics.listStatsTasks({}));
    if (outcome.kind !== "answered") return false;
    task = outcome.answer.tasks.find((one) => one.taskId === taskId);
    return task?.state === StatsTaskState.SUCCEEDED || task?.state === StatsTaskState.FAILED;
  });
  if (task === undefined) throw new Error("the task is forgotten");
  return task;
}
