export const WANTED_NODE: number;
/** Whether what is in the folder's node_modules is what its package-lock.json asks for, on this platform. */
export function isInstalled(folder: string, here?: string): boolean;
export function markInstalled(folder: string, here?: string): void;
/** The Node to run with, or undefined where there is none that is new enough. */
export function findNode(
  folder: string,
  running?: string,
): { bin: string; node: string; version: string } | undefined;
export function majorOf(version: string): number;
