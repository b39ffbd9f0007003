import type { Service } from "../../local/config.ts";
import { findViolations, type Rule } from "../checker/check.ts";
import type { FaultBoxOffice } from "../faults/box-office.ts";
import type { Random } from "../faults/random.ts";

/** `full` is what is promised; `short` is the same in a few seconds, for every test run. */
export type Size = "full" | "short";

/** What a property is proved with. */
export type Proof = {
  office: FaultBoxOffice;
  random: Random;
  size: Size;
};

/** What came of a proof: how much was tried, and what was wrong, in words. */
export type Finding = {
  counts: Record<string, number>;
  violations: string[];
  /** What else is worth knowing of it, where all holds. */
  notes?: string[];
};

/** Something that holds whatever happens, with the trial that would show it if it did not. */
export type Property = {
  name: string;
  /** The property in a sentence. */
  says: string;
  prove(proof: Proof): Promise<Finding>;
};

/** The properties of one area, which are proved one after the other on the same box office. */
export type Area = {
  /** The services whose schemas it takes. */
  services: readonly Service[];
  properties: readonly Property[];
};

/** Proves one property, and then that no process ended by itself meanwhile. */
export async function prove(property: Property, proof: Proof): Promise<Finding> {
  const before = proof.office.unexpectedEnds().length;
  const finding = await property.prove(proof);
  const ends = proof.office.unexpectedEnds().slice(before);
  return { ...finding, violations: [...finding.violations, ...ends] };
}

/** What the checker finds in some events; of the sale unless other rules are given. */
export function check(
  { office }: Proof,
  eventIds: readonly string[],
  rules?: readonly Rule[],
): Promise<string[]> {
  return findViolations({
    database: office.database,
    history: office.history,
    eventIds,
    ...(rules && { rules }),
  });
}
