import { HOST, NamespaceNetwork } from "../../faults/namespaces.ts";
import type { Random } from "../../faults/random.ts";
import { type Fault, pause } from "../fault.ts";
import type { Site } from "../site.ts";

/** How many pairs are cut. In full, each pair of two kinds that speak with each other at least once. */
const CUTS = { full: Number.POSITIVE_INFINITY, short: 1 };
const FOR_MS = { full: [6_000, 12_000], short: [800, 1_200] } as const;
const BETWEEN_MS = { full: [3_000, 5_000], short: [0, 200] } as const;

/** Who opens connections to whom. */
const LINKS: readonly (readonly [string, string])[] = [
  ["gateway", "reservation"],
  ["gateway", "payment"],
  ["gateway", "catalog"],
  ["gateway", "stats"],
  ["gateway", "nats"],
  ["reservation", "postgres"],
  ["reservation", "nats"],
  ["payment", "reservation"],
  ["payment", "postgres"],
  ["payment", "provider"],
  ["payment", "nats"],
  ["catalog", "reservation"],
  ["catalog", "postgres"],
  ["catalog", "nats"],
  ["stats", "postgres"],
  ["stats", "nats"],
  ["stats", "reservation"],
  [HOST, "gateway"],
];

/** How a link is cut: bytes may be lost both ways, or one way only, where the network can do so. */
const WAYS = ["both", "there", "back"] as const;

export const partitions: Fault = {
  name: "partitions",
  does: "the network between two processes is cut, both ways or one way, for 6 to 12 s, for each pair that speaks",
  seconds: { full: 240, short: 5 },
  async inflict({ site, random, size, mark }) {
    const { network } = site;
    const links = LINKS.filter(([from]) => from !== HOST || network instanceof NamespaceNetwork);
    const counts: Record<string, number> = {};
    const turns = size === "full" ? random.shuffle(links) : [["gateway", "reservation"] as const];
    for (const [from, to] of turns.slice(0, CUTS[size])) {
      const [one, other] = [oneOf(site, from, random), oneOf(site, to, random)];
      const way = random.pick(WAYS);
      if (way !== "back") network.cut(one, other);
      if (way !== "there") network.cut(other, one);
      await pause(random, FOR_MS[size]);
      network.heal();
      mark();
      counts[`cut ${way === "both" ? "both ways" : "one way"}`] =
        (counts[`cut ${way === "both" ? "both ways" : "one way"}`] ?? 0) + 1;
      await pause(random, BETWEEN_MS[size]);
    }
    return counts;
  },
};

function oneOf({ processes }: Site, kind: string, random: Random): string {
  if (kind === HOST) return HOST;
  return random.pick([...processes.keys()].filter((label) => label.split(" ")[0] === kind));
}
