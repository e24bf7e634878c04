// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { test } from "node:test";
import { auc, rankCorrelation } from "../../tier0/evaluate/metrics.mjs";

// The figures of `npm run tier0:evaluate` and `perspective:compare`.

const near = (/** @type {number} */ found, /** @type {number} */ expected) =>
  assert.ok(Math.abs(found - expected) < 1e-12, `${found}, not ${expected}`);

test("equal values have one rank, in whatever order they come", () => {
  const theirs = [1, 2, 3, 4, 5, 6];
  near(rankCorrelation(theirs, [0, 0, 0, 1, 1, 1]), Math.sqrt(27 / 35));
  near(rankCorrelation(theirs.toReversed(), [1, 1, 1, 0, 0, 0]), Math.sqrt(27 / 35));
  near(rankCorrelation(theirs, [10, 20, 30, 40, 50, 60]), 1);
});

test("AUC counts an equal score as half", () => {
  const rows = [1, 2, 2, 3].map((score, at) => ({ score, positive: at >= 2 }));
  assert.equal(auc(rows), 0.875);
});
