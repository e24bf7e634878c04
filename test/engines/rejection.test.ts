import { describe, expect, it } from "vitest";
import { rejectionIn } from "../../src/engines/rejection.ts";

describe("what an engine says of a request", () => {
  it.each([
    [
      { error: { message: "Too long", code: "context_length_exceeded" } },
      "Too long",
      "context_length_exceeded",
    ],
    [{ error: "model does not take tools" }, "model does not take tools", undefined],
    [{ object: "error", message: "bad schema", code: 400 }, "bad schema", 400],
    [{ errors: [{ code: 5024, message: "filtered" }] }, "filtered", 5024],
    [{ internalCode: 3006, description: "too large" }, "too large", 3006],
    [{ detail: "not valid" }, "not valid", undefined],
    [
      { detail: [{ loc: ["body", "messages", 0], msg: "Field required", input: "secret" }] },
      "messages.0: Field required",
      undefined,
    ],
    [{ detail: [{ msg: "Field required" }] }, "Field required", undefined],
    [[{ error: { message: "Invalid JSON payload", code: 400 } }], "Invalid JSON payload", 400],
    ["a plain text", "a plain text", undefined],
    [null, undefined, undefined],
    [{ error: { message: 7, code: "with spaces" } }, undefined, undefined],
  ])("is read from %j", (body, message, code) => {
    expect(rejectionIn(400, body)).toEqual({
      status: 400,
      ...(code !== undefined && { code }),
      ...(message !== undefined && { message }),
    });
  });

  it("is one line of at most 500 characters, none of them halved", () => {
    const { message = "" } = rejectionIn(422, `a\u0000\r\n b${"😀".repeat(600)}`) ?? {};
    expect(Array.from(message)).toHaveLength(500);
    expect(message.startsWith("a b😀")).toBe(true);
    expect(message.isWellFormed()).toBe(true);
  });

  it.each([null, 200, 401, 403, 404, 429, 500])("is nothing with the status %s", (status) => {
    expect(rejectionIn(status, { error: { message: "x" } })).toBeNull();
  });
});
