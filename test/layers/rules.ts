import { type Breach, importBreach } from "./breach.ts";
import { domainReachingOut, domainTellingTime } from "./domain-rules.ts";
import type { Edge, Graph } from "./graph.ts";
import type { Layer, Place } from "./place.ts";

export type Rule = {
  /** Its short name. */
  name: string;
  /** The rule in a sentence, printed where it is broken. */
  says: string;
  breaches(graph: Graph): Breach[];
};

/**
 * The direction of imports: inside a service rpc → domain → store, services apart from each other, the platform
 * below everything. (That the platform imports no service, gateway or local/ follows from the first two.)
 */
export const RULES: readonly Rule[] = [
  {
    name: "services-apart",
    says: "A service's files are imported by that service alone; everybody else calls it through its client.",
    breaches: importsWhere(
      (from, to) => to.place?.area === "service" && from.area !== "outside" && !sameService(from, to),
    ),
  },
  {
    name: "nothing-above",
    says: "Nothing imports the gateway, local/ or the operators' commands: they stand on everything else.",
    breaches: importsWhere(
      (from, to) => isOnTop(to) && from.area !== "outside" && from.area !== to.place?.area,
    ),
  },
  {
    name: "pages-know-the-contract",
    says: "The web pages run in a browser: of the product they use the contract, types, and the reckoning of time zones; nothing imports them.",
    breaches: importsWhere(
      (from, to) =>
        (from.area === "web" && to.place !== undefined && !isForPages(to)) ||
        (to.place?.area === "web" && from.area !== "web" && from.area !== "outside"),
    ),
  },
  {
    name: "platform-knows-no-ticket",
    says: "Of the product's contract the platform imports only boxoffice.common and the envelope of boxoffice.events.",
    breaches: importsWhere(
      (from, to) => from.area === "platform" && !from.test && PRODUCT_CONTRACT.test(to.file ?? ""),
    ),
  },
  {
    name: "main-wires",
    says: "A service's main.ts wires it together and is imported by nothing.",
    breaches: withinService((_, to) => to === "main"),
  },
  {
    name: "rpc-on-top",
    says: "Only main.ts imports the rpc layer: domain, store and workers do not know how they are called.",
    breaches: withinService((from, to) => to === "rpc" && from !== "rpc" && from !== "main"),
  },
  {
    name: "store-persists",
    says: "Of its service the store imports the domain and nothing else.",
    breaches: withinService((from, to) => from === "store" && (to === "provider" || to === "worker")),
  },
  {
    name: "domain-decides",
    says: "The domain decides without I/O: no other layer, database, bus, call or file, directly or through the platform.",
    breaches: domainReachingOut,
  },
  {
    name: "domain-has-no-clock",
    says: "The domain has no clock and no dice: times, ids and chance come in as arguments.",
    breaches: domainTellingTime,
  },
  {
    name: "one-file-for-nats",
    says: "The NATS client is imported in exactly one file, which is the platform's.",
    breaches: natsOutsideItsFile,
  },
  {
    name: "driver-in-platform",
    says: "PostgreSQL's driver is imported by the platform alone; a store takes the platform's types.",
    breaches: importsWhere(
      (from, to) => PG_PACKAGES.test(to.package ?? "") && from.area !== "platform" && !from.test,
    ),
  },
  {
    name: "layers-by-name",
    says: "A service shows its layers by their names: main.ts, rpc, domain and store.",
    breaches: servicesWithoutLayers,
  },
];

/** Every breach of every rule in a tree, in the order of its files. */
export function breachesOf(graph: Graph): (Breach & { rule: Rule })[] {
  return RULES.flatMap((rule) => rule.breaches(graph).map((breach) => ({ ...breach, rule }))).sort(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line,
  );
}

const PRODUCT_CONTRACT = /^proto\/gen\/boxoffice\/(?!(common|events)\/)/;
const NATS_PACKAGES = /^(nats|@nats-io\/.*)$/;
const PG_PACKAGES = /^pg(-|$)/;
const LAYERS_OF_EVERY_SERVICE: readonly Layer[] = ["main", "rpc", "domain", "store"];

/** A rule about single imports: what imports, and what is imported. */
function importsWhere(broken: (from: Place, to: Edge) => boolean): Rule["breaches"] {
  return (graph) =>
    [...graph.values()].flatMap((file) =>
      file.edges.filter((edge) => broken(file.place, edge)).map((edge) => importBreach(file, edge)),
    );
}

/** A rule about the layers of one service. Its tests may import them all. */
function withinService(broken: (from: Layer, to: Layer) => boolean): Rule["breaches"] {
  return importsWhere((from, to) => {
    if (from.layer === undefined || to.place?.layer === undefined || from.test) return false;
    return sameService(from, to) && broken(from.layer, to.place.layer);
  });
}

function natsOutsideItsFile(graph: Graph): Breach[] {
  const breaches = importsWhere((_, to) => NATS_PACKAGES.test(to.package ?? ""))(graph);
  const platformFiles = new Set(
    breaches.map(({ file }) => file).filter((file) => graph.get(file)?.place.area === "platform"),
  );
  return platformFiles.size > 1 ? breaches : breaches.filter(({ file }) => !platformFiles.has(file));
}

function servicesWithoutLayers(graph: Graph): Breach[] {
  const places = [...graph.values()].map(({ place }) => place);
  const services = new Set(places.flatMap(({ service }) => service ?? []));
  return [...services].flatMap((service) => {
    const layers = new Set(places.filter((place) => place.service === service).map(({ layer }) => layer));
    const missing = LAYERS_OF_EVERY_SERVICE.filter((layer) => !layers.has(layer));
    if (!layers.has("main") || missing.length === 0) return [];
    return [
      { file: `services/${service}/main.ts`, line: 1, found: `has no ${missing.join(", no ")} beside it` },
    ];
  });
}

function isForPages({ place, typeOnly, file }: Edge): boolean {
  return place?.area === "web" || place?.area === "contract" || typeOnly || file === ZONED_TIME;
}

/** It knows dates alone, so that a page can use it too. */
const ZONED_TIME = "packages/platform/src/zoned-time.ts";

function isOnTop({ place }: Edge): boolean {
  return place?.area === "gateway" || place?.area === "local" || place?.area === "op";
}

function sameService(from: Place, to: Edge): boolean {
  return from.service !== undefined && from.service === to.place?.service;
}
