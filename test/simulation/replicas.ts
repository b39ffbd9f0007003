import { createSecretKey } from "node:crypto";
import { Database } from "@boxoffice/platform/database.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import type pg from "pg";
import { Cashier } from "../../services/payment/cashier.ts";
import { runCompleter } from "../../services/payment/completer.ts";
import { OperatorDesk } from "../../services/payment/operator-desk.ts";
import { PaymentSteps } from "../../services/payment/payment-steps.ts";
import { ProviderCalls } from "../../services/payment/provider-calls.ts";
import { ReservationCalls } from "../../services/payment/reservation-calls.ts";
import { paymentService } from "../../services/payment/rpc/payment-service.ts";
import { Settlement } from "../../services/payment/settlement.ts";
import { openLedger } from "../../services/payment/store/ledger.ts";
import { createChangeLane, createReserveLanes } from "../../services/reservation/lanes.ts";
import {
  availabilityWatches,
  reservationService,
} from "../../services/reservation/rpc/reservation-service.ts";
import { salesService } from "../../services/reservation/rpc/sales-service.ts";
import { runSweeper } from "../../services/reservation/sweeper.ts";
import { SimulatedConnection } from "./connection.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

const log = createLogger("simulation", "silent");

/** Beside what the provider may take, what the steps around it do, in milliseconds. */
const STEPS_MS = 5_000;

const HMAC_KEY = createSecretKey(Buffer.alloc(32, 7));

/** Puts the reservation service together, as its main.ts does, on connections that wait for their turns. */
export function startReservation(world: World, host: Host): void {
  const database = databaseOf(world, host);
  const { newId } = host.runtime();
  const onCommit = () => {};
  const laneOptions = { database, newId, onCommit, lanes: 2, maxBatch: 500, maxQueue: 1_000 };
  const reserving = createReserveLanes({ ...laneOptions, holdMs: world.plan.holdMs });
  const changing = createChangeLane(laneOptions);
  const watches = availabilityWatches({ database, runtime: host.runtime(), log });
  host.services = [
    reservationService({ database, reserving, changing, newId, watches, onCommit }),
    salesService({
      database,
      reserving,
      changing,
      newId,
      onCommit,
      payMarginMs: world.plan.payMarginMs,
    }),
  ];
  const runtime = host.runtime("loop");
  host.loop("sweeper", (signal) => runSweeper({ database, newId, runtime, log, onCommit }, signal));
}

/** Puts the payment service together, as its assemble.ts does. */
export function startPayment(world: World, host: Host): void {
  const database = databaseOf(world, host);
  const runtime = host.runtime();
  const ledger = openLedger({ database, newId: runtime.newId, onCommit() {} });
  const transport = world.network.transport("reservation", { host, as: "payment" });
  const reservations = new ReservationCalls({ transport, runtime });
  const timeoutMs = world.plan.providerTimeoutMs;
  const provider = new ProviderCalls({ provider: world.bank.for(host), runtime, log, timeoutMs });
  const settlement = new Settlement({ ledger, reservations, provider, log });
  const common = { ledger, settlement, provider, runtime, log };
  const steps = new PaymentSteps({ ...common, reservations });
  const cashier = new Cashier({ ...common, reservations, steps, hmacKey: HMAC_KEY });
  const answerWithinMs = timeoutMs + STEPS_MS;
  const desk = new OperatorDesk({ ...common, answerWithinMs });
  host.services = [paymentService({ ledger, cashier, desk, answerWithinMs })];
  host.loop("completer", (signal) => runCompleter({ ...common, runtime: host.runtime("loop") }, signal));
}

function databaseOf(world: World, host: Host): Database {
  const schema = host.service;
  class Client extends SimulatedConnection {
    constructor(config: pg.ClientConfig = {}) {
      super(world, host, schema, config);
    }
  }
  const database = new Database({
    url: world.backends.ownerUrl,
    name: host.name,
    log,
    Client: Client as unknown as new () => pg.ClientBase,
  });
  host.close = () => void database.close();
  return database;
}
