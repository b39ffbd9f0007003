import { isBuiltin } from "node:module";
import { type Breach, importBreach } from "./breach.ts";
import type { Edge, Graph, SourceFile } from "./graph.ts";

/** Imports by which a domain file reaches out of the process, itself or through a file of another package. */
export function domainReachingOut(graph: Graph): Breach[] {
  return domainFiles(graph).flatMap((file) =>
    file.edges.flatMap((edge) => {
      // Its main.ts and rpc have rules of their own.
      if (edge.place?.layer) return isOuterLayer(edge) ? [importBreach(file, edge)] : [];
      if (edge.package !== undefined) return isForbidden(edge.package) ? [importBreach(file, edge)] : [];
      const way = edge.typeOnly ? undefined : wayOut(graph, edge.file);
      return way ? [importBreach(file, edge, `, which leads to ${way}`)] : [];
    }),
  );
}

/** Clocks, random numbers and timers in domain files, used as globals or imported. */
export function domainTellingTime(graph: Graph): Breach[] {
  return domainFiles(graph).flatMap((file) => [
    ...file.globals.map(({ name, line }) => ({ file: file.path, line, found: `uses ${name}` })),
    ...file.edges.flatMap((edge) => {
      const random = RANDOM_EXPORTS[edge.package ?? ""];
      const name = edge.names.find((one) => random?.test(one));
      return name === undefined ? [] : [{ ...importBreach(file, edge), found: `imports ${name}` }];
    }),
  ]);
}

/** Node modules that only compute. */
const PURE_MODULES = new Set(["node:assert", "node:buffer", "node:crypto", "node:util"]);

const IO_PACKAGES =
  /^(pg(-.*)?|nats|@nats-io\/.*|@grpc\/grpc-js|@connectrpc\/connect-node|pino|node-pg-migrate)$/;

/** What a domain file may not import itself: errors of the platform carry Connect's codes, for instance. */
const CALL_PACKAGES = /^@(grpc|connectrpc)\//;

/** The exports of otherwise pure packages that differ from one call to the next. */
const RANDOM_EXPORTS: Record<string, RegExp> = {
  "node:crypto": /^(random|getRandom|webcrypto)/,
  uuid: /^v[1-8]$/,
};

/**
 * By which files and to which package an import brings I/O along at run time: "packages/platform/src/database.ts,
 * pg". Undefined if it brings none.
 */
function wayOut(graph: Graph, path = "", seen = new Set<string>()): string | undefined {
  seen.add(path);
  for (const edge of graph.get(path)?.edges ?? []) {
    if (edge.typeOnly) continue;
    if (edge.package !== undefined && doesIo(edge.package)) return `${path}, ${edge.package}`;
    if (edge.file === undefined || seen.has(edge.file)) continue;
    const way = wayOut(graph, edge.file, seen);
    if (way !== undefined) return `${path}, ${way}`;
  }
  return undefined;
}

function domainFiles(graph: Graph): SourceFile[] {
  return [...graph.values()].filter(({ place }) => place.layer === "domain" && !place.test);
}

function isOuterLayer({ place }: Edge): boolean {
  return place?.layer === "store" || place?.layer === "provider" || place?.layer === "worker";
}

function isForbidden(name: string): boolean {
  return CALL_PACKAGES.test(name) || doesIo(name);
}

function doesIo(name: string): boolean {
  return IO_PACKAGES.test(name) || (isBuiltin(name) && !PURE_MODULES.has(name));
}
