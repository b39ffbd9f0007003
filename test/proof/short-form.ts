import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { FaultBoxOffice } from "../faults/box-office.ts";
import { Random } from "../faults/random.ts";
import { AREAS } from "./areas.ts";
import { prove } from "./property.ts";

/** The same schedule in every run; `npm run proof` draws others. */
const SEED = 20_261_125;

/** A test for each of an area's properties, in its short form, on processes of their own. */
export function testShortForm(name: string): void {
  const area = AREAS[name];
  if (area === undefined) throw new Error(`there is no area ${name} to prove`);
  const { services, properties } = area;
  let office: FaultBoxOffice;

  beforeAll(async () => {
    office = await FaultBoxOffice.open(
      { ownerUrl: inject("ownerUrl"), natsUrl: inject("natsUrl") },
      services,
    );
  });

  afterAll(() => office?.end());

  test.each(properties.map((property) => [property.says, property] as const))(
    "%s",
    { timeout: 300_000 },
    async (_says, property) => {
      const random = new Random(SEED).fork(property.name);
      const { violations } = await prove(property, { office, random, size: "short" });
      expect(violations).toEqual([]);
    },
  );
}
