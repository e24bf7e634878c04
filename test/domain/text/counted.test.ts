import { expect, it } from "vitest";
import { counted } from "../../../src/domain/text/counted.ts";
import { failureDetail } from "../../../src/http/failure-detail.ts";

it("has the noun that its number wants", () => {
  expect([0, 1, 2].map((count) => counted(count, "message"))).toEqual([
    "0 messages",
    "1 message",
    "2 messages",
  ]);
  expect(counted(1, "call is", "calls are")).toBe("1 call is");
});

it.each([
  [1, "1 message of this session is being answered or in line."],
  [8, "8 messages of this session are being answered or in line."],
])("says how many messages a session answers: %d", (inLine, said) => {
  expect(failureDetail({ kind: "session_busy", inLine })).toContain(said);
});
