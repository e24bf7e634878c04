// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../bench/machine.mjs";

// No type check reads the programs in plain JavaScript: this one sees that what they import is there.

const FOLDERS = ["abuse", "bench", "clients", "faults", "judge", "mutations", "picture-model"];
const MORE = ["scripts", "simulation", "test", "tier0", "vector-kernel"];

const IMPORTS = /^import\s+\{([^}]*)\}\s+from\s+"(\.[^"]+)";/gm;
const NAMED =
  /^export\s+(?:async\s+)?(?:const|let|function\*?|class|type|interface)\s+(?:(\w+)|\{([^}]*)\})/gm;
const LISTED = /^export\s+\{([^}]*)\}/gm;

const programs = [...FOLDERS, ...MORE].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.m?js$/.test(name) && !name.includes("node_modules"))
    .map((name) => join(ROOT, folder, name)),
);

/** Names of a list in braces: those before `as`, or those after it. */
const namesOf = (/** @type {string} */ list, /** @type {0 | -1} */ side) =>
  list
    .split(",")
    .map(
      (part) =>
        part
          .trim()
          .replace(/^type /, "")
          .split(/\s+as\s+|:\s*/)
          .at(side) ?? "",
    )
    .filter((name) => name !== "");

function exportsOf(/** @type {string} */ file) {
  const text = readFileSync(file, "utf8");
  const declared = [...text.matchAll(NAMED)].flatMap(([, name, list]) =>
    name === undefined ? namesOf(list ?? "", -1) : [name],
  );
  return new Set([
    ...declared,
    ...[...text.matchAll(LISTED)].flatMap(([, list]) => namesOf(list ?? "", -1)),
  ]);
}

test("programs import what is there", () => {
  assert.ok(programs.length > 100);
  const missing = programs.flatMap((program) =>
    [...readFileSync(program, "utf8").matchAll(IMPORTS)].flatMap(([, list, path]) => {
      const from = join(dirname(program), path ?? "");
      // Made by the program's own folder.
      if (!existsSync(from)) return from.endsWith("generated.ts") ? [] : [`${program}: ${from}`];
      const there = exportsOf(from);
      return namesOf(list ?? "", 0)
        .filter((name) => !there.has(name))
        .map((name) => `${relative(ROOT, program)}: ${name} of ${relative(ROOT, from)}`);
    }),
  );
  assert.deepEqual(missing, []);
});
