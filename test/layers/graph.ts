import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Place, placeOf } from "./place.ts";
import { type GlobalUse, type Import, packageOf, parseSource } from "./source.ts";

/** An import that knows where it leads: to a file of the tree, by its path from the root, or to a package. */
export type Edge = Import & { file?: string; place?: Place; package?: string };

export type SourceFile = { path: string; place: Place; edges: Edge[]; globals: GlobalUse[] };

/** Every source file of a tree, by its path from the root. */
export type Graph = ReadonlyMap<string, SourceFile>;

const SOURCE_FILE = /\.(ts|tsx|mts|js|mjs)$/;
const IGNORED_FOLDERS = new Set(["node_modules", "fixtures", "coverage", "dist"]);

/** Generated code imports only generated code and its runtime; parsing it would tell nothing. */
const GENERATED = "proto/gen/";

/** Reads the import graph of the tree below `root`. */
export function readGraph(root: string): Graph {
  const paths = filesBelow(root);
  const folders = packageFolders(root, paths);
  const graph = new Map<string, SourceFile>();
  for (const path of paths) {
    if (!SOURCE_FILE.test(path) || path.startsWith(GENERATED)) continue;
    const { imports, globals } = parseSource(path, readFileSync(join(root, path), "utf8"));
    const edges = imports.map((one) => ({ ...one, ...destination(path, one.specifier, folders) }));
    graph.set(path, { path, place: placeOf(path), edges, globals });
  }
  return graph;
}

/** From the name of each workspace package to the folder that its exports map to. */
type PackageFolders = ReadonlyMap<string, string>;

function destination(from: string, specifier: string, folders: PackageFolders): Partial<Edge> {
  const name = packageOf(specifier);
  const folder = specifier.startsWith(".") ? posix.dirname(from) : folders.get(name);
  if (folder === undefined) return { package: name };
  const file = posix.join(folder, specifier.startsWith(".") ? specifier : specifier.slice(name.length + 1));
  return { file, place: placeOf(file) };
}

function packageFolders(root: string, paths: string[]): PackageFolders {
  const manifests = paths.filter((path) => path.endsWith("/package.json"));
  return new Map(
    manifests.map((path) => {
      const { name, exports } = JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest;
      return [name, posix.join(posix.dirname(path), (exports?.["./*"] ?? "./*").replace("*", ""))];
    }),
  );
}

type Manifest = { name: string; exports?: { "./*"?: string } };

function filesBelow(root: string, folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isFile()) return [path];
    const entered = entry.isDirectory() && !entry.name.startsWith(".") && !IGNORED_FOLDERS.has(entry.name);
    return entered ? filesBelow(root, path) : [];
  });
}
