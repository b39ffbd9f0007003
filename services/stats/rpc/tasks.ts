import {
  StatsTaskKind,
  type StatsTaskSchema,
  StatsTaskState,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Task } from "../store/tasks.ts";

export const toTaskMessage = (task: Task): MessageInitShape<typeof StatsTaskSchema> => ({
  taskId: task.taskId,
  kind: StatsTaskKind[task.kind],
  state: StatsTaskState[task.state],
  requestTime: timestampFromDate(task.requestedAt),
  ...(task.startedAt && { startTime: timestampFromDate(task.startedAt) }),
  ...(task.endedAt && { endTime: timestampFromDate(task.endedAt) }),
  entities: task.entities,
  differences: task.differences,
  differenceCount: task.differenceCount,
  problem: task.problem ?? "",
});
