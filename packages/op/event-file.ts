import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { zonedTime } from "@boxoffice/platform/zoned-time.ts";
import type { EventSchema } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { parse as parseYaml, YAMLParseError } from "yaml";
import { z } from "zod";

/** What a file with an event looks like, for `--help`. */
export const EXAMPLE = `name: Northern Lights Festival
venue: Tempodrom, Berlin
description: Doors open 90 minutes before the first act.
starts_at: 2027-02-12T19:30        # as the clocks there show it; or with an offset, 2027-02-12T19:30:00+01:00
time_zone: Europe/Berlin
ticket_types:
  - name: Standing
    category: regular              # what statistics group by; the name, unless told
    price: 49.00                   # EUR
    quantity: 2500
    max_per_reservation: 8         # 10, unless told
    sales_start: 2027-01-10T10:00  # from publishing, unless told
    sales_end: 2027-02-12T18:00    # until the start, unless told`;

/**
 * Reads an event from a YAML or JSON file.
 *
 * @throws an error that names the file, and each field that is wrong
 */
export function readEventFile(file: string): MessageInitShape<typeof EventSchema> {
  const result = EVENT.safeParse(readValue(file));
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => `  ${pathOf(path)}: ${message}`);
    throw new Error(`${file} is no event:\n${lines.join("\n")}`);
  }
  const { starts_at, time_zone, ticket_types, ...rest } = result.data;
  const wrong: string[] = [];
  const time = (field: string, text: string) => {
    const parsed = parseTime(text, time_zone);
    if (parsed === undefined) wrong.push(`  ${field}: there is no such time in ${time_zone}`);
    return parsed && timestampFromDate(parsed);
  };
  const startsAt = time("starts_at", starts_at);
  const ticketTypes = ticket_types.map(
    ({ price, max_per_reservation, sales_start, sales_end, ...type }, index) => {
      const salesStart = sales_start && time(`ticket_types[${index}].sales_start`, sales_start);
      const salesEnd = sales_end && time(`ticket_types[${index}].sales_end`, sales_end);
      return {
        ...type,
        price: { currencyCode: "EUR", minorUnits: centsOf(price) },
        maxPerReservation: max_per_reservation,
        ...(salesStart && { salesStart }),
        ...(salesEnd && { salesEnd }),
      };
    },
  );
  if (wrong.length > 0) throw new Error(`${file} is no event:\n${wrong.join("\n")}`);
  return { ...rest, timeZone: time_zone, ...(startsAt && { startsAt }), ticketTypes };
}

const TIME = z
  .string({ error: "must be a time, such as 2027-02-12T19:30" })
  .regex(/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?$/, {
    error: "must be a time, such as 2027-02-12T19:30",
  });

const PRICE = z
  .union([z.number(), z.string()])
  .transform(String)
  .refine((text) => /^\d{1,7}(\.\d{1,2})?$/.test(text), { error: "must be an amount in EUR, such as 49.00" });

const TICKET_TYPE = z.strictObject({
  name: z.string(),
  category: z.string().default(""),
  price: PRICE,
  quantity: z.int(),
  max_per_reservation: z.int().default(0),
  sales_start: TIME.optional(),
  sales_end: TIME.optional(),
});

const EVENT = z.strictObject({
  name: z.string(),
  description: z.string().default(""),
  venue: z.string().default(""),
  starts_at: TIME,
  time_zone: z.string(),
  ticket_types: z.array(TICKET_TYPE).default([]),
});

function readValue(file: string): unknown {
  try {
    const text = readFileSync(file, "utf8");
    return extname(file) === ".json" ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing)
      throw new Error(`${file} cannot be read: no such file; --help shows what one holds`, { cause: error });
    const [message] = error instanceof YAMLParseError ? error.message.split("\n") : [String(error)];
    throw new Error(`${file} cannot be read: ${message}`, { cause: error });
  }
}

function parseTime(text: string, timeZone: string): Date | undefined {
  try {
    const iso = text.replace(" ", "T");
    const time = /(Z|[+-]\d{2}:\d{2})$/.test(iso) ? new Date(iso) : zonedTime(iso, timeZone);
    return Number.isNaN(time.getTime()) ? undefined : time;
  } catch {
    return undefined;
  }
}

/** Out of decimal digits, so that no binary fraction rounds. */
function centsOf(price: string): bigint {
  const [euros = "", cents = ""] = price.split(".");
  return BigInt(euros + cents.padEnd(2, "0"));
}

/** "ticket_types[0].price"; what is wrong with the whole is wrong with "the file". */
function pathOf(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return text.replace(/^\./, "") || "the file";
}
