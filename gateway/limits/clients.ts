import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import { ConfigError } from "@boxoffice/platform/config.ts";

/** Tells clients apart by their address, for limits: the nearest one that no trusted proxy has. */
export type Clients = {
  /** Whose request it is. IPv6 addresses count by their first 64 bits: whoever has one has all of those. */
  of(request: Pick<IncomingMessage, "socket" | "headers">): string;
  /** Whether a connection comes from a trusted proxy, which has many clients behind it. */
  isProxy(address: string | undefined): boolean;
};

/** More proxies than that nobody has one after another. */
const MAX_HOPS = 10;

/**
 * @param trustedProxies addresses and networks, such as `10.0.0.0/8, fd00::/8, 192.0.2.7`, separated by commas
 * @param warn is called, once, when requests seem to come through a proxy that is not trusted: its clients count as one
 * @throws ConfigError where one of them is neither
 */
export function openClients(trustedProxies: string, warn: () => void = () => undefined): Clients {
  const trusted = parseProxies(trustedProxies);
  let isWarned = false;
  const isProxy = (address: string | undefined): boolean => {
    if (trusted === undefined || address === undefined) return false;
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && trusted.check(plain, isIP(plain) === 4 ? "ipv4" : "ipv6");
  };
  return {
    isProxy,
    of({ socket, headers }) {
      let address = plainAddress(socket.remoteAddress ?? "");
      const isTrusted = isProxy(address);
      if (!isTrusted && !isWarned && headers["x-forwarded-for"] !== undefined) {
        isWarned = true;
        warn();
      }
      if (isTrusted) {
        const forwarded = String(headers["x-forwarded-for"] ?? "").split(",");
        for (const hop of forwarded.slice(-MAX_HOPS).reverse()) {
          const before = plainAddress(hop.trim());
          if (isIP(before) === 0) break; // whoever wrote it, it says nothing
          address = before;
          if (!isProxy(before)) break;
        }
      }
      return address.includes(":") ? network64(address) : address;
    },
  };
}

/** An address without the part that tells people apart, for logs: `192.0.2.0`, `2001:db8:1::`. */
export function shortened(client: string): string {
  if (!client.includes(":")) return client.replace(/\d+$/, "0");
  return `${client.split(":").slice(0, 3).join(":")}::`;
}

function parseProxies(list: string): BlockList | undefined {
  const parts = list.split(",").flatMap((part) => part.trim() || []);
  if (parts.length === 0) return undefined;
  const trusted = new BlockList();
  for (const part of parts) {
    const [address = "", bits] = part.split("/");
    const version = isIP(address);
    const maxBits = version === 4 ? 32 : 128;
    const isNetwork = bits !== undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= maxBits;
    if (version === 0 || (bits !== undefined && !isNetwork)) {
      throw new ConfigError(
        "TRUSTED_PROXIES must be addresses or networks such as 10.0.0.0/8, separated by commas",
      );
    }
    trusted.addSubnet(address, isNetwork ? Number(bits) : maxBits, version === 4 ? "ipv4" : "ipv6");
  }
  return trusted;
}

/** Without what a socket that takes both versions puts before an address of version 4. */
const plainAddress = (address: string): string =>
  address.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;

function network64(address: string): string {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  return `${groups.slice(0, 4).join(":")}::`;
}
