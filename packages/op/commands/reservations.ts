import {
  type Reservation,
  ReservationSchema,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { Command, Option } from "commander";
import { limitOption, moreHint, parseUuid, timeOption } from "../arguments.ts";
import { answering, jsonOf, operatorCommand } from "../operator-command.ts";
import { readPages } from "../pages.ts";
import { showEnum, showMoney, showTime } from "../show.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";

const STATES = ["held", "paying", "paid", "expired", "cancelled"] as const;
type State = (typeof STATES)[number];

type Wanted = {
  event?: string;
  state?: State[];
  email: string;
  from?: Timestamp;
  until?: Timestamp;
  limit: number;
};

/** `reservations`: who holds and bought what. */
export function reservationsCommand(terminal: Terminal): Command {
  return new Command("reservations")
    .description(
      "See reservations with their customers. A reservation's id is its owner's key: give it to nobody else.",
    )
    .addCommand(listCommand(terminal))
    .addCommand(showCommand(terminal));
}

function listCommand(terminal: Terminal): Command {
  return operatorCommand("list")
    .description("List reservations, newest first.")
    .option("--event <id>", "only this event's", parseUuid)
    .addOption(new Option("--state <states...>", "only these").choices(STATES))
    .option("--email <address>", "only this customer's, in any case", "")
    .addOption(timeOption("from"))
    .addOption(timeOption("until"))
    .addOption(limitOption())
    .action(
      answering(terminal, async ({ reservation }, wanted: Wanted) => {
        const { event: eventId = "", email, from, until, limit } = wanted;
        const states = wanted.state?.map((name) => ReservationState[name.toUpperCase() as Uppercase<State>]);
        const createTime = { ...(from && { from }), ...(until && { until }) };
        const { items: reservations, hasMore } = await readPages(limit, async (page) => {
          const request = { ...page, eventId, email, createTime, states: states ?? [] };
          const { reservations, nextPageToken } = await reservation.listReservations(request);
          return { items: reservations, nextPageToken };
        });
        const columns = ["reservation", "state", "created", "tickets", "total", "customer"] as const;
        return {
          json: { reservations: reservations.map((one) => jsonOf(ReservationSchema, one)), hasMore },
          text: table(columns, reservations.map(rowOf)) + moreHint(hasMore),
        };
      }),
    );
}

function showCommand(terminal: Terminal): Command {
  return operatorCommand("show")
    .description("Show one reservation.")
    .argument("<reservation>", "its id", parseUuid)
    .action(
      answering(terminal, async (services, reservationId: string, _options: object) => {
        const { reservation } = await services.reservation.getReservation({ reservationId });
        if (reservation === undefined) throw new Error("the service answered without a reservation");
        return { json: { reservation: jsonOf(ReservationSchema, reservation) }, text: describe(reservation) };
      }),
    );
}

const rowOf = (one: Reservation) => ({
  reservation: one.reservationId,
  state: showEnum(ReservationState, one.state),
  created: showTime(one.createTime),
  tickets: one.items.map(({ quantity, name }) => `${quantity} ${name}`).join(", "),
  total: showMoney(one.total),
  customer: customerOf(one),
});

function describe(reservation: Reservation): string {
  const { eventId, paymentId, createTime, expireTime, items, total } = reservation;
  const rows = items.map(({ name, category, quantity, unitPrice }) => ({
    quantity,
    name,
    category,
    price: showMoney(unitPrice),
  }));
  const customer = customerOf(reservation);
  const lines = [
    `${reservation.reservationId} (${showEnum(ReservationState, reservation.state)})`,
    `of event ${eventId}, ${showMoney(total)}${paymentId && `, payment ${paymentId}`}`,
    `created ${showTime(createTime)}, an unpaid hold until ${showTime(expireTime)}`,
    ...(customer ? [`for ${customer}`] : []),
    "",
    table(["quantity", "name", "category", "price"], rows),
  ];
  return lines.join("\n");
}

function customerOf({ customer }: Reservation): string {
  if (customer === undefined) return "";
  return customer.email ? `${customer.name} <${customer.email}>`.trim() : customer.name;
}
