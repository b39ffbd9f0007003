import { setTimeout as delay } from "node:timers/promises";
import {
  type StatsTask,
  StatsTaskSchema,
  StatsTaskState,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { EXIT } from "../failure.ts";
import { type Answer, answering, jsonOf, operatorCommand } from "../operator-command.ts";
import type { Services } from "../services.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";

const LOOK_EVERY_MS = 500;

/** `stats rebuild`: counts everything again, and shows that. */
export function rebuildCommand(terminal: Terminal): Command {
  return operatorCommand("rebuild")
    .description("Count everything again from the services that own it, and show that instead.")
    .addHelpText(
      "after",
      "\nSelling and counting go on meanwhile, and the old figures are shown until the end.",
    )
    .action(
      answering(terminal, async ({ stats }, _options: object) => {
        const { taskId } = await stats.rebuildStats({});
        const task = await ended(stats, taskId);
        return answerOf(task, `Counted ${task.entities} again${tookOf(task)}: these are the figures now.`);
      }),
    );
}

/** `stats verify`: whether the statistics are right. */
export function verifyCommand(terminal: Terminal): Command {
  return operatorCommand("verify")
    .description("Compare the statistics with a recount of what the services have. Changes nothing.")
    .addHelpText(
      "after",
      "\nEnds with 2 where they differ. What was only lost on its way is then asked for again by itself; for all else" +
        "\nthere is `stats rebuild`.",
    )
    .action(
      answering(terminal, async ({ stats }, _options: object) => {
        const { taskId } = await stats.verifyStats({});
        const task = await ended(stats, taskId);
        return answerOf(task, `The statistics are right: ${task.entities} were counted${tookOf(task)}.`);
      }),
    );
}

/** Waits for the end of a task. */
async function ended(stats: Services["stats"], taskId: string): Promise<StatsTask> {
  for (;;) {
    const { tasks } = await stats.listStatsTasks({});
    const task = tasks.find((one) => one.taskId === taskId);
    if (task === undefined) throw new Error("the statistics know nothing of what was begun");
    if (task.state === StatsTaskState.SUCCEEDED || task.state === StatsTaskState.FAILED) return task;
    await delay(LOOK_EVERY_MS);
  }
}

function answerOf(task: StatsTask, good: string): Answer {
  const json = jsonOf(StatsTaskSchema, task);
  if (task.state === StatsTaskState.FAILED)
    return { json, text: `It could not be done: ${task.problem}`, exit: EXIT.unanswered };
  if (task.differenceCount === 0n) return { json, text: good };
  const rows = task.differences.map(({ subject, id, field, counted, expected }) => ({
    what: subject,
    id,
    field,
    counted,
    expected,
  }));
  const more = task.differenceCount - BigInt(rows.length);
  return {
    json,
    text:
      table(["what", "id", "field", "counted", "expected"], rows) +
      (more > 0n ? `\nand ${more} more` : "") +
      `\nThe statistics are wrong: ${task.differenceCount} differences (${task.entities} were counted).`,
    exit: EXIT.wrong,
  };
}

function tookOf({ startTime, endTime }: StatsTask): string {
  if (startTime === undefined || endTime === undefined) return "";
  return ` in ${((timestampMs(endTime) - timestampMs(startTime)) / 1_000).toFixed(1)} s`;
}
