/**
 * The moment at which clocks in a time zone show `local` ("2026-08-01T19:30", seconds optional). Of a time that the
 * clocks show twice it is the first, and one that they skip is moved on by what they skip.
 *
 * @throws RangeError where there is no such time or zone
 */
export function zonedTime(local: string, timeZone: string): Date {
  const asUtc = Date.parse(`${local}Z`);
  if (Number.isNaN(asUtc)) throw new RangeError(`${local} is no date and time`);
  // The offset before the moment and the one after it: they differ around a change of the clocks.
  const [before, after] = [offsetMs(asUtc - DAY_MS, timeZone), offsetMs(asUtc + DAY_MS, timeZone)];
  const fits = [before, after].filter((offset) => offsetMs(asUtc - offset, timeZone) === offset);
  return new Date(asUtc - (fits[0] ?? before));
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** How far the clocks in `timeZone` are ahead of UTC at a moment. */
function offsetMs(moment: number, timeZone: string): number {
  const shown = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  const wholeSeconds = Math.floor(moment / 1000) * 1000;
  return Date.parse(`${shown.format(wholeSeconds).replace(" ", "T")}Z`) - wholeSeconds;
}
