import type { ProcessSpec } from "../../local/supervisor.ts";
import { FaultProxy } from "./proxy.ts";
import type { Random } from "./random.ts";

/** Where processes live, each at an address of its own, as containers do. */
export interface Network {
  /** What it is made of, in words. */
  readonly kind: string;
  /** By the name under which others look for them. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** All addresses, as `address/bits`. */
  readonly range: string;
  /**
   * Gives a process its address.
   *
   * @param name under which it is found, together with others of the same kind
   * @param label its own
   */
  join(name: string, label: string): Promise<string>;
  /** How to run a program so that it lives at the address of `label`. */
  place(label: string, spec: ProcessSpec): ProcessSpec;
  /** Where `label` finds what listens at `place`, `host:port`. */
  way(label: string, place: string): Promise<string>;
}

/** A network that can be cut. */
export interface CuttableNetwork extends Network {
  /** Nothing that `from` sends arrives at `to` any more, and nobody is told, until {@link heal}. */
  cut(from: string, to: string): void;
  heal(): void;
}

/** Addresses of the loopback network, which nobody else on this machine is likely to have. */
export class LoopbackNetwork implements Network {
  readonly kind: string = "the loopback network";
  readonly labels = new Map<string, string>();
  readonly #prefix: string;
  readonly #addresses = new Map<string, string[]>();
  #next = 10;

  constructor(random: Random) {
    this.#prefix = `127.${(process.pid % 200) + 20}.${random.int(1, 250)}`;
  }

  async join(name: string, label: string): Promise<string> {
    const address = `${this.#prefix}.${this.#next++}`;
    this.#addresses.set(name, [...(this.#addresses.get(name) ?? []), address]);
    this.labels.set(address, label);
    return address;
  }

  get addresses(): ReadonlyMap<string, readonly string[]> {
    return this.#addresses;
  }

  get range(): string {
    return `${this.#prefix}.0/24`;
  }

  place(_label: string, spec: ProcessSpec): ProcessSpec {
    return spec;
  }

  async way(_label: string, place: string): Promise<string> {
    return place;
  }
}

/**
 * The loopback network with a proxy between any two processes, for whoever is not root. What is cut is silent as a
 * network is, except that a connection can still be opened, and that the end of one is heard.
 */
export class ProxiedNetwork extends LoopbackNetwork implements CuttableNetwork {
  override readonly kind = "proxies on the loopback network";
  readonly #proxies: { from: string; to: string; proxy: FaultProxy }[] = [];

  override async way(label: string, place: string): Promise<string> {
    const [host = ""] = place.split(":");
    const proxy = new FaultProxy(place);
    await proxy.start();
    this.#proxies.push({ from: label, to: this.labels.get(host) ?? host, proxy });
    return proxy.address;
  }

  /** Both directions are cut at once: a proxy that passes one alone would be no network. */
  cut(from: string, to: string): void {
    for (const { from: one, to: other, proxy } of this.#proxies) {
      if ((one === from && other === to) || (one === to && other === from)) proxy.silence();
    }
  }

  heal(): void {
    for (const { proxy } of this.#proxies) proxy.heal();
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map(({ proxy }) => proxy.stop()));
  }
}
