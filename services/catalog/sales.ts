import { euro } from "@boxoffice/platform/parse.ts";
import type {
  SalesService,
  SaleTicketTypeSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import type { Command, TicketType } from "./domain/event.ts";

/** Tells the sale of one change. It may be told again: the second time changes nothing. */
export type TellSale = (eventId: string, version: bigint, command: Command) => Promise<void>;

/** What of the sale's service this one calls. */
export type SalesClient = Pick<Client<typeof SalesService>, "openSales" | "changeTicketType" | "closeSales">;

/** @param timeoutMs how long one call may take */
export function tellSaleBy(client: SalesClient, timeoutMs: number): TellSale {
  return async (eventId, version, command) => {
    switch (command.kind) {
      case "open": {
        const startsAt = timestampFromDate(command.startsAt);
        const ticketTypes = command.ticketTypes.map(toSaleTicketType);
        await client.openSales({ eventId, version, startsAt, ticketTypes }, { timeoutMs });
        break;
      }
      case "change_ticket_type": {
        const ticketType = toSaleTicketType(command.ticketType);
        await client.changeTicketType({ eventId, version, ticketType }, { timeoutMs });
        break;
      }
      case "close":
        await client.closeSales({ eventId, version }, { timeoutMs });
        break;
    }
  };
}

function toSaleTicketType(type: TicketType): MessageInitShape<typeof SaleTicketTypeSchema> {
  const { ticketTypeId, position, name, category, priceMinor, quantity, maxPerReservation } = type;
  return {
    ticketTypeId,
    position,
    name,
    category,
    price: euro(priceMinor),
    quantity,
    maxPerReservation,
    ...(type.salesStart && { salesStart: timestampFromDate(type.salesStart) }),
    ...(type.salesEnd && { salesEnd: timestampFromDate(type.salesEnd) }),
  };
}
