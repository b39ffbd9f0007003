import { Database } from "@boxoffice/platform/database.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { Backends } from "./backends.ts";
import { type Simulation, simulate } from "./simulate.ts";

/** Which seeds are lived through twice, to see that the same happens: some, those with violations, all or none. */
export type Replay = "some" | "violated" | "all" | "none";

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
      if (isReplayed(simulation, replay)) {
        const again = await simulate(seed, backends, owner);
        simulation.differences.push(...differences(simulation, again));
        simulation.counts.replays = 1;
      }
      if (!onResult(simulation)) break;
    }
  } finally {
    await owner.close();
    await backends.close();
  }
}

function isReplayed({ seed, violations }: Simulation, replay: Replay): boolean {
  switch (replay) {
    case "some":
      return seed % REPLAY_EVERY === 0;
    case "violated":
      return violations.length > 0;
    default:
      return replay === "all";
  }
}

/** Where two lives of a seed tell different stories, or come to different ends. */
export function differences(first: Simulation, second: Simulation): string[] {
  const [one, other] = [first, second].map(({ trace, violations }) => [...trace, ...violations]) as [
    string[],
    string[],
  ];
  const at = Array.from({ length: Math.max(one.length, other.length) }).findIndex(
    (_, n) => one[n] !== other[n],
  );
  if (at < 0) return [];
  return [`the seed was lived through twice, and line ${at + 1} differs: "${one[at]}" and "${other[at]}"`];
}
