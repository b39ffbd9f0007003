import { withStreamSlot } from "./stream-slot.ts";

/** A stream of the box office says something at least every ten seconds: after this long it is dead. */
const SILENCE_MS = 25_000;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 20_000;

export type Stream<Answer> = (signal: AbortSignal) => AsyncIterable<Answer>;

export type Follower<Answer> = {
  onAnswer(answer: Answer): void;
  /** Told when answers begin to come, and when they cease. */
  onLive(isLive: boolean): void;
};

/**
 * Keeps a stream open until it is told to stop: opens it again when it ends, breaks or falls silent, after waits
 * that grow while it fails and that no two pages share.
 */
export async function follow<Answer>(
  stream: Stream<Answer>,
  { onAnswer, onLive }: Follower<Answer>,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    await withStreamSlot(() =>
      readToEnd(
        stream,
        (answer) => {
          if (signal.aborted) return;
          failures = 0;
          onLive(true);
          onAnswer(answer);
        },
        signal,
      ),
    );
    if (signal.aborted) return;
    onLive(false);
    const growing = Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS);
    await pause(growing * (0.5 + Math.random() / 2), signal);
  }
}

/** However it ends, it has ended: why does not matter, because it is opened again. */
async function readToEnd<Answer>(
  stream: Stream<Answer>,
  take: (answer: Answer) => void,
  signal: AbortSignal,
): Promise<void> {
  const own = new AbortController();
  const stop = () => own.abort();
  signal.addEventListener("abort", stop);
  let silence = setTimeout(stop, SILENCE_MS);
  try {
    for await (const answer of stream(own.signal)) {
      clearTimeout(silence);
      silence = setTimeout(stop, SILENCE_MS);
      take(answer);
    }
  } catch {
    // The page goes on with what it asks for by itself.
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", stop);
    own.abort();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
