import type { KnownBug } from "./known-bug.ts";

const module = "services/reservation/store/change.ts";

/** The clock is read before the locks, and not under them. */
export const clockBeforeLock: KnownBug = {
  name: "clock-before-lock",
  why: "who waited for the row over the end of the hold pays for what everybody else was told has ended",
  edits: [
    {
      module,
      text: "const [rows, events, items, [clock]] = await Promise.all([",
      replacement: `
  const early = tx.query<{ now: Date }>({ name: "clock", text: "select reservation.clock() as now" });
  const [rows, events, items, [clock]] = await Promise.all([`,
    },
    {
      module,
      text: "now: clock.now,",
      replacement: "now: (await early)[0]?.now ?? clock.now,",
    },
  ],
  foundBy: 6,
};
