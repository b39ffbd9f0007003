import { setTimeout as delay } from "node:timers/promises";
import type { Fault } from "../fault.ts";

const FOR_MS = { full: 40_000, short: 3_000 };

const TROUBLES = [
  "hang-charged",
  "reset-charged",
  "hang",
  "reset",
  "cut",
  "fail-charged",
  "fail",
  "busy",
  "late-2000",
  "late-4000",
];

export const badProvider: Fault = {
  name: "bad-provider",
  does: "of three cards one meets a provider that hangs, fails or resets connections, most often after charging",
  seconds: { full: 55, short: 6 },
  cardOf: ({ number }) => (number % 3 === 0 ? (TROUBLES[(number / 3) % TROUBLES.length] ?? "ok") : "ok"),
  async inflict({ size }) {
    await delay(FOR_MS[size]);
    return {};
  },
};
