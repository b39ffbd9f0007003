/**
 * Shifts the clock of the process that loads it, as on a host whose clock is wrong: by so many milliseconds as stand
 * in the file that CLOCK_SHIFT_FILE names, read again at each SIGUSR2. Timers go on as before, as they do on Linux.
 *
 *   CLOCK_SHIFT_FILE=/tmp/shift node --import ./test/faults/shifted-clock.ts services/payment/main.ts
 */
import { existsSync, readFileSync } from "node:fs";

const file = process.env.CLOCK_SHIFT_FILE ?? "";
const RealDate = Date;
const realNow = Date.now;
let shiftMs = 0;

function readShift(): void {
  shiftMs = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
}

const now = (): number => realNow() + shiftMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, caller) => Reflect.construct(target, args.length === 0 ? [now()] : args, caller),
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
});

readShift();
process.on("SIGUSR2", readShift);
