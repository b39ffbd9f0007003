import { useSyncExternalStore } from "react";
import { keep, kept } from "../ui/kept.ts";

/** A reservation that this browser made or was shown. */
export type KnownReservation = { reservationId: string; eventId: string };

const KEY = "boxoffice.reservations";
const MOST = 30;

/** The newest first. */
export function useKnownReservations(): readonly KnownReservation[] {
  return useSyncExternalStore(subscribe, read);
}

export function rememberReservation(known: KnownReservation): void {
  if (read().some(({ reservationId }) => reservationId === known.reservationId)) return;
  write([known, ...read()].slice(0, MOST));
}

export function forgetReservation(reservationId: string): void {
  write(read().filter((known) => known.reservationId !== reservationId));
}

const listeners = new Set<() => void>();
let lastText: string | undefined;
let lastRead: readonly KnownReservation[] = [];

/** The same array as before while nothing has changed. */
function read(): readonly KnownReservation[] {
  const text = kept("local", KEY);
  if (text === lastText) return lastRead;
  lastText = text;
  lastRead = parse(text);
  return lastRead;
}

function parse(text: string | undefined): readonly KnownReservation[] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list.filter(isKnown) : [];
  } catch {
    return [];
  }
}

function isKnown(value: unknown): value is KnownReservation {
  const { reservationId, eventId } = (value ?? {}) as Partial<KnownReservation>;
  return typeof reservationId === "string" && typeof eventId === "string";
}

function write(list: readonly KnownReservation[]): void {
  keep("local", KEY, JSON.stringify(list));
  for (const listener of listeners) listener();
}

/** Other tabs tell of their changes by "storage". */
function subscribe(onChange: () => void): () => void {
  listeners.add(onChange);
  addEventListener("storage", onChange);
  return () => {
    listeners.delete(onChange);
    removeEventListener("storage", onChange);
  };
}
