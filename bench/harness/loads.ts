import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReserveRequestSchema } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import type { SiegeSpec } from "../load/besiege.ts";
import { type LoadResult, type LoadSpec, NEW_ID, RESERVATION_ID, STARTED, type Step } from "../load/spec.ts";
import type { ViewersResult, ViewersSpec } from "../load/viewers.ts";
import type { BoxOffice } from "./box-office.ts";
import { sum } from "./numbers.ts";
import { type Program, runProgram } from "./program.ts";
import { findTool } from "./tools.ts";

const RESERVE = "/boxoffice.reservation.v1.ReservationService/Reserve";
const PAY = "/boxoffice.payment.v1.PaymentService/PayReservation";
const GENERATOR = join(import.meta.dirname, "..", "load", "main.ts");
const SIEGE = join(import.meta.dirname, "..", "load", "besiege.ts");
const VIEWERS = join(import.meta.dirname, "..", "load", "viewers.ts");

/** How many connections, with how many requests in flight on each, and for how long. */
export type LoadOptions = Pick<
  LoadSpec,
  "connections" | "perConnection" | "seconds" | "countFrom" | "ratePerSecond"
>;

/** Runs the bench's own generator. */
function runLoad(spec: LoadSpec): Program {
  return runProgram(process.execPath, [GENERATOR], { input: JSON.stringify(spec), startsWith: STARTED });
}

/** What the generator says at its end. */
export function readLoad(printed: string): LoadResult {
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "") as LoadResult;
}

/** What the generator met that it should not have. */
export function troubleInLoad(printed: string): string[] {
  const { begun, completed, refused, lost } = readLoad(printed);
  const unanswered = begun - completed - sum(Object.values(refused));
  return [
    ...Object.entries(refused).map(([reason, count]) => `${count} x ${reason}`),
    ...(unanswered > 0 ? [`${unanswered} not answered`] : []),
    ...(lost > 0 ? [`${lost} connections lost`] : []),
  ];
}

/**
 * Reserves one ticket at a time by gRPC, of a type chosen by chance, each time with a request id of its own unless told
 * to send none, as h2load does.
 */
export function reserveByGrpc(
  box: BoxOffice,
  events: readonly Event[],
  options: LoadOptions,
  requestId: typeof NEW_ID | "" = NEW_ID,
): Program {
  const journeys = events.flatMap(({ eventId, ticketTypes }) =>
    ticketTypes.map(({ ticketTypeId }): Step[] => {
      const body = reserveBody(eventId, ticketTypeId, requestId).toString("base64");
      return [{ method: "POST", path: RESERVE, body }];
    }),
  );
  return runLoad({ protocol: "grpc", ...box.address("reservation"), ...options, journeys });
}

/** Whole purchases as a browser makes them, through the gateway: reserves a ticket, and then pays for it. */
export function purchaseByHttp(box: BoxOffice, event: Event, options: LoadOptions): Program {
  const post = (path: string, message: object): Step => {
    const body = Buffer.from(JSON.stringify(message)).toString("base64");
    return { method: "POST", path, body };
  };
  const journeys = event.ticketTypes.map(({ ticketTypeId }) => [
    post(RESERVE, { eventId: event.eventId, items: [{ ticketTypeId, quantity: 1 }], requestId: NEW_ID }),
    post(PAY, { reservationId: RESERVATION_ID, token: "a card", requestId: NEW_ID }),
  ]);
  return runLoad({ protocol: "http", ...box.address("gateway"), ...options, journeys });
}

/** Reserves one ticket at a time through the gateway, as a browser does, each time with a request id of its own. */
export function reserveByHttp(
  box: BoxOffice,
  { eventId, ticketTypes }: Pick<Event, "eventId" | "ticketTypes">,
  options: LoadOptions,
): Program {
  const journeys = ticketTypes.map(({ ticketTypeId }): Step[] => {
    const message = { eventId, items: [{ ticketTypeId, quantity: 1 }], requestId: NEW_ID };
    return [{ method: "POST", path: RESERVE, body: Buffer.from(JSON.stringify(message)).toString("base64") }];
  });
  return runLoad({ protocol: "http", ...box.address("gateway"), ...options, journeys });
}

/** Watches an event through the gateway with many connections, and changes it now and then. */
export function watchByHttp(box: BoxOffice, spec: Omit<ViewersSpec, "host" | "port">): Program {
  const input = JSON.stringify({ ...box.address("gateway"), ...spec });
  return runProgram(process.execPath, [VIEWERS], { input, startsWith: STARTED });
}

/** What the viewers say at their end. */
export function readViewers(printed: string): ViewersResult {
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "") as ViewersResult;
}

/** Sends the gateway what nobody should send, by thousands of connections. */
export function besiege(box: BoxOffice, spec: Omit<SiegeSpec, "host" | "port">): Program {
  const input = JSON.stringify({ ...box.address("gateway"), ...spec });
  return runProgram(process.execPath, [SIEGE], { input, startsWith: STARTED });
}

/** Reads the same address again and again over HTTP/1.1, by h2load, which costs next to nothing. */
export function getByH2load(url: string, connections: number, seconds: number): Program {
  const h2load = findTool("h2load");
  if (h2load === undefined) throw new Error("h2load is missing");
  return runProgram(h2load, ["--h1", `--clients=${connections}`, `--duration=${Math.ceil(seconds)}`, url]);
}

/** What h2load met that it should not have. */
export function h2loadTrouble(printed: string): string[] {
  const { failed } = readH2load(printed);
  return failed > 0 ? [`${failed} requests failed`] : [];
}

/** Reserves by h2load, which costs next to nothing but sends one body for ever: hence no request id. */
export function reserveByH2load(box: BoxOffice, event: Event, options: LoadOptions): Program {
  const { connections, perConnection, seconds } = options;
  const h2load = findTool("h2load");
  const [type] = event.ticketTypes;
  if (h2load === undefined || type === undefined) throw new Error("h2load or a ticket type is missing");
  const message = reserveBody(event.eventId, type.ticketTypeId, "");
  const head = Buffer.alloc(5); // not compressed, and the length
  head.writeUInt32BE(message.length, 1);
  const file = join(box.folder, "reserve.bin");
  writeFileSync(file, Buffer.concat([head, message]));
  const { host, port } = box.address("reservation");
  return runProgram(h2load, [
    ...[`--clients=${connections}`, `--max-concurrent-streams=${perConnection}`],
    ...[`--duration=${Math.ceil(seconds)}`, `--data=${file}`],
    ...["--header=content-type: application/grpc", "--header=te: trailers"],
    `http://${host}:${port}${RESERVE}`,
  ]);
}

/** What h2load says of itself. For gRPC a refusal is a success too; the rows that are counted tell. */
export function readH2load(printed: string): { perSecond: number; succeeded: number; failed: number } {
  const perSecond = /^finished in [\d.]+\w+, ([\d.]+) req\/s/m.exec(printed)?.[1];
  const [, succeeded, failed, errored, timeouts] =
    /(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(printed) ?? [];
  if (perSecond === undefined || succeeded === undefined)
    throw new Error(`h2load printed no rate:\n${printed}`);
  return {
    perSecond: Number(perSecond),
    succeeded: Number(succeeded),
    failed: Number(failed) + Number(errored) + Number(timeouts),
  };
}

function reserveBody(eventId: string, ticketTypeId: string, requestId: string): Buffer {
  const request = { eventId, items: [{ ticketTypeId, quantity: 1 }], requestId };
  return Buffer.from(toBinary(ReserveRequestSchema, create(ReserveRequestSchema, request)));
}
