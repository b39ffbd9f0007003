import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { cachedPath, findNatsServer } from "../../local/nats-server.ts";
import { temporaryFolder } from "./support.ts";

const silent = () => {};

test("NATS_SERVER_BIN goes before PATH, and PATH before the cache", async () => {
  const folder = temporaryFolder();
  const named = fakeServer(join(folder, "named", "any-name"), "v2.12.1");
  const onPath = fakeServer(join(folder, "path", "nats-server"), "v2.10.20");
  const cache = { XDG_CACHE_HOME: join(folder, "cache") };
  const cached = fakeServer(cachedPath(cache), "v2.9.10");
  const PATH = `:/does/not/exist:${dirname(onPath)}`;

  const find = (env: Record<string, string>) => findNatsServer({ ...cache, ...env }, silent);
  expect(await find({ NATS_SERVER_BIN: named, PATH })).toEqual({ path: named, minor: 12 });
  expect(await find({ NATS_SERVER_BIN: "", PATH })).toEqual({ path: onPath, minor: 10 });
  expect(await find({ PATH: "/does/not/exist" })).toEqual({ path: cached, minor: 9 });
});

test.each([
  ["one that is too old", "v2.8.4"],
  ["one of another generation", "v1.14.0"],
  ["one that says nothing", ""],
])("%s on PATH is passed over", async (_which, version) => {
  const folder = temporaryFolder();
  const old = fakeServer(join(folder, "path", "nats-server"), version);
  const cache = { XDG_CACHE_HOME: join(folder, "cache") };
  const cached = fakeServer(cachedPath(cache), "v2.9.10");
  expect(await findNatsServer({ ...cache, PATH: dirname(old) }, silent)).toEqual({ path: cached, minor: 9 });
});

test("a NATS_SERVER_BIN that is wrong is an error, even where another server could be found", async () => {
  const folder = temporaryFolder();
  const onPath = fakeServer(join(folder, "nats-server"), "v2.12.1");
  const env = { NATS_SERVER_BIN: join(folder, "missing"), PATH: dirname(onPath) };
  await expect(findNatsServer(env, silent)).rejects.toThrow(/^NATS_SERVER_BIN must name a nats-server/);
});

function fakeServer(path: string, version: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "nats-server: ${version}"\n`);
  chmodSync(path, 0o755);
  return path;
}
