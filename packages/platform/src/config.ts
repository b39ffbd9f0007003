import { readFileSync } from "node:fs";
import { z } from "zod";

/** A setting is missing or wrong. The message has a line per variable and never repeats a value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads settings from the environment, once, at start. `shape` names each variable with its type; an empty
 * value counts as unset. Each may stand in a file instead, which `<NAME>_FILE` names, as secrets do where containers
 * run. Values are never repeated in errors, because some of them are secrets.
 *
 * @throws ConfigError that names every variable that is missing or wrong
 */
export function readConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Record<string, string | undefined> = process.env,
): z.output<z.ZodObject<Shape>> {
  const given: Record<string, string> = {};
  const problems = new Map<string, string>();
  for (const name of Object.keys(shape)) {
    try {
      const value = settingOf(name, env);
      if (value !== undefined) given[name] = value;
    } catch (error) {
      problems.set(name, (error as Error).message);
    }
  }
  const result = z.object(shape).safeParse(given);
  if (result.success && problems.size === 0) return result.data;
  for (const { path, message } of result.error?.issues ?? []) {
    const name = String(path[0]);
    if (!problems.has(name)) problems.set(name, `${name} ${name in given ? message : "is not set"}`);
  }
  throw new ConfigError([...problems.values()].join("\n"));
}

/** What is set, in the environment or in a file; a newline at the file's end, which editors make, does not count. */
function settingOf(name: string, env: Record<string, string | undefined>): string | undefined {
  const value = env[name] || undefined;
  const file = env[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined) throw new Error(`${name} and ${name}_FILE are both set: set one of them`);
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "") || undefined;
  } catch (cause) {
    throw new Error(`${name}_FILE names a file that cannot be read`, { cause });
  }
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
  /** From 0 to 1. */
  share: (fallback: number) => {
    const error = "must be a number from 0 to 1";
    const number = z.string().regex(/^(0(\.\d+)?|1(\.0+)?)$/, { error });
    return number.transform(Number).default(fallback);
  },
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
