import { readFileSync, statSync } from "node:fs";
import type { Logger } from "./log.ts";

/** What a file holds, as it is now. */
export type FollowedFile<T> = {
  /** Another one after the file has changed. */
  readonly value: T;
  /** Looks at the file if that was not done within the last second, and reads it again where it has changed. */
  refresh(): void;
};

export type FollowOptions<T> = {
  file: string;
  /** @throws where the text is not what it should be */
  parse: (text: string) => T;
  /** What it holds, for the log. */
  what: string;
  log?: Logger | undefined;
};

const LOOK_EVERY_MS = 1000;

/**
 * Reads a file and follows its changes. One that becomes unreadable later leaves the value as it was and is logged,
 * once.
 *
 * @throws what `parse` throws, and when the file cannot be read at first
 */
export function followFile<T>({ file, parse, what, log }: FollowOptions<T>): FollowedFile<T> {
  let version = versionOf(file);
  let value = parse(readFileSync(file, "utf8"));
  let lookedAtMs = Date.now();
  return {
    get value() {
      return value;
    },
    refresh() {
      if (Date.now() - lookedAtMs < LOOK_EVERY_MS) return;
      lookedAtMs = Date.now();
      const now = versionOf(file);
      if (now === version) return;
      version = now;
      try {
        value = parse(readFileSync(file, "utf8"));
        log?.info({ file }, `${what} was read again`);
      } catch (error) {
        log?.error({ file, error }, `${what} cannot be read; what was read before stays in use`);
      }
    },
  };
}

/** Changes whenever the file is written or replaced, also where it is a link to another one from then on. */
export function versionOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "missing";
}
