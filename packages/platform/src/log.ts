import { type Logger as PinoLogger, pino } from "pino";
import type { LOG_LEVELS } from "./config.ts";

export type Logger = PinoLogger;

/**
 * A logger that writes JSON lines to standard output. Log facts and `reservation_ref`s: never a reservation
 * id, a token, a name or an e-mail.
 */
export function createLogger(service: string, level: (typeof LOG_LEVELS)[number] = "info"): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
  });
}
