import { describe, expect, it } from "vitest";
import {
  adviceOf,
  isDistress,
  isUrgent,
  type Category,
} from "../../../src/domain/moderation/category.ts";

const because = (...categories: Category[]) =>
  categories.map((category) => ({ kind: "score", category }) as const);

describe("what a caller is advised to do about a person", () => {
  it.each([
    // Nobody is in distress: as it always was.
    ["allow", [], [], false, []],
    ["flag", because("toxicity"), [], false, []],
    ["block", because("toxicity"), because("toxicity"), false, ["hide_content", "warn_user"]],
    ["block", because("toxicity"), because("toxicity"), true, ["hide_content", "ban_user"]],
    // A cry for help is answered, and not punished, whatever else it says.
    ["flag", because("self-harm"), [], false, ["offer_help"]],
    ["allow", because("self-harm/intent"), [], false, ["offer_help"]],
    [
      "block",
      because("toxicity", "self-harm"),
      because("toxicity"),
      true,
      ["hide_content", "offer_help"],
    ],
    [
      "block",
      because("self-harm/instructions"),
      because("self-harm/instructions"),
      false,
      ["hide_content", "offer_help"],
    ],
    // But for what harms others.
    [
      "block",
      because("self-harm", "hate"),
      because("hate"),
      false,
      ["hide_content", "warn_user", "offer_help"],
    ],
    [
      "block",
      because("self-harm", "harassment/threatening"),
      because("harassment/threatening"),
      true,
      ["hide_content", "ban_user", "offer_help"],
    ],
    // That was flagged alone: it did not block.
    [
      "block",
      because("self-harm", "hate", "toxicity"),
      because("toxicity"),
      true,
      ["hide_content", "offer_help"],
    ],
  ] as const)("%s, for %j, blocked by %j, ban: %s", (decision, reasons, blocking, ban, actions) => {
    expect(adviceOf(decision, { reasons, blocking, ban })).toEqual(actions);
  });

  it("is for a score, not for a check that could not be made", () => {
    const unavailable = [{ kind: "unavailable", category: "self-harm" } as const];
    expect(isDistress(unavailable)).toBe(false);
    expect(isUrgent(unavailable)).toBe(false);
  });

  it.each([
    ["self-harm", true],
    ["self-harm/instructions", true],
    ["sexual/minors", true],
    ["harassment/threatening", true],
    ["hate/threatening", true],
    ["toxicity", false],
    ["hate", false],
    ["nsfw", false],
  ] as const)("%s is urgent: %s", (category, urgent) => {
    expect(isUrgent(because("spam", category))).toBe(urgent);
  });
});
