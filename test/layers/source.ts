import { isBuiltin } from "node:module";
import { parseSync, Visitor } from "oxc-parser";

/** One import of a file, in any of its spellings: static, re-export, dynamic, `require` and in a type. */
export type Import = {
  /** As written. */
  specifier: string;
  line: number;
  /** What is imported by name; empty for a whole module. */
  names: string[];
  /** Whether nothing of it is left at run time: the statement itself says `type`. */
  typeOnly: boolean;
};

/** A global through which code reaches the clock, chance or the world, such as `Date.now`. */
export type GlobalUse = { name: string; line: number };

export type Source = { imports: Import[]; globals: GlobalUse[] };

/** Reads what a file imports, and which impure globals it uses. Throws where the file does not parse. */
export function parseSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path} does not parse: ${errors[0].message}`);
  const source: Source = { imports: [], globals: [] };
  const lineAt = (offset: number): number => text.slice(0, offset).split("\n").length;

  const addImport = (from: unknown, start: number, names: string[], typeOnly: boolean): void => {
    const specifier = literalText(from);
    if (specifier !== undefined) source.imports.push({ specifier, line: lineAt(start), names, typeOnly });
  };
  const addGlobal = (name: string | undefined, start: number): void => {
    if (name !== undefined && IMPURE_GLOBALS.has(name)) source.globals.push({ name, line: lineAt(start) });
  };

  new Visitor({
    ImportDeclaration: (node) => {
      const names = node.specifiers.flatMap((one) =>
        one.type === "ImportSpecifier" ? [nameOf(one.imported)] : [],
      );
      addImport(node.source, node.start, names, node.importKind === "type");
    },
    ExportNamedDeclaration: (node) => {
      const names = node.specifiers.map(({ local }) => nameOf(local));
      addImport(node.source, node.start, names, node.exportKind === "type");
    },
    ExportAllDeclaration: (node) => addImport(node.source, node.start, [], node.exportKind === "type"),
    ImportExpression: (node) => addImport(node.source, node.start, [], false),
    TSImportType: (node) => addImport(node.source, node.start, [], true),
    CallExpression: (node) => {
      const callee = dottedName(node.callee);
      if (callee === "require") addImport(node.arguments[0], node.start, [], false);
      if (callee === "Date") addGlobal("Date()", node.start);
      if (node.callee.type === "Identifier") addGlobal(callee, node.start);
    },
    NewExpression: (node) => {
      if (dottedName(node.callee) === "Date" && node.arguments.length === 0)
        addGlobal("new Date()", node.start);
    },
    MemberExpression: (node) => addGlobal(dottedName(node), node.start),
  }).visit(program);
  return source;
}

/** The npm package or Node module that a specifier names: `node:fs` for `fs/promises`, `@grpc/grpc-js` ... */
export function packageOf(specifier: string): string {
  const [first = "", second = ""] = specifier.split("/");
  if (isBuiltin(specifier)) return first.startsWith("node:") ? first : `node:${first}`;
  return first.startsWith("@") ? `${first}/${second}` : first;
}

const IMPURE_GLOBALS = new Set([
  "Date()",
  "Date.now",
  "new Date()",
  "Math.random",
  "Temporal.Now",
  "crypto.getRandomValues",
  "crypto.randomUUID",
  "fetch",
  "performance.now",
  "process.env",
  "process.hrtime",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);

type Node = { type: string };

/** `a.b.c` for such a chain of plain names, without a leading `globalThis`; undefined for anything else. */
function dottedName(node: Node): string | undefined {
  if (node.type === "Identifier") return nameOf(node);
  if (node.type !== "MemberExpression") return undefined;
  const { object, property, computed } = node as Node & { object: Node; property: Node; computed: boolean };
  const left = computed ? undefined : dottedName(object);
  if (left === undefined) return undefined;
  return left === "globalThis" ? nameOf(property) : `${left}.${nameOf(property)}`;
}

/** The text of a string literal, or of a template without holes; undefined for a computed specifier. */
function literalText(node: unknown): string | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  const { value, quasis } = node as { value?: unknown; quasis?: { value: { cooked: string | null } }[] };
  if (typeof value === "string") return value;
  return quasis?.length === 1 ? (quasis[0]?.value.cooked ?? undefined) : undefined;
}

function nameOf(node: object): string {
  const { name, value } = node as { name?: string; value?: string };
  return name ?? value ?? "";
}
