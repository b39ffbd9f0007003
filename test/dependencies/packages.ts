import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a package.json says, as far as it is judged here. */
export type Manifest = {
  version?: string;
  license?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  allowScripts?: Record<string, boolean>;
};

/** What package-lock.json says of one package. */
export type Locked = {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  link?: boolean;
  dev?: boolean;
  devOptional?: boolean;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
};

/** A checkout's packages: its own, and those of others that it stands on. */
export type Packages = {
  /** Our own package.json files by their folder; "" is the root. */
  own: ReadonlyMap<string, Manifest>;
  /** The entries of package-lock.json by their place, such as `node_modules/pg`. */
  locked: ReadonlyMap<string, Locked>;
  /** What is installed at such a place; undefined where nothing is, as with another platform's binaries. */
  installed(place: string): Manifest | undefined;
  /** The text of .npmrc. */
  npmrc: string;
};

/** @param root the checkout's folder */
export function readPackages(root: string): Packages {
  const read = (...path: string[]) => JSON.parse(readFileSync(join(root, ...path), "utf8"));
  const lock = read("package-lock.json") as { packages: Record<string, Locked> };
  const locked = new Map(Object.entries(lock.packages));
  const folders = [...locked.keys()].filter((place) => !place.includes("node_modules"));
  return {
    own: new Map(folders.map((folder) => [folder, read(folder, "package.json")])),
    locked,
    installed: (place) =>
      existsSync(join(root, place, "package.json")) ? read(place, "package.json") : undefined,
    npmrc: readFileSync(join(root, ".npmrc"), "utf8"),
  };
}

/** Those of others, by their place. Our own stand in node_modules as links. */
export const foreignPackages = ({ locked }: Pick<Packages, "locked">): [place: string, entry: Locked][] =>
  [...locked].filter(([place, entry]) => place.includes("node_modules/") && entry.link !== true);

/** `node_modules/a/node_modules/@b/c` is `@b/c`. */
export const nameOf = (place: string): string =>
  place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
