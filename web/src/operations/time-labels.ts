const DAY_SECONDS = 86_400;

/** Labels for moments on an axis, in seconds since 1970: dates where they are days apart, else times of the day. */
export function timeLabels(splits: readonly number[], locale: string, timeZone: string): string[] {
  const [first = 0, second = 0] = splits;
  const isDays = second - first >= DAY_SECONDS;
  const label = new Intl.DateTimeFormat(locale, {
    timeZone,
    ...(isDays ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" }),
  });
  return splits.map((seconds) => label.format(seconds * 1000));
}
