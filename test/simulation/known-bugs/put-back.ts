import { registerHooks } from "node:module";
import type { Edit, KnownBug } from "./known-bug.ts";

const ROOT = new URL("../../../", import.meta.url);

/**
 * Has this process load the product with a bug in it. Call it before any of the product is imported.
 *
 * @returns what throws an Error unless all of the bug is in what was loaded since
 */
export function putBack({ name, edits }: KnownBug): () => void {
  const left = new Set(edits);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const own = edits.filter(({ module }) => new URL(module, ROOT).href === url);
      if (own.length === 0) return loaded;
      let source = Buffer.from(loaded.source as Uint8Array).toString();
      for (const edit of own) {
        source = edited(source, edit);
        left.delete(edit);
      }
      return { ...loaded, source };
    },
  });
  return () => {
    if (left.size === 0) return;
    throw new Error(`the bug "${name}" is not in: ${[...left].map(({ module }) => module).join(", ")}`);
  };
}

/** @throws Error where the text is not there, or more than once: a bug that is not in is found by nobody */
export function edited(source: string, { module, text, replacement }: Edit): string {
  const parts = source.split(text);
  if (parts.length !== 2)
    throw new Error(`${module} has ${parts.length - 1} times what a known bug replaces: ${text}`);
  return parts.join(replacement);
}
