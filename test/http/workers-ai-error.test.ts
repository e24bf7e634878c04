import { describe, expect, it } from "vitest";
import { statusOf } from "../../src/http/failure-status.ts";
import { toWorkersAiError } from "../../src/http/workers-ai-error.ts";
import { toProblem } from "../../src/http/problem.ts";
import { FAILURES } from "./failures.ts";

const ALL = Object.values(FAILURES);
const context = { requestId: "req_1", instance: "/client/v4" };

describe("a failure in Cloudflare's envelope", () => {
  it.each(ALL)("$kind has the contract's status and the headers of every surface", (failure) => {
    const { status, headers, body } = toWorkersAiError(failure, context);
    const { "Content-Type": type, ...others } = headers;
    const { "Content-Type": _, ...expected } = toProblem(failure, context).headers;
    expect(status).toBe(statusOf(failure));
    expect(type).toBe("application/json");
    expect(others).toEqual(expected);
    expect(body).toMatchObject({ result: null, success: false, messages: [] });
    expect(body.errors.length).toBeGreaterThan(0);
    for (const error of body.errors) {
      expect(error).toMatchObject({ kind: failure.kind, request_id: "req_1" });
      expect(error.message).toMatch(/\S/);
      expect(error.resets_at !== undefined).toBe(status === 429);
    }
  });

  it("has the contract's codes", () => {
    const codes = Object.groupBy(
      ALL.map((failure) => {
        const [error] = toWorkersAiError(failure, context).body.errors;
        return { kind: failure.kind, code: error?.code };
      }),
      ({ code }) => String(code),
    );
    const kinds = (code: number): string[] =>
      [...new Set((codes[code] ?? []).map(({ kind }) => kind))].toSorted();
    expect(kinds(3036)).toEqual([
      "account_quota_exceeded",
      "overage_cap_exceeded",
      "quota_exceeded",
    ]);
    expect(kinds(3040)).toEqual([
      "concurrency_exceeded",
      "engine_busy",
      "quota_reserved",
      "rate_limited",
    ]);
    expect(kinds(5007)).toEqual([
      "engine_unsupported",
      "model_not_allowed",
      "model_not_found",
      "model_retired",
      "unpriced_model",
    ]);
    expect(kinds(10_000)).toEqual(["invalid_key", "role_required", "tenant_suspended"]);
    expect(kinds(3003)).toContain("invalid_request");
  });

  it("names every wrong field, each by an error of its own", () => {
    const errors = [
      { path: ["contexts", 1, "text"], detail: "must be a string" },
      { path: ["a/b"], detail: "is required" },
      { path: [], detail: "must be an object" },
    ];
    const { body } = toWorkersAiError({ kind: "invalid_request", errors }, context);
    expect(body.errors.map(({ message, source }) => [message, source?.pointer])).toEqual([
      ["contexts[1].text must be a string.", "/contexts/1/text"],
      ['["a/b"] is required.', "/a~1b"],
      ["The body must be an object.", undefined],
    ]);
  });
});
