/** The layers of a service, by the names of its files and folders; `worker` is every other file of it. */
export type Layer = "main" | "rpc" | "domain" | "store" | "provider" | "worker";

/** Where in the product a file stands. */
export type Place = {
  area: "service" | "gateway" | "platform" | "op" | "web" | "local" | "contract" | "outside";
  /** Of a service's files: which service's, and in which layer. */
  service?: string;
  layer?: Layer;
  /** Whether it is a test: those may look into everything of their own package. */
  test: boolean;
};

/** Tells a file's place from its path. Outside the product (test/, bench/, tools' settings) all is tests. */
export function placeOf(path: string): Place {
  const test = /(^|\/)test\//.test(path);
  const [, service, file] = /^services\/([^/]+)\/(.+)/.exec(path) ?? [];
  if (service !== undefined && file !== undefined) {
    return { area: "service", service, layer: layerOf(file), test };
  }
  const area = AREAS.find(([folder]) => path.startsWith(folder))?.[1] ?? "outside";
  return { area, test: test || area === "outside" };
}

const AREAS = [
  ["packages/platform/", "platform"],
  ["packages/op/", "op"],
  ["gateway/", "gateway"],
  ["web/", "web"],
  ["local/", "local"],
  ["proto/", "contract"],
] as const;

/** `store.ts`, `store-sales.ts`, `store.reserve.ts` and `store/reserve.ts` are all of the store. */
function layerOf(file: string): Layer {
  const [layer] = /^(main|rpc|domain|store|provider)(?=[-./])/.exec(file) ?? [];
  return (layer as Layer | undefined) ?? "worker";
}
