import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventSchema } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { create, toJson } from "@bufbuild/protobuf";
import { afterAll, expect, test } from "vitest";
import { EXAMPLE, readEventFile } from "../event-file.ts";

const folder = mkdtempSync(join(tmpdir(), "boxoffice-event-"));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string, name = "event.yaml"): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const read = (file: string) => toJson(EventSchema, create(EventSchema, readEventFile(file)));

test("the example of --help is an event, with times as the clocks there show them", () => {
  expect(read(fileOf(EXAMPLE))).toMatchObject({
    name: "Northern Lights Festival",
    startsAt: "2027-02-12T18:30:00Z",
    timeZone: "Europe/Berlin",
    ticketTypes: [
      {
        category: "regular",
        price: { currencyCode: "EUR", minorUnits: "4900" },
        quantity: 2500,
        maxPerReservation: 8,
        salesStart: "2027-01-10T09:00:00Z",
        salesEnd: "2027-02-12T17:00:00Z",
      },
    ],
  });
});

test("JSON, offsets and prices of every form", () => {
  const types = [5, 5.5, "0.05", "1234567.89", 49.1].map((price, index) => ({
    name: `${index}`,
    price,
    quantity: 1,
  }));
  const event = {
    name: "A",
    starts_at: "2027-07-01T20:00:00-04:00",
    time_zone: "America/New_York",
    ticket_types: types,
  };
  const json = read(fileOf(JSON.stringify(event), "event.json")) as { ticketTypes: { price: object }[] };
  expect(json).toMatchObject({ startsAt: "2027-07-02T00:00:00Z" });
  expect(json.ticketTypes.map(({ price }) => price)).toMatchObject(
    ["500", "550", "5", "123456789", "4910"].map((minorUnits) => ({ minorUnits })),
  );
});

test.each([
  ["name: A\nstarts_at: 2027-01-01T10:00", "time_zone: "],
  ["name: A\nstarts_at: soon\ntime_zone: UTC", "starts_at: must be a time"],
  ["name: A\nstarts_at: 2027-13-01T10:00\ntime_zone: UTC", "starts_at: there is no such time in UTC"],
  ["name: A\nstarts_at: 2027-01-01T10:00\ntime_zone: Mars", "starts_at: there is no such time in Mars"],
  ["name: A\nstarts_at: 2027-01-01T10:00\ntime_zone: UTC\nvenu: B", 'Unrecognized key: "venu"'],
  [
    "name: A\nstarts_at: 2027-01-01T10:00\ntime_zone: UTC\nticket_types: [{name: B, price: 1.005, quantity: 1}]",
    "ticket_types[0].price: must be an amount",
  ],
  [
    "name: A\nstarts_at: 2027-01-01T10:00\ntime_zone: UTC\nticket_types: [{name: B, price: -1, quantity: 1}]",
    "ticket_types[0].price: must be an amount",
  ],
  [
    "name: A\nstarts_at: 2027-01-01T10:00\ntime_zone: UTC\nticket_types: [{name: B, price: 1, quantity: 1.5}]",
    "ticket_types[0].quantity: ",
  ],
  ["- just\n- a list", "the file: "],
  ["name: [", "cannot be read"],
])("%j is refused by the field", (text, message) => {
  expect(() => readEventFile(fileOf(text))).toThrow(message);
});

test("a file that is not there, and a folder, are named", () => {
  expect(() => readEventFile("/nowhere/event.yaml")).toThrow(
    "/nowhere/event.yaml cannot be read: no such file",
  );
  expect(() => readEventFile("/")).toThrow("/ cannot be read: ");
});
