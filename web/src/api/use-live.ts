import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { follow, type Stream } from "./follow.ts";

/**
 * Follows a stream while the page is seen: a hidden tab holds none.
 *
 * @param key what is followed; another key is another stream
 * @param take is given each answer
 * @returns whether answers come; while they do not, the page has to ask
 */
export function useLive<Answer>(
  key: string,
  stream: Stream<Answer>,
  take: (answer: Answer) => void,
): boolean {
  const [isLive, setLive] = useState(false);
  const isSeen = useSyncExternalStore(subscribeToSight, () => document.visibilityState === "visible");
  const latest = useRef({ stream, take });
  latest.current = { stream, take };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another key is another stream
  useEffect(() => {
    if (!isSeen) return;
    const stop = new AbortController();
    void follow(
      (signal) => latest.current.stream(signal),
      { onAnswer: (answer) => latest.current.take(answer), onLive: setLive },
      stop.signal,
    );
    return () => {
      stop.abort();
      setLive(false);
    };
  }, [key, isSeen]);
  return isLive;
}

function subscribeToSight(onChange: () => void): () => void {
  document.addEventListener("visibilitychange", onChange);
  return () => document.removeEventListener("visibilitychange", onChange);
}
