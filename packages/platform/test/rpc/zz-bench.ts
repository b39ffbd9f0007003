import { createValidator } from "@bufbuild/protovalidate";
import { create, toBinary, fromBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { ReserveRequestSchema, GetAvailabilityRequestSchema, ReserveItemSchema } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
const v = createValidator();
const id = "0199c9e0-7d6b-7c7a-8a7e-0242ac120002";
const m = create(ReserveRequestSchema, { eventId: id, items: [{ ticketTypeId: id, quantity: 2 }], customer: { name: "Ada Lovelace", email: "ada@example.com" }, requestId: id });
const m2 = create(ReserveRequestSchema, { eventId: id, items: [{ ticketTypeId: id, quantity: 2 }, { ticketTypeId: "0199c9e0-7d6b-7c7a-8a7e-0242ac120003", quantity: 2 }], requestId: id });
const m1 = create(ReserveRequestSchema, { eventId: id, items: [{ ticketTypeId: id, quantity: 2 }], requestId: id });
const g = create(GetAvailabilityRequestSchema, { eventId: id });
const bytes = toBinary(ReserveRequestSchema, m);
function bench(name: string, fn: () => unknown, n = 20000) { for (let i = 0; i < 3000; i++) fn(); const t = process.hrtime.bigint(); for (let i = 0; i < n; i++) fn(); console.log(name, (Number(process.hrtime.bigint() - t) / n / 1000).toFixed(2), "µs"); }
function nul(value: object): boolean { for (const key in value) { const v = (value as any)[key]; if (typeof v === "string") { if (v.includes("\0")) return true; } else if (typeof v === "object" && v !== null && !ArrayBuffer.isView(v) && nul(v)) return true; } return false; }
const item = create(ReserveItemSchema, { ticketTypeId: id, quantity: 2 });
bench("item only (no cel)", () => v.validate(ReserveItemSchema, item));
bench("one item", () => v.validate(ReserveRequestSchema, m1));
bench("two items", () => v.validate(ReserveRequestSchema, m2));
bench("with customer", () => v.validate(ReserveRequestSchema, m));
bench("get availability", () => v.validate(GetAvailabilityRequestSchema, g));
bench("nul", () => nul(m));
bench("fromBinary", () => fromBinary(ReserveRequestSchema, bytes));
bench("toBinary", () => toBinary(ReserveRequestSchema, m));
bench("reflect walk", () => { const r = reflect(ReserveRequestSchema, m, false); for (const f of r.fields) r.get(f); });
