import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { Gauge } from "prom-client";
import { type Observe, QuickHistogram } from "../quick-histogram.ts";

/** gRPC's code for what went well, which Connect has no name for. */
export const OK = 0;

/** Notes how a call ended, and how long it took since `startedMs`, by `performance.now()`. */
export type NoteCall = (code: number, startedMs: number) => void;

/** For one method, of the calls that this process answers. It costs two readings of the clock, half a microsecond. */
export function callTimes(method: DescMethod): NoteCall {
  const known = NOTES.get(method);
  if (known !== undefined) return known;
  const byCode: (Observe | undefined)[] = [];
  const note: NoteCall = (code, startedMs) => {
    byCode[code] ??= DURATION.series({ ...labelsOf(method), code: nameOf(code) });
    byCode[code]((performance.now() - startedMs) / 1000);
  };
  NOTES.set(method, note);
  return note;
}

/** Counts the streams that are open. */
export function openStreams(method: DescMethod): { inc(): void; dec(): void } {
  const { service, method: name } = labelsOf(method);
  return STREAMS.labels(service, name);
}

const DURATION = new QuickHistogram({
  name: "boxoffice_rpc_duration_seconds",
  help: "How long calls with one answer took, by how they ended.",
  labels: ["service", "method", "code"],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});

const STREAMS = new Gauge({
  name: "boxoffice_rpc_open_streams",
  help: "Streams that are open.",
  labelNames: ["service", "method"],
});

const NOTES = new WeakMap<DescMethod, NoteCall>();

const labelsOf = ({ parent, name }: DescMethod) => ({ service: parent.typeName, method: name });

/** As gRPC writes it: "FAILED_PRECONDITION". */
function nameOf(code: number): string {
  if (code === OK) return "OK";
  if (code === Code.Canceled) return "CANCELLED";
  return (Code[code] ?? "Unknown").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
