import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Api, type Method } from "./api.ts";
import { sendBadInput } from "./bad-input.ts";
import { buyTickets } from "./buying.ts";
import { openStage } from "./events.ts";
import { checkStatistics, readOverview } from "./statistics.ts";
import type { Journey } from "./steps.ts";

export type JourneyOptions = {
  /** The gateway's, for example `http://127.0.0.1:8080`. */
  address: string;
  /** An operator's. */
  token: string;
  holdSeconds?: number;
  /** Told of each step that is done. */
  tell?: (line: string) => void;
};

/**
 * The whole journey of a ticket through a running box office: an event is put on sale, tickets are reserved, paid,
 * given back and counted, and everything that can go wrong for a buyer goes wrong once. It knows nothing but HTTP
 * and JSON, and leaves two cancelled events behind.
 *
 * @throws Error that names the step that failed, the call and its answer
 */
export async function runJourney(options: JourneyOptions): Promise<void> {
  const { address, token, holdSeconds = 900, tell = () => undefined } = options;
  const journey: Journey = {
    anyone: new Api(address),
    operator: new Api(address, token),
    run: randomUUID().slice(0, 8),
    holdSeconds,
    async step(name, act) {
      const startedAt = Date.now();
      try {
        const result = await act();
        tell(`ok  ${name} (${Date.now() - startedAt} ms)`);
        return result;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new Error(`step "${name}" failed: ${message}`, { cause: error });
      }
    },
  };
  await lookAround(journey);
  await refuseStrangers(journey);
  const before = await journey.step("read the overview", () => readOverview(journey));
  const stage = await openStage(journey);
  await buyTickets(journey, stage);
  await sendBadInput(journey, stage);
  await checkStatistics(journey, stage, before);
  await journey.step("the books are consistent", async () => {
    for (const { eventId } of Object.values(stage)) {
      const { consistent } = await journey.operator.ok<{ consistent: boolean }>("reservation/Recount", {
        eventId,
      });
      assert.equal(consistent, true);
    }
  });
  await journey.step("clean up", () =>
    journey.operator.ok("catalog/CancelEvent", { eventId: stage.concert.eventId }),
  );
}

async function lookAround({ anyone, step }: Journey): Promise<void> {
  await step("the gateway is there", async () => {
    for (const path of ["/livez", "/readyz"]) assert.equal((await anyone.page(path)).status, 200, path);
    const home = await anyone.page("/");
    assert.equal(home.status, 200);
    assert.match(home.headers.get("content-type") ?? "", /^text\/html/);
    await anyone.ok("catalog/ListEvents");
  });
  await step("methods between services are unknown", async () => {
    for (const name of ["BeginPayment", "Begin_Payment"]) {
      const { status } = await anyone.page(`/boxoffice.reservation.v1.SalesService/${name}`);
      assert.equal(status, 404, name);
    }
  });
}

async function refuseStrangers({ anyone, step }: Journey): Promise<void> {
  const eventId = randomUUID();
  const calls: [Method, object][] = [
    ["catalog/CreateEvent", { event: { name: "mine" } }],
    ["catalog/PublishEvent", { eventId }],
    ["catalog/CancelEvent", { eventId }],
    ["reservation/ListReservations", {}],
    ["reservation/PauseSales", { eventId }],
    ["payment/ListPayments", {}],
    ["stats/GetOverview", {}],
    ["stats/GetEventStats", { eventId }],
    ["stats/ListCategoryStats", {}],
  ];
  const forger = new Api(anyone.address, "eyJhbGciOiJub25lIn0.eyJyb2xlIjoib3BlcmF0b3IifQ.");
  await step("operators' methods are refused to everybody else", async () => {
    for (const [method, message] of calls) {
      for (const api of [anyone, forger]) {
        await api.refused(method, message, { reason: "UNAUTHENTICATED", code: "unauthenticated" });
      }
    }
  });
}
