import type { Database } from "@boxoffice/platform/database.ts";
import { euro, parseId, parseTime } from "@boxoffice/platform/parse.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { SalesService, type SaleTicketType } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { abort, begin, confirm, releasePaid } from "../domain/transitions.ts";
import { type ChangeOptions, changeReservation } from "../store/change.ts";
import { changeTicketType, closeSales, openSales } from "../store/sale.ts";
import { parseTicketType, toReservationMessage } from "./messages.ts";

export type SalesServiceOptions = {
  database: Database;
  newId: () => string;
  /** A hold with less time left cannot begin to be paid, in milliseconds. */
  payMarginMs: number;
  /** Called after a commit that wrote to the outbox. */
  onCommit(): void;
};

/** What catalog and payment ask of reservations. */
export function salesService({ database, newId, payMarginMs, onCommit }: SalesServiceOptions): RpcService {
  const sale = { database, newId };

  async function change(
    request: { reservationId: string; paymentId: string },
    decide: (
      facts: Parameters<ChangeOptions["decide"]>[0],
      paymentId: string,
    ) => ReturnType<ChangeOptions["decide"]>,
    options: { abortsPayment?: boolean } = {},
  ) {
    const paymentId = parseId(request.paymentId);
    const { reservation, now } = await changeReservation({
      ...sale,
      ...options,
      reservationId: parseId(request.reservationId),
      paymentId,
      decide: (facts) => decide(facts, paymentId),
    });
    onCommit();
    return { reservation, message: toReservationMessage(reservation, now) };
  }

  return service(SalesService, {
    async openSales(request) {
      await openSales(sale, {
        eventId: parseId(request.eventId),
        version: request.version,
        startsAt: parseTime("starts_at", required(request.startsAt)),
        ticketTypes: request.ticketTypes.map((type, index) =>
          parseTicketType(`ticket_types[${index}]`, type),
        ),
      });
      onCommit();
      return {};
    },

    async changeTicketType(request) {
      await changeTicketType(sale, {
        eventId: parseId(request.eventId),
        version: request.version,
        ticketType: parseTicketType("ticket_type", required<SaleTicketType>(request.ticketType)),
      });
      onCommit();
      return {};
    },

    async closeSales(request) {
      await closeSales(sale, parseId(request.eventId), request.version);
      return {};
    },

    async beginPayment(request) {
      const { reservation, message } = await change(request, (facts, paymentId) =>
        begin(facts, paymentId, payMarginMs),
      );
      return { amount: euro(reservation.totalMinor), eventId: reservation.eventId, reservation: message };
    },

    async confirmPayment(request) {
      return { reservation: (await change(request, confirm)).message };
    },

    async abortPayment(request) {
      return { reservation: (await change(request, abort, { abortsPayment: true })).message };
    },

    async releasePaid(request) {
      const { message } = await change(request, (facts, paymentId) =>
        releasePaid(facts, paymentId, request.keepOffSale),
      );
      return { reservation: message };
    },
  });
}

/** The contract's rules say that it is set. */
function required<T extends Timestamp | SaleTicketType>(value: T | undefined): T {
  if (value === undefined) throw new Error("the contract's rules let no request without it through");
  return value;
}
