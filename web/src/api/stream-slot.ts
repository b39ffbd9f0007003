/**
 * A browser opens six connections to a server, for all of its tabs together, and a stream takes one of them for as
 * long as it lasts. So all tabs share this many streams; the others ask now and then.
 */
const SLOTS = ["boxoffice.stream.1", "boxoffice.stream.2", "boxoffice.stream.3"];

/**
 * Runs something that holds a stream open, when one more stream may be held.
 *
 * @returns whether it ran. It never does where the browser cannot tell what other tabs do (on plain HTTP)
 */
export async function withStreamSlot(run: () => Promise<void>): Promise<boolean> {
  const locks: LockManager | undefined = navigator.locks;
  if (locks === undefined) return false;
  for (const slot of SLOTS) {
    const ran = await locks.request(slot, { ifAvailable: true }, async (lock) => {
      if (lock === null) return false;
      await run();
      return true;
    });
    if (ran) return true;
  }
  return false;
}
