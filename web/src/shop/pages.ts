import { lazy } from "react";

const loadEventPage = () => import("./event-page.tsx");
const loadReservationPage = () => import("./reservation-page.tsx");
const loadTicketsPage = () => import("./tickets-page.tsx");

/** The pages behind the first one. */
export const EventPage = lazy(async () => ({ default: (await loadEventPage()).EventPage }));
export const ReservationPage = lazy(async () => ({ default: (await loadReservationPage()).ReservationPage }));
export const TicketsPage = lazy(async () => ({ default: (await loadTicketsPage()).TicketsPage }));

/** Fetches them while the first one is looked at, so that whoever goes on at ten sharp waits for nothing. */
export function loadOtherPages(): void {
  for (const load of [loadEventPage, loadReservationPage, loadTicketsPage]) {
    load().catch(() => {}); // it is tried again when somebody goes there
  }
}
