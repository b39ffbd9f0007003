import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../../local/config.ts";
import { KNOWN_BUGS } from "./all.ts";
import { edited } from "./put-back.ts";

test.each(KNOWN_BUGS.map((bug) => [bug.name, bug] as const))(
  "what %s replaces is in the product",
  (_name, { edits }) => {
    for (const edit of edits) {
      const source = readFileSync(join(ROOT, edit.module), "utf8");
      expect(edited(source, edit)).not.toBe(source);
    }
  },
);

test.each([
  ["not there", "if (isYours) return;", 0],
  ["there twice", "if (isMine) return; else if (isMine) return;", 2],
])("a text that is %s is an error", (_name, source, times) => {
  const edit = { module: "a-module.ts", text: "if (isMine) return;", replacement: "" };
  expect(() => edited(source, edit)).toThrow(`a-module.ts has ${times} times what a known bug replaces`);
});
