/** What the load generator is told, as one line of JSON on its standard input. */
export type LoadSpec = {
  protocol: "grpc" | "http";
  host: string;
  port: number;
  connections: number;
  /** Requests in flight on each connection. HTTP/1.1 has one. */
  perConnection: number;
  /** Arrivals a second, at random moments. Without it every answer is followed by the next request. */
  ratePerSecond?: number;
  /** How long to send. */
  seconds: number;
  /** Latencies count from this second on. */
  countFrom: number;
  /** Each start picks one of these by chance and goes through its steps. */
  journeys: Step[][];
};

/** One request. A step is sent when the one before it was answered well. */
export type Step = {
  method: "POST" | "GET";
  path: string;
  /** In base64. Each place that holds a marker gets a value of its own. */
  body: string;
  /** More header lines, for HTTP/1.1. */
  headers?: Record<string, string>;
};

/** Stands where a request gets a new random UUID. */
export const NEW_ID = "00000000-aaaa-4aaa-8aaa-000000000000";

/** Stands where a request names the reservation that an answer before it in the journey named. */
export const RESERVATION_ID = "00000000-bbbb-4bbb-8bbb-000000000000";

/** What the generator says at its end, as the last line of its standard output. */
export type LoadResult = {
  /** Journeys that should have begun while latencies counted, and those of them that ended well. */
  begun: number;
  completed: number;
  /** Answers that said no, by what they said. */
  refused: Record<string, number>;
  /** Connections that broke. */
  lost: number;
  latencyMs: { p50: number; p95: number; p99: number; max: number };
};

/** What it says when every connection stands and the first requests leave. */
export const STARTED = "started";
