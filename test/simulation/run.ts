import { Database } from "@boxoffice/platform/database.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { Backends } from "./backends.ts";
import { type Simulation, simulate } from "./simulate.ts";

/** Which seeds are lived through twice, to see that the same happens: some, or those with violations. */
export type Replay = "some" | "violated" | "all";

export type Seeds = { seeds: readonly number[]; replay: Replay };

/** Of some. */
const REPLAY_EVERY = 20;

/**
 * Lives through one seed after the other, in a database of its own.
 *
 * @param serverUrl of a PostgreSQL, as its superuser
 * @param onResult is told of each; where it returns false, that was the last
 */
export async function run(
  serverUrl: string,
  { seeds, replay }: Seeds,
  onResult: (simulation: Simulation) => boolean,
): Promise<void> {
  const backends = await Backends.open(serverUrl);
  const owner = new Database({
    url: backends.ownerUrl,
    name: "checker",
    log: createLogger("checker", "silent"),
  });
  try {
    for (const seed of seeds) {
      const simulation = await simulate(seed, backends, owner);
      const isViolated = simulation.violations.length > 0;
      if (replay === "all" || (replay === "violated" ? isViolated : seed % REPLAY_EVERY === 0)) {
        const again = await simulate(seed, backends, owner);
        simulation.violations.push(...differences(simulation.trace, again.trace));
        simulation.counts.replays = 1;
      }
      if (!onResult(simulation)) break;
    }
  } finally {
    await owner.close();
    await backends.close();
  }
}

function differences(one: readonly string[], other: readonly string[]): string[] {
  const at = Array.from({ length: Math.max(one.length, other.length) }).findIndex(
    (_, n) => one[n] !== other[n],
  );
  if (at < 0) return [];
  return [`the seed was lived through twice, and line ${at + 1} differs: "${one[at]}" and "${other[at]}"`];
}
