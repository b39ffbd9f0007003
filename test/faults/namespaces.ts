import { spawnSync } from "node:child_process";
import type { ProcessSpec } from "../../local/supervisor.ts";
import type { AddProcess } from "./box-office.ts";
import type { FaultProcess } from "./fault-process.ts";
import type { CuttableNetwork } from "./network.ts";
import type { Random } from "./random.ts";

/** The one that stands between all others. */
const ROUTER = "router";

/** The machine's own namespace, in which the test and the proxy in front are. */
export const HOST = "host";

/** A namespace lives as long as a process in it. This one ends with the box office, whatever becomes of the test. */
const HOLDER = "ip link set lo up && echo open && exec sleep infinity";

/**
 * A network namespace, and a mount namespace, for each process, and a router between them that can be told to drop
 * what one sends to another: a real partition, of which neither side hears. Takes root and iproute2. Everything
 * vanishes with the processes in it.
 */
export class NamespaceNetwork implements CuttableNetwork {
  readonly kind = "network namespaces";
  readonly #add: AddProcess;
  readonly #prefix: string;
  readonly #device: string;
  readonly #addresses = new Map<string, string[]>();
  readonly #members = new Map<string, { address: string; device: string; holder?: FaultProcess }>();
  readonly #cuts: { from: string; to: string }[] = [];
  #next = 10;

  private constructor(add: AddProcess, random: Random) {
    this.#add = add;
    this.#prefix = `10.${(process.pid % 200) + 20}.${random.int(1, 250)}`;
    this.#device = `boxoffice${process.pid % 100_000}`;
  }

  /** Why there can be none here, or undefined where there can. */
  static obstacle(): string | undefined {
    if (process.platform !== "linux" || process.getuid?.() !== 0) return "takes root on Linux";
    for (const program of ["ip", "unshare", "nsenter"]) {
      if (spawnSync(program, ["--version"]).error) return `takes ${program}, of iproute2 and util-linux`;
    }
    const { status } = spawnSync("unshare", ["--net", "--mount", "true"]);
    return status === 0 ? undefined : "this kernel, or container, allows no namespaces";
  }

  static async open(add: AddProcess, random: Random): Promise<NamespaceNetwork> {
    const network = new NamespaceNetwork(add, random);
    const router = await network.#hold(ROUTER);
    const [device, gateway, host] = [network.#device, network.#at(1), network.#at(254)];
    run("ip", "link", "add", device, "type", "veth", "peer", "name", HOST, "netns", pidOf(router));
    batch("", [
      `addr add ${host}/32 dev ${device}`,
      `link set ${device} up`,
      `route add ${gateway}/32 dev ${device} src ${host}`,
      `route add ${network.range} via ${gateway} dev ${device} src ${host}`,
    ]);
    batch(pidOf(router), [
      `addr add ${gateway}/32 dev ${HOST}`,
      `link set ${HOST} up`,
      `route add ${host}/32 dev ${HOST}`,
    ]);
    inside(pidOf(router), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    network.#members.set(ROUTER, { address: gateway, device: HOST, holder: router });
    network.#members.set(HOST, { address: host, device: HOST });
    return network;
  }

  get addresses(): ReadonlyMap<string, readonly string[]> {
    return this.#addresses;
  }

  get range(): string {
    return `${this.#prefix}.0/24`;
  }

  async join(name: string, label: string): Promise<string> {
    const number = this.#next++;
    const [address, gateway, device] = [this.#at(number), this.#at(1), `to${number}`];
    const holder = await this.#hold(label);
    const [own, router] = [pidOf(holder), this.#pidOf(ROUTER)];
    inside(router, "ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", own);
    batch(router, [
      `addr add ${gateway}/32 dev ${device}`,
      `link set ${device} up`,
      `route add ${address}/32 dev ${device}`,
    ]);
    batch(own, [
      `addr add ${address}/32 dev eth0`,
      "link set eth0 up",
      `route add ${gateway}/32 dev eth0`,
      `route add default via ${gateway} dev eth0`,
    ]);
    this.#addresses.set(name, [...(this.#addresses.get(name) ?? []), address]);
    this.#members.set(label, { address, device, holder });
    return address;
  }

  /** It keeps its process id: entering a namespace starts no process of its own. */
  place(label: string, spec: ProcessSpec): ProcessSpec {
    const { account, command, args, cwd, ...rest } = spec;
    const user = account ? ["--setuid", String(account.uid), "--setgid", String(account.gid)] : [];
    const folder = cwd ? [`--wd=${cwd}`] : [];
    const into = ["--target", this.#pidOf(label), "--net", "--mount"];
    return { ...rest, command: "nsenter", args: [...into, ...folder, ...user, "--", command, ...args] };
  }

  async way(_label: string, place: string): Promise<string> {
    return place;
  }

  /** Runs a tool where `label` lives. @throws Error with what it said, where it fails */
  inside(label: string, ...command: string[]): string {
    return inside(this.#pidOf(label), ...command);
  }

  /** What {@link inside} would run, for whoever runs it. */
  commandInside(label: string, ...command: string[]): string[] {
    return enter(this.#pidOf(label), command);
  }

  cut(from: string, to: string): void {
    this.#rule("add", from, to);
    this.#cuts.push({ from, to });
  }

  heal(): void {
    for (const { from, to } of this.#cuts.splice(0)) this.#rule("del", from, to);
  }

  #rule(what: "add" | "del", from: string, to: string): void {
    const [sender, receiver] = [this.#members.get(from), this.#members.get(to)];
    if (sender === undefined || receiver === undefined) throw new Error(`${from} or ${to} is not here`);
    const rule = ["iif", sender.device, "to", receiver.address, "blackhole"];
    inside(this.#pidOf(ROUTER), "ip", "rule", what, ...rule);
  }

  async #hold(label: string): Promise<FaultProcess> {
    const holder = this.#add({
      name: `namespace of ${label}`,
      command: "unshare",
      args: ["--net", "--mount", "--propagation", "private", "sh", "-c", HOLDER],
      readyWhen: { logged: "open" },
      readyWithinMs: 10_000,
      stopSignal: "SIGKILL",
      stopWithinMs: 1_000,
      tier: -1,
    });
    await holder.start();
    return holder;
  }

  #pidOf(label: string): string {
    const holder = this.#members.get(label)?.holder;
    if (holder === undefined) throw new Error(`${label} has no namespace`);
    return pidOf(holder);
  }

  readonly #at = (number: number): string => `${this.#prefix}.${number}`;
}

function pidOf(holder: FaultProcess): string {
  if (holder.pid === undefined) throw new Error(`${holder.spec.name} has ended`);
  return String(holder.pid);
}

const enter = (pid: string, command: readonly string[]): string[] => [
  "nsenter",
  "--target",
  pid,
  "--net",
  "--mount",
  "--",
  ...command,
];

const inside = (pid: string, ...command: string[]): string => run(...enter(pid, command));

/** Many commands of iproute2 at once, in the namespaces of a process, or the machine's own. */
function batch(pid: string, lines: readonly string[]): void {
  const command = ["ip", "-batch", "-"];
  execute(pid === "" ? command : enter(pid, command), lines.join("\n"));
}

const run = (...command: string[]): string => execute(command);

function execute([program = "", ...args]: readonly string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")}: ${stderr || error?.message}`);
}
