import { TransportProvider } from "@connectrpc/connect-query";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { Redirect, Route, Switch } from "wouter";
import { queryDefaults } from "../api/query-client.ts";
import { refusalOf } from "../api/refusal.ts";
import { createTransport } from "../api/transport.ts";
import { NotFoundPage } from "../shop/not-found-page.tsx";
import "../styles/operations.css";
import { AuditPage } from "./audit-page.tsx";
import { CategoriesPage } from "./categories-page.tsx";
import { CreatePage } from "./create-page.tsx";
import { EventPage } from "./event-page.tsx";
import { OperationsFrame } from "./operations-frame.tsx";
import { OverviewPage } from "./overview-page.tsx";
import { PaymentsPage } from "./payments-page.tsx";
import { ReservationsPage } from "./reservations-page.tsx";
import { bearer, endSession, type Session, useSession } from "./session.ts";
import { SignIn } from "./sign-in.tsx";

/** The pages of who runs the sale, behind their token. */
export function Operations() {
  const { session } = useSession();
  return session === undefined ? <SignIn /> : <SignedIn key={session.token} session={session} />;
}

function SignedIn({ session }: { session: Session }) {
  const [transport] = useState(() => createTransport(bearer));
  const [client] = useState(createOperatorsClient);
  return (
    <QueryClientProvider client={client}>
      <TransportProvider transport={transport}>
        <OperationsFrame session={session}>
          <Switch>
            <Route path="/operations">
              <OverviewPage />
            </Route>
            <Route path="/operations/events/:eventId">
              {({ eventId }) => <EventPage key={eventId} eventId={eventId} />}
            </Route>
            <Route path="/operations/reservations">
              <ReservationsPage />
            </Route>
            <Route path="/operations/payments">
              <PaymentsPage />
            </Route>
            <Route path="/operations/categories">
              <CategoriesPage />
            </Route>
            <Route path="/operations/audit">
              <AuditPage />
            </Route>
            <Route path="/operations/new">
              <CreatePage />
            </Route>
            <Route path="/operations/events">
              <Redirect to="/operations" replace />
            </Route>
            <Route>
              <NotFoundPage />
            </Route>
          </Switch>
        </OperationsFrame>
      </TransportProvider>
    </QueryClientProvider>
  );
}

/** What operators are told is kept apart from what the shop was told, and ends with the token that it was told for. */
function createOperatorsClient(): QueryClient {
  return new QueryClient({
    defaultOptions: queryDefaults,
    queryCache: new QueryCache({
      onError(error) {
        const { cause } = refusalOf(error);
        if (cause === "UNAUTHENTICATED" || cause === "PERMISSION_DENIED") endSession("refused");
      },
    }),
  });
}
