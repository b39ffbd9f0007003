import { registerHooks } from "node:module";
import type { Edit, KnownBug } from "./known-bug.ts";

const ROOT = new URL("../../../", import.meta.url);

/** What there is a copy of for each bug; all else is the same for all. Metrics can be registered once only. */
const COPIED = [new URL("services/", ROOT).href, new URL("test/simulation/", ROOT).href];
const SHARED = /\/metrics\.ts$/;

/** In the URL of a module that belongs to a copy. */
const MARK = "?bug=";

/** Bugs that copies were made with, and what of each was not put into any module yet. */
const bugs = new Map<string, { bug: KnownBug; left: Set<Edit> }>();

/**
 * Imports a module of the simulation together with a copy of the product that has a bug.
 *
 * @param path from the root of the product
 * @throws Error where what the bug replaces is not there
 */
export async function importWithBug<Module>(path: string, bug: KnownBug): Promise<Module> {
  if (bugs.size === 0) registerHooks({ resolve, load });
  const left = new Set(bug.edits);
  bugs.set(bug.name, { bug, left });
  const module = (await import(`${new URL(path, ROOT).href}${MARK}${bug.name}`)) as Module;
  if (left.size === 0) return module;
  throw new Error(`the bug "${bug.name}" is not in: ${[...left].map((edit) => edit.module).join(", ")}`);
}

/** @throws Error where the text is not there, or more than once: a bug that is not in is found by nobody */
export function edited(source: string, { module, text, replacement }: Edit): string {
  const parts = source.split(text);
  if (parts.length !== 2)
    throw new Error(`${module} has ${parts.length - 1} times what a known bug replaces: ${text}`);
  return parts.join(replacement);
}

type Hooks = Required<Parameters<typeof registerHooks>[0]>;

/** What a module of a copy imports belongs to the same copy. */
const resolve: Hooks["resolve"] = (specifier, context, nextResolve) => {
  const resolved = nextResolve(specifier, context);
  const [, name] = context.parentURL?.split(MARK) ?? [];
  const isCopied = COPIED.some((folder) => resolved.url.startsWith(folder)) && !SHARED.test(resolved.url);
  return name === undefined || !isCopied ? resolved : { ...resolved, url: `${resolved.url}${MARK}${name}` };
};

const load: Hooks["load"] = (url, context, nextLoad) => {
  const loaded = nextLoad(url, context);
  const [file, name = ""] = url.split(MARK);
  const { bug, left } = bugs.get(name) ?? {};
  const edits = bug?.edits.filter(({ module }) => new URL(module, ROOT).href === file) ?? [];
  if (edits.length === 0) return loaded;
  let source = Buffer.from(loaded.source as Uint8Array).toString();
  for (const edit of edits) {
    source = edited(source, edit);
    left?.delete(edit);
  }
  return { ...loaded, source };
};
