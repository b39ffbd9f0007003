import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../faults/random.ts";
import type { Fault } from "./fault.ts";
import { kills } from "./faults/kills.ts";
import { partitions } from "./faults/partitions.ts";
import { postgresRestart } from "./faults/postgres-restart.ts";
import { tryFault } from "./run.ts";
import { closeSite, openSite, type Site } from "./site.ts";

/** The same buyers and moments in every run; `npm run chaos` draws others. */
const SEED = 20_261_129;

let site: Site;

beforeAll(async () => {
  site = await openSite(new Random(SEED).fork("site"));
}, 300_000);

afterAll(() => site && closeSite(site), 60_000);

test.each([kills, postgresRestart, partitions].map((fault): [string, Fault] => [fault.does, fault]))(
  "nothing is lost, sold twice, or charged for nothing while %s",
  { timeout: 180_000 },
  async (_does, fault) => {
    const random = new Random(SEED).fork(fault.name);
    const { violations, died, counts } = await tryFault(fault, { site, random, size: "short" });
    expect({ violations, died }).toEqual({ violations: [], died: [] });
    expect(counts.calls).toBeGreaterThan(0);
  },
);
