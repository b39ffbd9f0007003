import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT, readLocalConfig } from "../../local/config.ts";
import { ensureDemo, type Showcase } from "../../local/demo.ts";
import { operatorClients } from "../../local/operator.ts";
import { reach } from "../../local/services.ts";
import { type BoxOffice, startBoxOffice } from "../support/box-office.ts";

const MARK = "--- the next command ---";

let box: BoxOffice;
let showcase: Showcase | undefined;

beforeAll(async () => {
  box = await startBoxOffice();
  const clients = operatorClients(reach(box.stack.config, "gateway"), box.operatorToken);
  showcase = await ensureDemo(join(box.folder, "demo.json"), clients);
}, 120_000);

afterAll(() => box?.end(), 60_000);

/** What the README's commands show, by what they ask for: the last one that shows it counts. */
const SHOWN: [command: string, shown: RegExp][] = [
  ["CatalogService/ListEvents", /northern lights/i],
  ["ReservationService/GetAvailability", /"status": ?"AVAILABILITY_STATUS_ON_SALE"/],
  ["ReservationService/GetReservation", /"state": ?"RESERVATION_STATE_HELD"/],
  ['"card_error', /"reason": ?"CARD_DECLINED"/],
  ['"a card', /"state": ?"PAYMENT_STATE_SUCCEEDED"/],
  ["call stats.v1.StatsService/GetEventStats", /"ticketTypes": ?\[/],
  ["StatsService/GetCategoryStats", /"category": ?"vip"/],
  ["--list-services", /^boxoffice\.reservation\.v1\.SalesService$/m],
  ["--list-methods", /^boxoffice\.reservation\.v1\.ReservationService\/Reserve$/m],
  ["Health/Check", /"status": ?"SERVING"/],
  ["CatalogService/PublishEvent", /"state": ?"EVENT_STATE_PUBLISHED"/],
  ["grpc 50054/boxoffice.stats.v1.StatsService/GetEventStats", /"paid": ?"2"/],
  ["ReservationService/ListReservations", /"state": ?"RESERVATION_STATE_PAID"/],
  ["PaymentService/ListPayments", /"state": ?"PAYMENT_STATE_FAILED"/],
  ["StatsService/GetOverview", /"paid": ?"\d/],
];

test("the README's tours, for buyers and for operators, show what they say", () => {
  const commands = commandsOf("Ten minutes: sell a ticket", "Ten more: the operator's tour");
  // One shell runs them one after the other, as a reader would who waits a moment for the statistics.
  const script = ["set -eu", ...commands.map((command) => `echo "${MARK}"\n${patient(command)}`)].join("\n");
  const shown = execFileSync("bash", ["-c", here(script)], {
    encoding: "utf8",
    cwd: ROOT,
    env: { ...process.env, ...box.env },
    timeout: 100_000,
  }).split(`${MARK}\n`);
  const found = SHOWN.map(([wanted]) => {
    const index = commands.findLastIndex((command) => command.includes(wanted) && !/^\w+=/.test(command));
    return [wanted, index < 0 ? "is in no command" : shown[index + 1]];
  });
  expect(found).toEqual(SHOWN.map(([wanted, what]) => [wanted, expect.stringMatching(what)]));
}, 120_000);

/** The commands of some chapters of the README; one that is broken into lines is one. */
function commandsOf(...chapters: string[]): string[] {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  return chapters.flatMap((chapter) => {
    const [, rest = ""] = text.split(`\n## ${chapter}\n`);
    const blocks = (rest.split("\n## ")[0] ?? "").matchAll(/^```sh\n(.*?)^```$/gms);
    return [...blocks].flatMap(([, block = ""]) => block.trimEnd().split(/\n(?=[a-zA-Z]+(?:\(\)|=| ))/));
  });
}

/** Statistics follow a moment later: a reader who sees the old ones asks again. */
const patient = (command: string): string =>
  command.includes("GetEventStats")
    ? `for try in {1..40}; do shown=$(${command}); grep -Eq '"paid": ?"2"' <<<"$shown" && break; sleep 0.5; done; echo "$shown"`
    : command;

/** With the ports of this box office in the place of the usual ones. */
function here(script: string): string {
  const usual = readLocalConfig({});
  return Object.entries(usual.ports).reduce(
    (text, [name, port]) =>
      text.replaceAll(`${port}`, String(box.stack.config.ports[name as keyof typeof usual.ports])),
    script,
  );
}

const python = "/usr/bin/python3";
const whyNoPython =
  spawnSync(python, ["-c", "import grpc, google.protobuf"]).status === 0
    ? undefined
    : "python3-grpcio and python3-protobuf are not installed";

test("gRPC's client for Python finds its way by reflection and health alone", async ({ skip }) => {
  skip(whyNoPython !== undefined, whyNoPython);
  const service = "boxoffice.reservation.v1.ReservationService";
  const request = JSON.stringify({ eventId: showcase?.eventId });
  const address = reach(box.stack.config, "reservation");
  const printed = execFileSync(
    python,
    [join(import.meta.dirname, "client.py"), address, service, "GetAvailability", request],
    { encoding: "utf8", timeout: 30_000 },
  );
  const seen = JSON.parse(printed);
  expect(seen.v1).toEqual(expect.arrayContaining([service, "grpc.health.v1.Health"]));
  expect(seen.v1alpha).toEqual(seen.v1);
  expect(seen.health).toEqual({ check: "SERVING", watch: "SERVING" });
  expect(seen.answer).toMatchObject({ eventId: showcase?.eventId });
  expect(seen.answer.ticketTypes[0].status).toBe("AVAILABILITY_STATUS_ON_SALE");
}, 40_000);
