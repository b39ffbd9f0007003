import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../local/ports.ts";
import { type Postgres, preparePostgres } from "../../local/postgres.ts";
import { Supervisor } from "../../local/supervisor.ts";
import { eventually, isRoot, processesWith, temporaryFolder } from "./support.ts";

test("the data is found again after a stop, after kill -9 of everything, and under a pid file of somebody else", {
  timeout: 60_000,
}, async () => {
  const folder = temporaryFolder();
  const first = await start(folder, true);
  expect(await query(first.postgres, "CREATE TABLE kept AS SELECT 1 AS n")).toEqual([]);
  expect(await query(first.postgres, "SHOW server_encoding")).toEqual([{ server_encoding: "UTF8" }]);
  expect(
    await query(
      first.postgres,
      "SELECT datlocprovider p, datlocale l FROM pg_database WHERE datname = 'boxoffice'",
    ),
  ).toEqual([{ p: "b", l: "C.UTF-8" }]);
  await first.supervisor.stop();
  expect(processesWith(first.postgres.folder)).toEqual([]);

  const second = await start(folder, true);
  expect(await query(second.postgres, "SELECT n FROM kept")).toEqual([{ n: 1 }]);
  await query(second.postgres, "INSERT INTO kept VALUES (2)");
  const pidFile = join(second.postgres.folder, "postmaster.pid");
  const pids = [...processesWith(second.postgres.folder)];
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await second.supervisor.stop();
  await eventually("PostgreSQL is gone", () => processesWith(second.postgres.folder).length === 0);

  // After a power cut another process may have the id in the pid file: here, ours.
  writeFileSync(pidFile, readFileSync(pidFile, "utf8").replace(/^\d+/, String(process.pid)));
  const third = await start(folder, true);
  expect(await query(third.postgres, "SELECT n FROM kept ORDER BY n")).toEqual([{ n: 1 }, { n: 2 }]);
});

test("a server that an earlier start left running is ended first", { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const { supervisor, postgres } = await start(folder);
  await supervisor.stop();
  const { command, args, account } = postgres.spec;
  const orphan = spawn(command, args, { detached: true, stdio: "ignore", cwd: "/", ...account });
  const ended = new Promise((resolve) => orphan.once("exit", resolve));
  await eventually("the orphan runs", () => existsSync(join(postgres.folder, "postmaster.pid")));
  const next = await start(folder);
  expect(await ended).not.toBeUndefined();
  expect(await query(next.postgres, "SELECT 1 AS n")).toEqual([{ n: 1 }]);
});

test("a cluster whose making was interrupted is made anew", { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const started = prepare(folder);
  started.prepared.catch(() => {});
  await eventually("initdb is under way", () => existsSync(join(folder, "postgres.new", "global")));
  await started.supervisor.stop();
  await expect(started.prepared).rejects.toThrow();
  expect(existsSync(join(folder, "postgres"))).toBe(false);
  const { postgres } = await start(folder);
  expect(await query(postgres, "SELECT current_user AS u")).toEqual([{ u: "boxoffice" }]);
});

test("a cluster of another version is left alone", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "postgres"));
  writeFileSync(join(folder, "postgres", "PG_VERSION"), "15\n");
  await expect(prepare(folder).prepared).rejects.toThrow(/made by PostgreSQL 15, and this is 18/);
});

test.runIf(isRoot)(
  "root runs it as another user, and moves what that user cannot reach",
  { timeout: 60_000 },
  async () => {
    const closed = temporaryFolder();
    execFileSync("chmod", ["700", closed]);
    const folder = join(closed, "data");
    const { postgres, told } = await start(folder);
    expect(postgres.folder).toMatch(/^\/var\/lib\/boxoffice\//);
    onTestFinished(() => void execFileSync("rm", ["-rf", join(postgres.folder, "..")]));
    expect(told.join("\n")).toContain(`its data is in ${postgres.folder}`);
    expect(statSync(postgres.folder).uid).not.toBe(0);
    expect(await query(postgres, "SELECT 1 AS n")).toEqual([{ n: 1 }]);
  },
);

test.runIf(isRoot)("an ordinary user runs it where the data folder is", { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const nobody = 65_534;
  chownSync(folder, nobody, nobody);
  const script = join(import.meta.dirname, "fixtures", "postgres.ts");
  const output = execFileSync(process.execPath, [script, folder, String(await freePort())], {
    uid: nobody,
    gid: nobody,
    cwd: "/",
    encoding: "utf8",
  });
  expect(output).toContain(`ready in ${join(folder, "postgres")}`);
  expect(statSync(join(folder, "postgres")).uid).toBe(nobody);
});

type Started = { supervisor: Supervisor; postgres: Postgres; told: string[] };

function prepare(
  folder: string,
  durable = false,
): { supervisor: Supervisor; prepared: Promise<Postgres>; told: string[] } {
  const told: string[] = [];
  const supervisor = new Supervisor(folder, (line) => told.push(line));
  onTestFinished(() => supervisor.stop());
  const prepared = freePort().then((port) =>
    preparePostgres({
      folder: join(folder, "postgres"),
      port,
      password: "secret",
      durable,
      supervisor,
      tell: (line) => told.push(line),
    }),
  );
  return { supervisor, prepared, told };
}

async function start(folder: string, durable = false): Promise<Started> {
  const { supervisor, prepared, told } = prepare(folder, durable);
  await supervisor.begin();
  const postgres = await prepared;
  await supervisor.run(postgres.spec);
  return { supervisor, postgres, told };
}

async function query({ ownerUrl }: Postgres, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: ownerUrl });
  client.on("error", () => {});
  await client.connect();
  try {
    const { rows } = await client.query(text);
    return rows;
  } finally {
    await client.end();
  }
}
