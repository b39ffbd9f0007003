import { z } from "zod";

/** A setting is missing or wrong. The message has a line per variable and never repeats a value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads settings from the environment, once, at start. `shape` names each variable with its type; an empty
 * value counts as unset. Values are never repeated in errors, because some of them are secrets.
 *
 * @throws ConfigError that names every variable that is missing or wrong
 */
export function readConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Record<string, string | undefined> = process.env,
): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const result = z.object(shape).safeParse(given);
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `${name} ${name in given ? message : "is not set"}`;
  });
  throw new ConfigError(lines.join("\n"));
}

/** The types of settings that several processes have. */
export const setting = {
  text: () => z.string(),
  /** 0 lets the system choose. */
  port: (fallback: number) => integer(0, 65_535).default(fallback),
  integer: (range: { min: number; max: number; fallback: number }) =>
    integer(range.min, range.max).default(range.fallback),
  url: (...protocols: string[]) =>
    z.string().refine((text) => protocols.includes(protocolOf(text)), {
      error: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
    }),
  oneOf: <const Choice extends string>(choices: readonly Choice[], fallback: Choice) =>
    z.enum(choices, { error: `must be one of ${choices.join(", ")}` }).default(fallback),
} as const;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** What every process of the box office takes. */
export const commonSettings = {
  LISTEN_HOST: setting.text().default("127.0.0.1"),
  ADMIN_HOST: setting.text().default("127.0.0.1"),
  LOG_LEVEL: setting.oneOf(LOG_LEVELS, "info"),
  JWKS_FILE: setting.text(),
  PRIVATE_KEY_FILE: setting.text(),
};

function integer(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error });
}

function protocolOf(text: string): string {
  return URL.canParse(text) ? new URL(text).protocol : "";
}
