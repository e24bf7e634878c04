import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addLine,
  addWork,
  type DayTotals,
  NO_TOTALS,
} from "../../../src/domain/ledger/day-totals.ts";
import {
  charged,
  expire,
  type JournalLine,
  makeHold,
  post,
} from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { NOTHING_DRAWN } from "../../../src/domain/ledger/quota.ts";
import { foldLines } from "../../../src/domain/usage/usage-fold.ts";
import { eventsOf, workOfLine } from "../../../src/domain/usage/work.ts";
import { itemOf, stageOf } from "../ledger/ledger-fixtures.ts";

const ROUTES = [
  "POST /v1/documents",
  "POST /v1/documents/{id}/embed",
  "POST /v1/pipelines/runs",
  "POST /v1/documents/answer",
  "POST /v1/chat/completions",
] as const;

const OF_DOCUMENTS: readonly string[] = ROUTES.slice(0, 3);

const DAY = 20_777;
const TERMS = {
  plan: "free",
  daily: microNeurons(10_000_000_000),
  overageCap: microNeurons(0),
  overageUsdPer1000: "0.011",
} as const;

function lineOf(route: string, used: number, end: "post" | "expire" = "post"): JournalLine {
  const hold = makeHold({
    callId: "jnl_01",
    requestId: "req_01",
    route,
    keyId: null,
    userId: null,
    day: DAY,
    admittedAtMs: DAY * 86_400_000,
    deadlineMs: 90_000,
    priceBook: "2026-09",
    stages: [stageOf(1_000_000)],
  });
  const at = { terms: TERMS, drawn: NOTHING_DRAWN, nowMs: DAY * 86_400_000 + 1 };
  return end === "expire" ? expire(hold, at) : post(hold, [itemOf(used)], null, at);
}

const aLine = fc
  .record({
    route: fc.constantFrom(...ROUTES),
    used: fc.integer({ min: 0, max: 1_000_000 }),
    end: fc.constantFrom("post" as const, "expire" as const),
  })
  .map(({ route, used, end }) => lineOf(route, used, end));

describe("the work of a line", () => {
  it("is of documents where its route is one of theirs", () => {
    for (const route of ROUTES) {
      const isOne = OF_DOCUMENTS.includes(route);
      expect(addLine(NO_TOTALS, lineOf(route, 70)).work, route).toEqual(
        isOne ? { document_calls: 1, document_micro_neurons: 70 } : undefined,
      );
    }
    expect(workOfLine(lineOf("POST /v1/documents", 0))).toEqual({ document_calls: 1 });
  });

  it("adds up to the charges of the journal, in a day's totals and in the rows of the reports", () => {
    fc.assert(
      fc.property(fc.array(aLine, { maxLength: 30 }), (lines) => {
        const ofDocuments = lines.filter(({ route }) => OF_DOCUMENTS.includes(route));
        const sum = ofDocuments.reduce((all, line) => all + charged(line), 0);
        const totals = lines.reduce<DayTotals>(addLine, NO_TOTALS);
        const [row] = [...foldLines(lines).calls.values()];
        for (const work of [totals.work ?? {}, row?.work ?? {}]) {
          expect(work["document_calls"] ?? 0).toBe(ofDocuments.length);
          expect(work["document_micro_neurons"] ?? 0).toBe(sum);
        }
      }),
    );
  });

  it("stands beside what was counted when it happened, which can be told from it", () => {
    const lines = addLine(NO_TOTALS, lineOf("POST /v1/documents", 70));
    const { work } = addWork(addWork(lines, { documents: 1 }), { documents: 1, batches: 3 });
    expect(work).toEqual({
      document_calls: 1,
      document_micro_neurons: 70,
      documents: 2,
      batches: 3,
    });
    expect(eventsOf(work ?? {})).toEqual({ documents: 2, batches: 3 });
  });
});
