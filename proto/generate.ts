/**
 * Generates the TypeScript of the contract into gen/, which is committed.
 *
 *   npm run generate                writes gen/
 *   npm run generate -- --check     fails when gen/ differs from what the contract says
 *   npm run proto:release           makes today's contract the one that later changes may not break
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { describeApi } from "./openapi.ts";
import { printProto } from "./print-proto.ts";

const here = import.meta.dirname;

/** The released contract, as a buf image: what `buf breaking` compares with. */
export const RELEASED_IMAGE = "released.binpb";

/** In gen/: the JSON API as OpenAPI, which the gateway serves. */
const API_DESCRIPTION = "openapi.json";

/** Published interfaces, by the path they are imported as, and the npm package that carries each. */
const PUBLISHED = {
  "google/rpc/error_details.proto": "google-proto-files/google/rpc/error_details.proto",
  "google/rpc/status.proto": "google-proto-files/google/rpc/status.proto",
  "grpc/health/v1/health.proto": "grpc-health-check/proto/health/v1/health.proto",
  "grpc/reflection/v1/reflection.proto": "@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto",
  "grpc/reflection/v1alpha/reflection.proto":
    "@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto",
} as const;

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: "boolean" }, release: { type: "boolean" } } });
  vendorPublishedInterfaces();
  if (values.release) buf("build", "--path", "boxoffice", "--exclude-source-info", "-o", RELEASED_IMAGE);
  else if (values.check) checkDrift();
  else {
    buf("generate");
    writeFileSync(join(here, "gen", API_DESCRIPTION), apiDescription());
  }
}

/**
 * Copies the published interfaces to vendor/, where buf finds them as imports. A file that is right already is
 * left alone, so that several buf commands may run while this does.
 */
export function vendorPublishedInterfaces(): void {
  const vendor = join(here, "vendor");
  const validate = file_buf_validate_validate;
  const wanted = new Map([[`${validate.name}.proto`, printProto(validate)]]);
  for (const [path, source] of Object.entries(PUBLISHED)) {
    wanted.set(path, readFileSync(packageFile(source), "utf8"));
  }
  for (const [path, text] of wanted) writeIfDifferent(join(vendor, path), text);
  for (const path of filesBelow(vendor)) {
    if (!wanted.has(path)) rmSync(join(vendor, path));
  }
}

/** Runs buf of node_modules in this folder; its output goes where ours goes. */
export function buf(...args: string[]): void {
  execFileSync("buf", args, { cwd: here, stdio: "inherit" });
}

function checkDrift(): void {
  const fresh = mkdtempSync(join(tmpdir(), "boxoffice-gen-"));
  try {
    buf("generate", "-o", fresh);
    writeFileSync(join(fresh, "gen", API_DESCRIPTION), apiDescription());
    const stale = differingFiles(join(here, "gen"), join(fresh, "gen"));
    if (stale.length > 0) {
      console.error(`proto/gen is stale: ${stale.join(", ")}\nRun "npm run generate" and commit the result.`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

/** OpenAPI of what the gateway routes, from the contract with its comments. */
function apiDescription(): string {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-api-"));
  try {
    const image = join(folder, "image.binpb");
    buf("build", "--path", "boxoffice", "-o", image);
    const files = fromBinary(FileDescriptorSetSchema, readFileSync(image));
    return `${JSON.stringify(describeApi(createFileRegistry(files)), undefined, 1)}\n`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeIfDifferent(file: string, text: string): void {
  if (read(file) === text) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function differingFiles(left: string, right: string): string[] {
  const files = new Set([...filesBelow(left), ...filesBelow(right)]);
  return [...files].filter((file) => read(join(left, file)) !== read(join(right, file)));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** A file inside an npm package, also where the package's `exports` do not list it. */
function packageFile(path: string): string {
  const roots = createRequire(import.meta.url).resolve.paths(path) ?? [];
  const found = roots.map((root) => join(root, path)).find((file) => read(file) !== undefined);
  if (found === undefined) throw new Error(`${path} is in no node_modules; run "npm ci"`);
  return found;
}
