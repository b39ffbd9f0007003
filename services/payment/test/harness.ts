import { createSecretKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { ensureKeys, JWKS_FILE } from "@boxoffice/platform/auth/keys.ts";
import { createTokenIssuer, mintToken, serviceBearer } from "@boxoffice/platform/auth/tokens.ts";
import { createVerifier } from "@boxoffice/platform/auth/verifier.ts";
import { Database } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { createLogger, type Logger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { HealthState } from "@boxoffice/platform/rpc/health.ts";
import { createRpcServer, type RpcServer } from "@boxoffice/platform/rpc/server.ts";
import type { RpcService } from "@boxoffice/platform/rpc/service.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { ChangeBatchSchema, type PaymentChange } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { createTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { Cashier } from "../cashier.ts";
import { completeOnce } from "../completer.ts";
import { OperatorDesk } from "../operator-desk.ts";
import { PaymentSteps } from "../payment-steps.ts";
import type { PaymentProvider } from "../provider/port.ts";
import { ProviderCalls } from "../provider-calls.ts";
import { ReservationCalls } from "../reservation-calls.ts";
import { paymentService } from "../rpc/payment-service.ts";
import { Settlement } from "../settlement.ts";
import { type Ledger, openLedger } from "../store/ledger.ts";
import { Bank } from "./bank.ts";
import { Sales } from "./sales.ts";

const silent = createLogger("test", "silent");
export const { newId } = systemRuntime;

export type ReplicaOptions = {
  provider?: PaymentProvider;
  providerTimeoutMs?: number;
  answerWithinMs?: number;
  maxRunning?: number;
  /** Where it looks for the reservation service, unless it is the one of the box office. */
  reservationAddress?: string;
};

export type Replica = {
  ledger: Ledger;
  buyer: Client<typeof PaymentService>;
  operator: Client<typeof PaymentService>;
  cashier: Cashier;
  /** Lets the completer take over what is due, once. */
  complete(): Promise<number>;
  close(): Promise<void>;
};

export type BoxOffice = Awaited<ReturnType<typeof openBoxOffice>>;

/** A database, a reservation service, a bank, and as many replicas of the payment service as a test starts. */
export async function openBoxOffice() {
  const testDatabase = await createTestDatabase("payment");
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-payment-"));
  await ensureKeys(folder, ["operator", "payment"]);
  const sales = new Sales();
  const server = serverOf("reservation", sales.services(), folder);
  const reservationAddress = `127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
  const bank = new Bank();
  const owner = new Database({ url: testDatabase.ownerUrl, name: "payment test", log: silent });
  const logged: string[] = [];
  const replicas: Replica[] = [];
  return {
    sales,
    bank,
    /** All that the replicas have logged. */
    logged,
    owner,
    folder,
    reservationAddress,
    url: testDatabase.urlFor("payment"),
    async start(options: ReplicaOptions = {}): Promise<Replica> {
      const replica = await startReplica(testDatabase, folder, capture(logged), {
        provider: bank,
        reservationAddress,
        ...options,
      });
      replicas.push(replica);
      return replica;
    },
    /** What was written to the outbox about a payment, in the order of its versions. */
    async announced(paymentId: string): Promise<PaymentChange[]> {
      const rows = await owner.query<{ payload: Buffer }>({ text: "select payload from payment.outbox" });
      return rows
        .flatMap(({ payload }) => fromBinary(ChangeBatchSchema, payload).changes)
        .flatMap(({ change }) => (change.case === "payment" ? [change.value] : []))
        .filter((change) => change.paymentId === paymentId)
        .sort((a, b) => Number(a.version - b.version));
    },
    async end() {
      bank.release();
      for (const replica of replicas) await replica.close();
      await server.close(100);
      await owner.close();
      await testDatabase.drop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function startReplica(
  testDatabase: TestDatabase,
  folder: string,
  log: Logger,
  options: ReplicaOptions & { provider: PaymentProvider; reservationAddress: string },
): Promise<Replica> {
  const { provider, providerTimeoutMs = 5_000, answerWithinMs = 10_000, reservationAddress } = options;
  const runtime = systemRuntime;
  const database = new Database({ url: testDatabase.urlFor("payment"), name: "payment test", log });
  const issuer = createTokenIssuer({ role: "payment", keyFile: join(folder, "payment.key") });
  const transport = createGrpcTransport(reservationAddress, {
    defaultTimeoutMs: 10_000,
    bearer: serviceBearer(issuer, "reservation"),
  });
  const ledger = openLedger({ database, newId, onCommit() {} });
  const reservations = new ReservationCalls({ transport, runtime });
  const calls = new ProviderCalls({ provider, runtime, log, timeoutMs: providerTimeoutMs });
  const settlement = new Settlement({ ledger, reservations, provider: calls, log });
  const parts = { ledger, settlement, provider: calls, runtime, log };
  const desk = new OperatorDesk({ ...parts, answerWithinMs });
  const cashier = new Cashier({
    ledger,
    reservations,
    settlement,
    steps: new PaymentSteps({ ...parts, reservations }),
    runtime,
    log,
    hmacKey: createSecretKey(Buffer.alloc(32, 7)),
    ...(options.maxRunning && { maxRunning: options.maxRunning }),
  });
  const server = serverOf("payment", [paymentService({ ledger, cashier, desk, answerWithinMs })], folder);
  const address = `127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
  const buyer = createGrpcTransport(address, { defaultTimeoutMs: 0 });
  const token = await operatorToken(folder);
  const operator = createGrpcTransport(address, { defaultTimeoutMs: 10_000, bearer: () => token });
  return {
    ledger,
    cashier,
    buyer: createRpcClient(PaymentService, buyer),
    operator: createRpcClient(PaymentService, operator),
    complete: () => completeOnce(parts, new AbortController().signal),
    async close() {
      for (const each of [buyer, operator]) each.close();
      await server.close(100);
      desk.stop();
      await cashier.drain(200);
      transport.close();
      await database.close();
    },
  };
}

export function operatorToken(folder: string): Promise<string> {
  const privateKeyFile = join(folder, "operator.key");
  return mintToken({ privateKeyFile, role: "operator", subject: "op", ttlSeconds: 600 });
}

export function serverOf(name: string, services: RpcService[], folder: string): RpcServer {
  const verifier = createVerifier({ jwksFile: join(folder, JWKS_FILE), audience: name, log: silent });
  return createRpcServer({ name, services, verifier, health: new HealthState(), log: silent });
}

/** A logger that keeps whatever it is given, with everything that hangs on it. */
function capture(lines: string[]): Logger {
  const write = (...args: unknown[]) => void lines.push(inspect(args, { depth: 20, showHidden: true }));
  const log = { trace: write, debug: write, info: write, warn: write, error: write, fatal: write };
  return log as unknown as Logger;
}

/** What a call was refused with. */
export async function refusalOf(call: Promise<unknown>): Promise<BoxofficeError> {
  const error = await call.then(
    () => new Error("it was not refused"),
    (reason: unknown) => reason,
  );
  if (error instanceof BoxofficeError) return error;
  throw error;
}

export const reasonOf = async (call: Promise<unknown>): Promise<string> => (await refusalOf(call)).reason;
