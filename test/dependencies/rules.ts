import { foreignPackages, type Locked, type Manifest, nameOf, type Packages } from "./packages.ts";

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
const SHA512 = /^sha512-[\w+/]{86}==$/;

/** Licences under which a package may be part of what is run. They ask for no more than their own text. */
const IN_PRODUCTION = [
  "MIT",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "BlueOak-1.0.0",
  "0BSD",
  "Unlicense",
];

/** Under which a tool may be used to build and test it besides. */
const IN_DEVELOPMENT = [...IN_PRODUCTION, "MPL-2.0", "Python-2.0"];

/**
 * What is wrong with what this product stands on, in words: versions that may move, packages that nothing vouches for,
 * places where only some can fetch them, scripts that nobody has decided about, and licences that nobody has.
 */
export function dependencyFaults(packages: Packages): string[] {
  return [
    ...[...packages.own].flatMap(([folder, manifest]) => manifestFaults(folder, manifest, packages.locked)),
    ...foreignPackages(packages).flatMap(([place, entry]) => entryFaults(place, entry, packages)),
    ...npmrcFaults(packages.npmrc),
  ];
}

/** A package of ours: its dependencies are pinned, and are those of the lock file. */
function manifestFaults(folder: string, manifest: Manifest, locked: Packages["locked"]): string[] {
  const file = `${folder === "" ? "" : `${folder}/`}package.json`;
  const entry = locked.get(folder);
  return DEPENDENCIES.flatMap((kind) => {
    const wanted = manifest[kind] ?? {};
    const faults = Object.entries(wanted)
      .filter(([name, version]) => !(name.startsWith("@boxoffice/") ? version === "*" : EXACT.test(version)))
      .map(([name, version]) => `${file}: ${name} is not pinned ("${version}")`);
    if (JSON.stringify(sorted(wanted)) !== JSON.stringify(sorted(entry?.[kind] ?? {}))) {
      faults.push(`${file}: its ${kind} are not those of package-lock.json`);
    }
    return faults;
  });
}

const DEPENDENCIES = ["dependencies", "devDependencies", "optionalDependencies"] as const;

const sorted = (record: Record<string, string>): [string, string][] =>
  Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));

/** A package of somebody else's. */
function entryFaults(place: string, entry: Locked, { own, installed }: Packages): string[] {
  const faults: string[] = [];
  if (!EXACT.test(entry.version ?? "")) faults.push(`has no exact version ("${entry.version}")`);
  if (!SHA512.test(entry.integrity ?? "")) faults.push("has no SHA-512 to be known by");
  if (entry.resolved !== undefined)
    faults.push(`is tied to one place to be fetched from (${entry.resolved})`);
  if (entry.hasInstallScript && own.get("")?.allowScripts?.[nameOf(place)] === undefined) {
    faults.push("runs a script when it is installed, and allowScripts says neither yes nor no");
  }
  faults.push(...licenceFaults(entry));
  const there = installed(place);
  if (there !== undefined && there.version !== entry.version) {
    faults.push(`is locked as ${entry.version}, and installed as ${there.version}`);
  }
  if (typeof there?.license === "string" && there.license !== entry.license) {
    faults.push(`is locked as ${entry.license}, and says of itself ${there.license}`);
  }
  return faults.map((fault) => `${place} ${fault}`);
}

function licenceFaults({ license = "", dev }: Locked): string[] {
  const allowed = dev ? IN_DEVELOPMENT : IN_PRODUCTION;
  return isAllowed(license, allowed)
    ? []
    : [`is under "${license}", which is not among ${allowed.join(", ")}`];
}

/** Of `A OR B` one is enough, of `A AND B` both are needed. */
function isAllowed(expression: string, allowed: readonly string[]): boolean {
  const bare = expression.replace(/^\((.*)\)$/, "$1");
  if (bare.includes(" OR ")) return bare.split(" OR ").some((one) => isAllowed(one, allowed));
  return bare.split(" AND ").every((one) => allowed.includes(one));
}

/** Where packages come from, and with which secret, is each machine's own business. */
function npmrcFaults(npmrc: string): string[] {
  const faults = /registry|_auth|_password|:\/\//i.test(npmrc) ? [".npmrc names a registry or a secret"] : [];
  if (!/^save-exact=true$/m.test(npmrc)) faults.push(".npmrc does not have new dependencies pinned");
  return faults;
}
