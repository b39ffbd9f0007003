import type { TestProject } from "vitest/node";
import { startServers } from "./start-servers.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A PostgreSQL of this test run's own, as its superuser. Make databases there; leave this one alone. */
    ownerUrl: string;
    /** A nats-server of this test run's own, with JetStream. Every test file uses subjects or streams of its own. */
    natsUrl: string;
  }
}

/** Starts one PostgreSQL and one nats-server for the whole run, which never meets what `npm start` runs. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { ownerUrl, natsUrl, stop } = await startServers();
  project.provide("ownerUrl", ownerUrl);
  project.provide("natsUrl", natsUrl);
  return stop;
}
