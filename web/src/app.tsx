import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";
import { createQueryClient } from "./api/query-client.ts";
import { createTransport } from "./api/transport.ts";
import { LanguageProvider, type Spoken } from "./language/language.tsx";
import { EventsPage } from "./shop/events-page.tsx";
import { NotFoundPage } from "./shop/not-found-page.tsx";
import { EventPage, ReservationPage, TicketsPage } from "./shop/pages.ts";
import { ShopFrame } from "./shop/shop-frame.tsx";
import { Boundary } from "./ui/boundary.tsx";
import { Loading } from "./ui/loading.tsx";

const queryClient = createQueryClient();
const transport = createTransport();

/** For operators only, and loaded for them only. */
const Operations = lazy(async () => ({ default: (await import("./operations/operations.tsx")).Operations }));

/** Every page, by its address. A reservation's id stands after the # alone, which no server ever sees. */
export function App({ initial }: { initial: Spoken }) {
  return (
    <LanguageProvider initial={initial}>
      <QueryClientProvider client={queryClient}>
        <TransportProvider transport={transport}>
          <Boundary>
            <Switch>
              <Route path="/operations/*?">
                <Suspense fallback={<Loading />}>
                  <Operations />
                </Suspense>
              </Route>
              <Route>
                <ShopFrame>
                  <Suspense fallback={<Loading />}>
                    <Switch>
                      <Route path="/">
                        <EventsPage />
                      </Route>
                      <Route path="/events/:eventId">
                        {({ eventId }) => <EventPage key={eventId} eventId={eventId} />}
                      </Route>
                      <Route path="/reservation">
                        <ReservationPage />
                      </Route>
                      <Route path="/tickets">
                        <TicketsPage />
                      </Route>
                      <Route>
                        <NotFoundPage />
                      </Route>
                    </Switch>
                  </Suspense>
                </ShopFrame>
              </Route>
            </Switch>
          </Boundary>
        </TransportProvider>
      </QueryClientProvider>
    </LanguageProvider>
  );
}
