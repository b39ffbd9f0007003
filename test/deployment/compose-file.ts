import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "../../local/config.ts";

/** What is read of a service of docker-compose.yml, in the one form of several that the file uses. */
export type ComposeService = {
  image: string;
  build?: string;
  user?: string;
  command: string[];
  environment?: Record<string, string>;
  secrets?: (string | { source: string; target: string })[];
  volumes?: string[];
  ports?: string[];
  networks?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  restart?: string;
  stop_grace_period?: string;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  deploy?: { replicas?: number; resources?: { limits?: { cpus: string; memory: string } } };
};

export type ComposeFile = {
  services: Record<string, ComposeService>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean } | null>;
};

export const COMPOSE_FILE = join(ROOT, "docker-compose.yml");

/**
 * Reads docker-compose.yml as compose does: with anchors, and with what stands for variables.
 *
 * @throws where a variable has to be set and is not
 */
export function readComposeFile(env: Record<string, string>): ComposeFile {
  const text = readFileSync(COMPOSE_FILE, "utf8");
  return parse(interpolate(text, env), { merge: true });
}

/** `${NAME}`, `${NAME:-fallback}` and `${NAME:?message}`. */
function interpolate(text: string, env: Record<string, string>): string {
  return text.replaceAll(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, how: string | undefined, rest: string) => {
      const value = env[name] || undefined;
      if (value === undefined && how === "?") throw new Error(`${name} is not set: ${rest}`);
      return value ?? (how === "-" ? rest : "");
    },
  );
}

/** Those that are our own processes or tools, by their names. */
export function ownServices({ services }: ComposeFile): [string, ComposeService][] {
  return Object.entries(services).filter(([, { build }]) => build !== undefined);
}

export const sourceOf = (secret: string | { source: string }): string =>
  typeof secret === "string" ? secret : secret.source;
