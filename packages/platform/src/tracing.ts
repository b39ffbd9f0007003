import {
  type Attributes,
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { setting } from "./config.ts";

/** Where traces go, and which share of those that begin here is kept. */
export const tracingSettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting.url("http:", "https:").optional(),
  OTEL_TRACES_SAMPLER_ARG: setting.share(1),
};

/** Undefined while nobody collects traces: then every function here does nothing, and costs next to nothing. */
let tracer: Tracer | undefined;

/** A batch names at most so many of the traces that it is a part of. */
const MAX_LINKS = 32;

/** How long the last spans may take to be sent when the process stops, in milliseconds. */
const STOP_WITHIN_MS = 2_000;

export type TracingOptions = {
  /** The process's name. */
  service: string;
  /** Of an OTLP collector over HTTP, without `/v1/traces`. */
  endpoint: string;
  /** From 0 to 1. A trace that began elsewhere is kept where that one says so. */
  share: number;
};

/**
 * Collects spans from now on and sends them by OTLP, some at a time; what cannot be sent in time is dropped. The
 * libraries for it are loaded only here.
 *
 * @returns what sends the last ones
 */
export async function startTracing({
  service,
  endpoint,
  share,
}: TracingOptions): Promise<() => Promise<void>> {
  const [sdk, { AsyncLocalStorageContextManager }, { resourceFromAttributes }, { OTLPTraceExporter }] =
    await Promise.all([
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/context-async-hooks"),
      import("@opentelemetry/resources"),
      import("@opentelemetry/exporter-trace-otlp-http"),
    ]);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, "")}/v1/traces` });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ "service.name": service, "service.namespace": "boxoffice" }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000 })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  tracer = provider.getTracer("boxoffice");
  return async () => {
    const limit = new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref());
    await Promise.race([provider.shutdown(), limit]);
  };
}

export const isTracing = (): boolean => tracer !== undefined;

export type SpanOptions = {
  kind?: keyof typeof SpanKind;
  /** The W3C `traceparent` of what it is a part of; the span around it unless given. */
  parent?: string | undefined;
  /** What it is a part of besides. */
  links?: readonly SpanContext[];
  /** No customer, no card, no token, no id of a reservation. */
  attributes?: Attributes;
};

/** Does `work` as a span, which ends with it. */
export async function traced<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  if (tracer === undefined) return work();
  const { kind = "INTERNAL", parent, links = [], attributes = {} } = options;
  const around = contextOf(parent) ?? context.active();
  const linked = links.slice(0, MAX_LINKS).map((one): Link => ({ context: one }));
  const span = tracer.startSpan(name, { kind: SpanKind[kind], links: linked, attributes }, around);
  try {
    return await context.with(trace.setSpan(around, span), work);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** Says more of the span that the caller is in. */
export function annotate(attributes: Attributes): void {
  if (tracer !== undefined) trace.getActiveSpan()?.setAttributes(attributes);
}

/** The span that the caller is in, to be named by a batch that does its work. */
export function activeSpan(): SpanContext | undefined {
  return tracer === undefined ? undefined : trace.getActiveSpan()?.spanContext();
}

/**
 * Does the work of several callers as one span: a part of the trace of the first one that is kept, which names the
 * others, at most 32 of them and each once.
 *
 * @param callers where each was when he asked, or the `traceparent` that he left
 */
export function tracedTogether<T>(
  name: string,
  callers: readonly (SpanContext | string | undefined)[],
  work: () => Promise<T>,
  kind?: SpanOptions["kind"],
): Promise<T> {
  if (tracer === undefined) return work();
  const byId = new Map<string, SpanContext>();
  for (const caller of callers) {
    const known = typeof caller === "string" ? parseTraceparent(caller) : caller;
    if (known !== undefined) byId.set(known.spanId, known);
  }
  const all = [...byId.values()];
  const first = all.find(isKept) ?? all[0];
  const links = all.filter((one) => one !== first);
  const attributes = { "boxoffice.batch.size": callers.length };
  const parent = first && toTraceparent(first);
  return traced(name, { parent, links, attributes, ...(kind && { kind }) }, work);
}

const isKept = ({ traceFlags }: SpanContext): boolean => (traceFlags & TraceFlags.SAMPLED) !== 0;

/** The W3C `traceparent` of the span that the caller is in, for whatever takes part in it elsewhere. */
export function activeTraceparent(): string | undefined {
  const active = activeSpan();
  return active && toTraceparent(active);
}

/** The trace that the caller is in, or that a `traceparent` names, for the log. */
export function traceIdOf(traceparent?: string | null): string | undefined {
  return (traceparent ? parseTraceparent(traceparent) : activeSpan())?.traceId;
}

const toTraceparent = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;

/** Of version 00, whose first fields every later one has too; what is not one begins a trace of its own. */
function parseTraceparent(traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] =
    /^[0-9a-e][0-9a-f]-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

function contextOf(traceparent: string | undefined): Context | undefined {
  const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  return parent && trace.setSpanContext(ROOT_CONTEXT, parent);
}
