import { describe, expect, it } from "vitest";
import {
  againAfterMs,
  isOpen,
  MOST_OPEN,
  NO_COUNTS,
  placePart,
  type SentPart,
  type StateApply,
} from "../../../src/domain/tenant/state-apply.ts";

// What is done about a part that is sent.

const SENT: SentPart = {
  id: "one",
  part: 2,
  parts: 3,
  prune: false,
  dryRun: false,
  digest: "of this",
};

const APPLY: StateApply = {
  number: 1,
  id: "one",
  state: "collecting",
  parts: 3,
  prune: false,
  dryRun: false,
  storedParts: 1,
  named: 10,
  others: 0,
  prunedTo: null,
  counts: NO_COUNTS,
  change: { floors: 0, promised: 0 },
  warnings: [],
  actor: "admin_token",
  requestId: "req_1",
  begunAtMs: 0,
  startedAtMs: null,
  endedAtMs: null,
  expiresAtMs: 1,
  dueAtMs: 0,
};

const place = (
  sent: Partial<SentPart>,
  apply: Partial<StateApply> | null = {},
  { stored = null, open = 1 }: { stored?: string | null; open?: number } = {},
): string => {
  const known = apply === null ? null : { ...APPLY, ...apply };
  const placed = placePart({ ...SENT, ...sent }, { apply: known, stored, open });
  return placed.kind === "apply_conflict" ? placed.detail : placed.kind;
};

describe("a part", () => {
  it("is new where nothing is stored as it", () => {
    expect(place({})).toBe("new");
    expect(place({}, null, { open: 0 })).toBe("new");
  });

  it("is repeated with the same content, also when all is over", () => {
    expect(place({}, {}, { stored: SENT.digest })).toBe("repeated");
    for (const state of ["planning", "applying", "done", "planned", "cancelled"] as const) {
      expect(place({}, { state }, { stored: SENT.digest })).toBe("repeated");
    }
  });

  it("conflicts with other content, another number of parts, prune or dry_run", () => {
    expect(place({}, {}, { stored: "of another" })).toContain("other content");
    expect(place({ parts: 4 })).toContain("3 parts");
    expect(place({ prune: true })).toContain("same prune");
    expect(place({ dryRun: true })).toContain("same dry_run");
    // Whatever is stored as it.
    expect(place({ parts: 4 }, {}, { stored: SENT.digest })).toContain("3 parts");
  });

  it("comes too late for an apply that was stopped", () => {
    expect(place({}, { state: "cancelled" })).toContain("cancelled");
  });

  it("begins no apply where too many are open, and goes on with one that is", () => {
    expect(place({}, null, { open: MOST_OPEN - 1 })).toBe("new");
    expect(place({}, null, { open: MOST_OPEN })).toContain("are open");
    expect(place({}, {}, { open: MOST_OPEN })).toBe("new");
  });
});

describe("an apply", () => {
  it("is open until it has ended", () => {
    expect((["collecting", "planning", "applying"] as const).map(isOpen)).toEqual([
      true,
      true,
      true,
    ]);
    expect((["planned", "done", "cancelled", "expired"] as const).some(isOpen)).toBe(false);
  });

  it("asks again ever later", () => {
    expect([1, 2, 3, 4, 5].map(againAfterMs)).toEqual([1000, 2000, 4000, 8000, 16_000]);
  });
});
