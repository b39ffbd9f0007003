import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import {
  SalesService,
  type SaleTicketTypeSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import type { FaultBoxOffice, Replica } from "./box-office.ts";
import { until } from "./until.ts";

export const { newId } = systemRuntime;

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Everybody who calls the sale, at one replica of it. */
export type SaleClients = {
  buyer: Client<typeof ReservationService>;
  operator: Client<typeof ReservationService>;
  catalog: Client<typeof SalesService>;
  payment: Client<typeof SalesService>;
};

export async function connectSale(office: FaultBoxOffice, { address }: Replica): Promise<SaleClients> {
  return {
    buyer: await office.connect(ReservationService, address),
    operator: await office.connect(ReservationService, address, "operator"),
    catalog: await office.connect(SalesService, address, "catalog"),
    payment: await office.connect(SalesService, address, "payment"),
  };
}

type TicketTypeInit = Exclude<MessageInitShape<typeof SaleTicketTypeSchema>, Message>;

export type OpenedEvent = { eventId: string; types: string[] };

/** Puts an event on sale that starts tomorrow, with one ticket type per quantity, of 10 EUR, 11 EUR and so on. */
export async function openEvent(
  { catalog }: Pick<SaleClients, "catalog">,
  quantities: readonly number[],
  overrides: TicketTypeInit = {},
): Promise<OpenedEvent> {
  const eventId = newId();
  const types = quantities.map(() => newId());
  await catalog.openSales({
    eventId,
    version: 1n,
    startsAt: timestampFromMs(Date.now() + DAY_MS),
    ticketTypes: types.map((ticketTypeId, position) => ({
      ...ticketType(ticketTypeId, position, quantities[position] ?? 0),
      ...overrides,
    })),
  });
  return { eventId, types };
}

/** Catalog has published an event, and tells reservation of it a moment later. */
export async function untilOnSale(
  buyer: Pick<Client<typeof ReservationService>, "getAvailability">,
  eventId: string,
): Promise<void> {
  const isOnSale = () =>
    buyer.getAvailability({ eventId }).then(
      () => true,
      () => false,
    );
  await until("the event is on sale", 10_000, isOnSale);
}

/** A ticket type as {@link openEvent} puts it on sale. */
export function ticketType(ticketTypeId: string, position: number, quantity: number): TicketTypeInit {
  return {
    ticketTypeId,
    position,
    name: `Type ${position}`,
    category: position === 0 ? "regular" : "vip",
    price: { currencyCode: "EUR", minorUnits: BigInt(1_000 + 100 * position) },
    quantity,
    maxPerReservation: 1_000,
  };
}

/** So many tickets of each type, in the types' order; none of those whose number is 0. */
export const itemsOf = ({ types }: Pick<OpenedEvent, "types">, ...quantities: number[]) =>
  types
    .map((ticketTypeId, index) => ({ ticketTypeId, quantity: quantities[index] ?? 0 }))
    .filter(({ quantity }) => quantity > 0);
