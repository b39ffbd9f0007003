import { type Logger as PinoLogger, pino } from "pino";
import type { LOG_LEVELS } from "./config.ts";
import { traceIdOf } from "./tracing.ts";

export type Logger = PinoLogger;

/**
 * A logger that writes JSON lines to standard output. Log facts and `reservation_ref`s: never a reservation
 * id, a token, a name or an e-mail. Where traces are collected, a line names the one that it belongs to.
 */
export function createLogger(service: string, level: (typeof LOG_LEVELS)[number] = "info"): Logger {
  return pino({
    level,
    base: { service },
    mixin: withTrace,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
  });
}

function withTrace(): { trace_id?: string } {
  const traceId = traceIdOf();
  return traceId === undefined ? {} : { trace_id: traceId };
}
