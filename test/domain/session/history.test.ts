import { describe, expect, it } from "vitest";
import { array, assert, integer, property } from "fast-check";
import {
  continuesTurn,
  lastTurns,
  openToolCalls,
  turnTooLong,
  unanswered,
} from "../../../src/domain/session/history.ts";

const user = { role: "user" };
const says = { role: "assistant" };
const asks = (...ids: string[]) => ({ role: "assistant", tool_calls: ids.map((id) => ({ id })) });
const result = (id: string) => ({ role: "tool", tool_call_id: id });

describe("tool calls", () => {
  it.each([
    ["none", [user, says], []],
    ["open", [user, asks("a", "b")], ["a", "b"]],
    ["half open", [user, asks("a", "b"), result("b")], ["a"]],
    ["answered", [user, asks("a", "b"), result("b"), result("a"), says], []],
    ["several rounds", [user, asks("a"), result("a"), asks("b")], ["b"]],
  ])("are %s", (_, messages, ids) => {
    expect(openToolCalls(messages)).toEqual({ kind: "open", ids });
  });

  it.each([
    ["a result that nobody asked for", [user, result("a")], [], 1],
    ["a result twice", [result("a"), result("a")], ["a"], 1],
    ["a result of another", [result("b")], ["a"], 0],
    ["a message before the result", [user], ["a"], 0],
    ["a message between the results", [result("a"), user], ["a", "b"], 1],
    ["a result without an id", [{ role: "tool" }], ["a"], 0],
  ])("are wrong with %s", (_, messages, before, at) => {
    expect(openToolCalls(messages, before)).toMatchObject({ kind: "wrong", at });
  });

  it("are named to whom they wait for, some of many", () => {
    expect(unanswered(["a"])).toContain("(a)");
    expect(unanswered(Array.from({ length: 20 }, (__, at) => `c${at}`))).toContain("and 12 more");
  });

  it("make a result continue its turn", () => {
    expect([continuesTurn([result("a")]), continuesTurn([user]), continuesTurn([])]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

const total = (kept: readonly number[]) => kept.reduce((a, b) => a + b, 0);

describe("the last turns", () => {
  const sizes = array(integer({ min: 1, max: 100 }), { maxLength: 40 });

  it("are as many as fit, always the last ones, and never fewer than the least", () => {
    assert(
      property(
        sizes,
        integer({ min: 1, max: 50 }),
        integer({ min: 0, max: 1 }),
        integer({ min: 0, max: 500 }),
        (turns, maxTurns, wanted, room) => {
          const least = Math.min(wanted, turns.length);
          const fits = (kept: readonly number[]) => total(kept) <= room;
          const kept = lastTurns(turns, { maxTurns, least, fits });
          expect(kept).toEqual(turns.slice(turns.length - kept.length));
          expect(kept.length).toBeLessThanOrEqual(Math.max(maxTurns, least));
          expect(kept.length).toBeGreaterThanOrEqual(least);
          expect(fits(kept) || kept.length === least).toBe(true);
          const more = turns.slice(turns.length - kept.length - 1);
          const isWhole = kept.length === Math.min(turns.length, Math.max(maxTurns, least));
          expect(isWhole || !fits(more)).toBe(true);
        },
      ),
    );
  });
});

const sized = (bytes: number) => {
  const empty = { ...result("a"), content: "\u4e2d" };
  const rest = bytes - new TextEncoder().encode(JSON.stringify(empty)).length;
  return { ...empty, content: `\u4e2d${"x".repeat(rest)}` };
};

describe("a turn that goes on", () => {
  const turn = [user, asks("a")];

  it("has 4 MiB of JSON in UTF-8 at most", () => {
    const before = JSON.stringify(user).length + JSON.stringify(asks("a")).length;
    expect(turnTooLong(turn, [sized(4_194_304 - before)])).toBeNull();
    expect(turnTooLong(turn, [sized(4_194_305 - before)])).toContain("4194305 bytes");
  });

  it("has 1,000 messages at most", () => {
    const results = Array.from({ length: 998 }, () => result("a"));
    expect(turnTooLong(turn, results)).toBeNull();
    expect(turnTooLong([user, ...turn], results)).toContain("1001 messages");
  });
});
