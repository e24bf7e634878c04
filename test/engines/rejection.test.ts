import { describe, expect, it } from "vitest";
import { rejectionIn, statedWaitMs } from "../../src/engines/rejection.ts";

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

  it("is 400 where another status comes with a code of the request", () => {
    const sent = { error: { message: "Filtered", code: "content_filter" } };
    const rejection = { status: 400, code: "content_filter", message: "Filtered" };
    expect(rejectionIn(403, sent)).toEqual(rejection);
    expect(rejectionIn(422, sent)).toEqual({ ...rejection, status: 422 });
    expect([401, 408, 429, 500].map((status) => rejectionIn(status, sent))).toEqual(
      Array.from({ length: 4 }, () => null),
    );
  });

  it.each([null, 200, 401, 403, 404, 429, 500])("is nothing with the status %s", (status) => {
    expect(rejectionIn(status, { error: { message: "x" } })).toBeNull();
  });
});

describe("how long an engine asks to wait", () => {
  const NOW = Date.UTC(2026, 10, 30, 12);

  it.each<[Record<string, string>, number | null]>([
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after-ms": "2500", "retry-after": "7" }, 2500],
    [{ "retry-after-ms": "soon", "retry-after": "7" }, 7000],
    [{ "retry-after": new Date(NOW + 20_000).toUTCString() }, 20_000],
    [{ "retry-after-ms": "1" }, 1000],
    [{ "retry-after": "9".repeat(400) }, 3_600_000],
    [{ "retry-after": new Date(NOW + 1e12).toUTCString() }, 3_600_000],
    [{ "retry-after": new Date(NOW - 1000).toUTCString() }, null],
    [{ "retry-after": "-1" }, null],
    [{}, null],
  ])("%j is %s ms", (headers, ms) => {
    expect(statedWaitMs(new Headers(headers), NOW)).toBe(ms);
  });
});
