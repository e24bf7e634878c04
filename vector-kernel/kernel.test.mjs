// The shipped kernel is what its source compiles to.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compiledKernel, KERNEL } from "./build.mjs";

test("the kernel is what its source compiles to", async () => {
  assert.ok(Buffer.from(await compiledKernel()).equals(readFileSync(KERNEL)));
});
