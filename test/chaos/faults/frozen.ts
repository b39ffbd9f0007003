import { type Fault, pause } from "../fault.ts";

const FOR_MS = { full: [1_000, 8_000], short: [300, 800] } as const;
const BETWEEN_MS = { full: [1_000, 4_000], short: [0, 200] } as const;

/** Its connections stay open and its locks held, and when it goes on it does not know how late it is. */
export const frozen: Fault = {
  name: "frozen",
  does: "each process is stopped by SIGSTOP for 1 to 8 s, as when its machine is moved",
  seconds: { full: 110, short: 5 },
  async inflict({ site, random, size, mark }) {
    const names = size === "full" ? random.shuffle([...site.processes.keys()]) : ["reservation 2"];
    for (const name of names) {
      const process = site.processes.get(name);
      process?.freeze();
      await pause(random, FOR_MS[size]);
      process?.thaw();
      mark();
      await pause(random, BETWEEN_MS[size]);
    }
    return { freezes: names.length };
  },
};
