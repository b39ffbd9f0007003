import { useEffect, useState } from "react";

/** The time of a clock, read again `everyMs` milliseconds while it is wanted. */
export function useNow<Time>(read: () => Time, everyMs: number, isWanted = true): Time {
  const [now, setNow] = useState(read);
  useEffect(() => {
    if (!isWanted) return;
    setNow(read());
    const timer = setInterval(() => setNow(read()), everyMs);
    return () => clearInterval(timer);
  }, [read, everyMs, isWanted]);
  return now;
}
