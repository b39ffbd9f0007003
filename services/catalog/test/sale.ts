import { join } from "node:path";
import { JWKS_FILE } from "@boxoffice/platform/auth/keys.ts";
import { createVerifier } from "@boxoffice/platform/auth/verifier.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { HealthState } from "@boxoffice/platform/rpc/health.ts";
import { createRpcServer, type RpcServer } from "@boxoffice/platform/rpc/server.ts";
import { service } from "@boxoffice/platform/rpc/service.ts";
import { SalesService, type SaleTicketType } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";

const log = createLogger("test", "silent");

/** A command as the sale was told of it. */
export type Told = { kind: "open" | "change" | "close"; eventId: string; version: bigint };

/** An event as the sale knows it. */
export type SoldEvent = {
  version: bigint;
  startsAtMs: number;
  isClosed: boolean;
  types: Map<string, { quantity: number; priceMinor: bigint }>;
};

/**
 * The sale, as far as catalog calls it: it obeys each version of an event once and in their order, and keeps
 * what is reserved. It can be stopped and started, and be made to fail or hang.
 */
export class Sale {
  readonly events = new Map<string, SoldEvent>();
  /** Every call that was obeyed or ignored, in the order of their arrival. */
  readonly told: Told[] = [];
  /** How many tickets of a type cannot be taken away. */
  readonly reserved = new Map<string, number>();
  /** Runs before a call is obeyed; throws to fail it. */
  before: (told: Told) => Promise<void> | void = () => {};
  readonly #folder: string;
  #server: RpcServer | undefined;
  #port = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Listens where it did before. */
  async start(): Promise<void> {
    this.#server = createRpcServer({
      name: "reservation",
      services: [this.#service()],
      verifier: createVerifier({ jwksFile: join(this.#folder, JWKS_FILE), audience: "reservation", log }),
      health: new HealthState(),
      log,
    });
    this.#port = await this.#server.listen("127.0.0.1", this.#port);
  }

  async stop(): Promise<void> {
    await this.#server?.close(0);
    this.#server = undefined;
  }

  versionsOf(eventId: string): bigint[] {
    return this.told.filter((told) => told.eventId === eventId).map(({ version }) => version);
  }

  quantityOf(eventId: string, ticketTypeId: string): number | undefined {
    return this.events.get(eventId)?.types.get(ticketTypeId)?.quantity;
  }

  #service() {
    return service(SalesService, {
      openSales: async ({ eventId, version, startsAt, ticketTypes }) => {
        await this.#obey({ kind: "open", eventId, version }, (event) => {
          event.startsAtMs = timestampMs(startsAt as Timestamp);
          for (const type of ticketTypes) if (!event.types.has(type.ticketTypeId)) this.#set(event, type);
        });
        return {};
      },
      changeTicketType: async ({ eventId, version, ticketType }) => {
        await this.#obey({ kind: "change", eventId, version }, (event) => {
          if (event.isClosed) throw new BoxofficeError("EVENT_CANCELLED", "closed");
          this.#set(event, ticketType as SaleTicketType);
        });
        return {};
      },
      closeSales: async ({ eventId, version }) => {
        await this.#obey({ kind: "close", eventId, version }, (event) => {
          event.isClosed = true;
        });
        return {};
      },
    });
  }

  async #obey(told: Told, change: (event: SoldEvent) => void): Promise<void> {
    await this.before(told);
    const none: SoldEvent = { version: 0n, startsAtMs: 0, isClosed: false, types: new Map() };
    const event = this.events.get(told.eventId) ?? none;
    if (told.kind !== "open" && event === none) throw new BoxofficeError("EVENT_NOT_FOUND", "not on sale");
    this.told.push(told);
    if (told.version <= event.version) return;
    change(event);
    event.version = told.version;
    this.events.set(told.eventId, event);
  }

  #set(event: SoldEvent, { ticketTypeId, quantity, price }: SaleTicketType): void {
    const reserved = this.reserved.get(ticketTypeId) ?? 0;
    if (quantity < reserved) {
      throw new BoxofficeError("QUANTITY_BELOW_RESERVED", `${reserved} are reserved`, {
        metadata: { ticket_type_id: ticketTypeId, reserved },
      });
    }
    event.types.set(ticketTypeId, { quantity, priceMinor: price?.minorUnits ?? -1n });
  }
}
