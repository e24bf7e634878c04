import { describe, expect, it } from "vitest";
import { busyJudge } from "../../../src/domain/moderation/busy-judge.ts";
import type { CheckFailure, Reason, Verdict } from "../../../src/domain/moderation/verdict.ts";

// Whether a judge without capacity is why a content is undecided.

const stage = (failure: CheckFailure | null): Verdict["stages"][number] => ({
  name: "judge",
  input: "text",
  model: null,
  priced_as: null,
  engine: "workers-ai",
  status: failure === null ? "evaluated" : "failed",
  scores: {},
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
  failure,
});

const reason = (kind: Reason["kind"]): Reason => ({
  kind,
  category: "toxicity",
  input: "text",
  score: null,
  threshold: null,
  message: "",
});

const BUSY = { kind: "no_capacity" } as const;

const judged = (
  decision: Verdict["decision"],
  kinds: readonly Reason["kind"][],
  failures: readonly (CheckFailure | null)[],
) => busyJudge({ decision, reasons: kinds.map(reason), stages: failures.map(stage) });

describe("a judge without capacity", () => {
  it.each<[string, ReturnType<typeof judged>, ReturnType<typeof judged>]>([
    ["leaves a content undecided", judged("flag", ["unavailable"], [BUSY]), {}],
    ["blocks where the policy says so", judged("block", ["unavailable"], [null, BUSY]), {}],
    ["counts beside another flag", judged("flag", ["term", "unavailable"], [BUSY]), {}],
    [
      "is waited for as long as the slowest",
      judged(
        "flag",
        ["unavailable"],
        [{ ...BUSY, retry_after_ms: 2000 }, BUSY, { ...BUSY, retry_after_ms: 3000 }],
      ),
      { retryAfterMs: 3000 },
    ],
    ["does not matter to what is blocked", judged("block", ["term", "unavailable"], [BUSY]), null],
    ["does not matter to what needs no judge", judged("flag", ["score"], [BUSY]), null],
    [
      "is not the same as another failure",
      judged("flag", ["unavailable"], [{ kind: "timed_out" }]),
      null,
    ],
  ])("%s", (_, found, expected) => expect(found).toEqual(expected));
});
