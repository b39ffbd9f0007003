/** A process, known by its id and the moment it began. */
export type Process = { pid: number; began: string };
export function describeProcess(pid: number): Process | undefined;
export function isRunning(known: Process): boolean;
export function tryLock(file: string): Promise<{ release: () => void } | { heldBy: number }>;
