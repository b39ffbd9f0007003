import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type ProcessSpec, Supervisor } from "../../local/supervisor.ts";
import { eventually, processesWith, temporaryFolder } from "./support.ts";

test("a process that dies is started again, and the log says so", async () => {
  const { supervisor, folder, told } = await begin();
  await supervisor.run(shell(folder, "victim", "echo ready; while :; do sleep 0.05; done"));
  const [victim = 0] = processesWith(folder);
  process.kill(victim, "SIGKILL");
  await eventually("it is ready again", () => told.includes("victim is ready again."));
  expect(told).toContain("victim ended unexpectedly (SIGKILL); starting it again in 0.5 s.");
  expect(readFileSync(join(folder, "logs", "victim.log"), "utf8")).toContain("ended unexpectedly (SIGKILL)");
});

test("the backoff grows while a process keeps dying", async () => {
  const { supervisor, folder, told } = await begin();
  await supervisor.run(shell(folder, "weak", "echo ready; sleep 0.1; exit 3"));
  await eventually(
    "two restarts",
    () => told.filter((line) => line.includes("ended unexpectedly")).length === 2,
  );
  expect(told.filter((line) => line.includes("unexpectedly"))).toEqual([
    "weak ended unexpectedly (exit code 3); starting it again in 0.5 s.",
    "weak ended unexpectedly (exit code 3); starting it again in 1 s.",
  ]);
});

test("stopping goes from the highest tier to the lowest, and twice is once", async () => {
  const { supervisor, folder } = await begin();
  const ends = join(folder, "ends");
  const script = (name: string) =>
    `trap 'sleep 0.1; echo ${name} >> ${ends}; exit 0' TERM; echo ready; while :; do sleep 0.02; done`;
  await Promise.all([
    supervisor.run({ ...shell(folder, "database", script("database")), tier: 0 }),
    supervisor.run({ ...shell(folder, "gateway", script("gateway")), tier: 3 }),
    supervisor.run({ ...shell(folder, "service", script("service")), tier: 2 }),
  ]);
  await Promise.all([supervisor.stop(), supervisor.stop()]);
  expect(readFileSync(ends, "utf8")).toBe("gateway\nservice\ndatabase\n");
  await expect(supervisor.run(shell(folder, "late", "echo ready; sleep 300"))).rejects.toThrow();
});

test("a process that ignores its signal is killed when its time is over", async () => {
  const { supervisor, folder } = await begin();
  await supervisor.run({
    ...shell(folder, "stubborn", "trap '' TERM; echo ready; sleep 300; sleep 300"),
    stopWithinMs: 200,
  });
  const started = Date.now();
  await supervisor.stop();
  expect(Date.now() - started).toBeLessThan(2_000);
  expect(processesWith(folder)).toEqual([]);
});

test.each([
  ["ends", "echo oh no >&2; exit 7", /ended before it was ready \(exit code 7\).*\n {2}oh no/],
  ["hangs", "echo still busy; exec sleep 300", /was not ready within 0.3 s.*\n {2}still busy/],
])(
  "a process that %s before it is ready fails the start with its last lines",
  async (_how, script, message) => {
    const { supervisor, folder } = await begin();
    await expect(supervisor.run({ ...shell(folder, "broken", script), readyWithinMs: 300 })).rejects.toThrow(
      message,
    );
  },
);

test("a guard that is killed is replaced, and the new one knows what runs", async () => {
  const folder = temporaryFolder();
  const stack = startStack(folder, 2);
  await eventually("it is ready", () => stack.output().includes("all ready"));
  const record = readFileSync(join(folder, "processes"), "utf8");
  const guard = JSON.parse(record.split("\n")[0] ?? "") as { pid: number };
  process.kill(guard.pid, "SIGKILL");
  await eventually(
    "another guard",
    () => readFileSync(join(folder, "processes"), "utf8").length > record.length,
  );
  await delay(200);
  stack.child.kill("SIGKILL");
  await eventually("everything is gone", () => processesWith(folder).length === 0);
});

test("killing the supervisor at any moment of the start leaves no process behind", {
  timeout: 60_000,
}, async () => {
  const whole = temporaryFolder();
  const startedAt = Date.now();
  const reference = startStack(whole, 6);
  await eventually("it is ready", () => reference.output().includes("all ready"));
  const startMs = Date.now() - startedAt;
  reference.child.kill("SIGKILL");
  await eventually("everything is gone", () => processesWith(whole).length === 0);

  for (let attempt = 0; attempt < 12; attempt++) {
    const folder = temporaryFolder();
    const stack = startStack(folder, 6);
    await delay((startMs * (attempt + 1 + Math.random())) / 13);
    stack.child.kill("SIGKILL");
    await eventually(`everything is gone, attempt ${attempt}`, () => processesWith(folder).length === 0);
  }
});

test("what outlived both supervisor and guard is ended by the next start", async () => {
  const folder = temporaryFolder();
  const stack = startStack(folder, 2);
  await eventually("it is ready", () => stack.output().includes("all ready"));
  const [guard] = readFileSync(join(folder, "processes"), "utf8").split("\n");
  process.kill(stack.child.pid ?? 0, "SIGSTOP"); // so that it starts no other guard
  process.kill((JSON.parse(guard ?? "") as { pid: number }).pid, "SIGKILL");
  stack.child.kill("SIGKILL");
  expect(processesWith(folder).length).toBeGreaterThan(0);
  const told: string[] = [];
  const next = new Supervisor(folder, (line) => told.push(line));
  onTestFinished(() => next.stop());
  await next.begin();
  expect(told).toEqual(["Ended 2 processes that an earlier start left behind."]);
  expect(processesWith(folder)).toEqual([]);
});

async function begin(): Promise<{ supervisor: Supervisor; folder: string; told: string[] }> {
  const folder = temporaryFolder();
  const told: string[] = [];
  const supervisor = new Supervisor(folder, (line) => told.push(line));
  onTestFinished(() => supervisor.stop());
  await supervisor.begin();
  return { supervisor, folder, told };
}

/** `folder` stands on the command line, so that its processes can be found. */
function shell(folder: string, name: string, script: string): ProcessSpec {
  return {
    name,
    command: "/bin/sh",
    args: ["-c", script, folder],
    readyWhen: { logged: "ready" },
    readyWithinMs: 5_000,
    stopSignal: "SIGTERM",
    stopWithinMs: 5_000,
    tier: 0,
  };
}

function startStack(folder: string, count: number): { child: ChildProcess; output: () => string } {
  const script = join(import.meta.dirname, "fixtures", "stack.ts");
  const child = spawn(process.execPath, [script, folder, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, output: () => output };
}
