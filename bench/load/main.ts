/** The load generator, a process of its own: reads a {@link LoadSpec}, sends, and prints a {@link LoadResult}. */
import { text } from "node:stream/consumers";
import { drive } from "./drive.ts";
import { type LoadSpec, STARTED } from "./spec.ts";

const spec = JSON.parse(await text(process.stdin)) as LoadSpec;
const result = await drive(spec, () => console.log(STARTED));
console.log(JSON.stringify(result));
process.exit(0);
