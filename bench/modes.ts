import type { Mode } from "./mode.ts";
import { reserve } from "./modes/reserve.ts";

/** Everything that is measured, in the order in which it is. A new mode is a file in modes/ and a line here. */
export const MODES: readonly Mode[] = [reserve];
