import { readdirSync, readFileSync } from "node:fs";

/** CPU time that was used up, by who used it, in milliseconds. */
export type CpuSample = {
  byPart: Map<string, number>;
  /** Of the thread that runs the event loop; no process of Node's can do more than one second a second there. */
  mainThreads: Map<string, number>;
  /** Of everything on the machine, ours and others'. */
  machineMs: number;
};

/** The kernel counts in hundredths of a second. */
const TICK_MS = 10;

/**
 * Reads what every process below this one has used so far. What PostgreSQL's backends use is told apart by the role
 * that they serve; a backend that has ended is counted with its postmaster. Linux only: elsewhere it is empty.
 */
export function sampleCpu(): CpuSample {
  const sample: CpuSample = { byPart: new Map(), mainThreads: new Map(), machineMs: 0 };
  if (process.platform !== "linux") return sample;
  for (const { pid, stat } of descendants(process.pid)) {
    const part = partOf(read(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
    const reaped = part === "postgres" ? stat.reapedMs : 0;
    sample.byPart.set(part, (sample.byPart.get(part) ?? 0) + stat.ownMs + reaped);
    const main = parseStat(read(`/proc/${pid}/task/${pid}/stat`));
    if (main) sample.mainThreads.set(part, (sample.mainThreads.get(part) ?? 0) + main.ownMs);
  }
  sample.machineMs = parseMachine(read("/proc/stat"));
  return sample;
}

/** What was used between two samples, in milliseconds. */
export function cpuBetween(before: CpuSample, after: CpuSample): CpuSample {
  const difference = (from: Map<string, number>, to: Map<string, number>) =>
    new Map([...to].map(([part, ms]) => [part, Math.max(0, ms - (from.get(part) ?? 0))]));
  return {
    byPart: difference(before.byPart, after.byPart),
    mainThreads: difference(before.mainThreads, after.mainThreads),
    machineMs: after.machineMs - before.machineMs,
  };
}

/** The ids of the processes below this one that are a part of the box office. Linux only: elsewhere it is empty. */
export function processesOf(part: string): number[] {
  if (process.platform !== "linux") return [];
  return descendants(process.pid)
    .map(({ pid }) => pid)
    .filter((pid) => partOf(read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")) === part);
}

/** The name of a part of the box office, or of what measures it, by its command line. */
export function partOf(command: string): string {
  const [, service] =
    /(?:services\/)?(catalog|reservation|payment|stats|gateway)\/main\.ts/.exec(command) ?? [];
  if (service !== undefined) return service;
  const [, role] = /^postgres: (?:boxoffice_)?(\S+) boxoffice /.exec(command) ?? [];
  if (role !== undefined) return `postgres for ${role === "boxoffice" ? "the bench" : role}`;
  if (/^postgres: |\/postgres\b/.test(command)) return "postgres";
  if (/nats-server/.test(command)) return "nats";
  if (/pgbench|h2load|\bwrk\b|load\/main\.ts/.test(command)) return "load generator";
  return "other";
}

type Stat = { parent: number; ownMs: number; reapedMs: number };

/** `/proc/<pid>/stat`; the name in it may hold spaces and parentheses. */
export function parseStat(text: string): Stat | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields.length < 15) return undefined;
  const at = (index: number) => Number(fields[index]);
  return {
    parent: at(1),
    ownMs: (at(11) + at(12)) * TICK_MS,
    reapedMs: (at(13) + at(14)) * TICK_MS,
  };
}

/** The first line of `/proc/stat`: user, nice, system, and after idle and iowait irq, softirq, steal. */
export function parseMachine(text: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (text.split("\n")[0] ?? "")
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS;
}

function descendants(root: number): { pid: number; stat: Stat }[] {
  const all = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0)
    .flatMap((pid) => {
      const stat = parseStat(read(`/proc/${pid}/stat`));
      return stat === undefined ? [] : [{ pid, stat }];
    });
  const byParent = Map.groupBy(all, ({ stat }) => stat.parent);
  const found: { pid: number; stat: Stat }[] = [];
  const look = (pid: number) => {
    for (const child of byParent.get(pid) ?? []) {
      found.push(child);
      look(child.pid);
    }
  };
  look(root);
  return found;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // it has ended
  }
}
