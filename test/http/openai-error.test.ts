import { describe, expect, it } from "vitest";
import type { FailureKind } from "../../src/domain/ledger/failure.ts";
import { toOpenAiError } from "../../src/http/openai-error.ts";
import { toProblem } from "../../src/http/problem.ts";
import { EVERY_KIND, FAILURES } from "./failures.ts";

const context = { requestId: "req_01M7WM9W9M82WZ7T7D204BHZDC", instance: "/v1/moderations" };

/** The kinds whose type and code are not `invalid_request_error` and the kind itself. */
const TABLE: Partial<Record<FailureKind, readonly [type: string, code: string]>> = {
  invalid_key: ["invalid_request_error", "invalid_api_key"],
  quota_exceeded: ["insufficient_quota", "insufficient_quota"],
  overage_cap_exceeded: ["insufficient_quota", "insufficient_quota"],
  account_quota_exceeded: ["insufficient_quota", "insufficient_quota"],
  rate_limited: ["requests", "rate_limit_exceeded"],
  quota_reserved: ["requests", "rate_limit_exceeded"],
  concurrency_exceeded: ["requests", "rate_limit_exceeded"],
  upstream_rejected: ["invalid_request_error", "context_length_exceeded"],
  engine_unsupported: ["server_error", "engine_unsupported"],
  engine_failed: ["server_error", "engine_failed"],
  engine_busy: ["server_error", "engine_busy"],
  engine_timeout: ["server_error", "engine_timeout"],
  unavailable: ["server_error", "unavailable"],
  comment_refused: ["invalid_request_error", "comment_refused"],
  storage_full: ["server_error", "storage_full"],
  settlement_unavailable: ["server_error", "settlement_unavailable"],
  internal: ["server_error", "internal"],
};

describe("every kind in OpenAI's shape", () => {
  it.each(EVERY_KIND.map((failure) => [failure.kind, failure] as const))("%s", (kind, failure) => {
    const { status, headers, body } = toOpenAiError(failure, context);
    const { type, code, message, ...rest } = body.error;
    expect([type, code]).toEqual(TABLE[kind] ?? ["invalid_request_error", kind]);
    expect(message).toMatch(/^\S.*[^.]\.$/);
    expect(rest).toMatchObject({ kind, request_id: context.requestId });
    expect("resets_at" in rest).toBe(status === 429);
    const problem = toProblem(failure, context);
    expect(status).toBe(problem.status);
    expect(headers).toMatchObject({ ...problem.headers, "Content-Type": "application/json" });
  });

  it("2: the contract's quota refusal, key for key", () => {
    const { headers, body } = toOpenAiError(FAILURES.quota_exceeded, context);
    expect(JSON.stringify(body)).toBe(
      JSON.stringify({
        error: {
          message:
            "Daily quota exceeded: this call may need 22.470231 neurons and 4.118756 of 10000 are free. The quota resets at 2026-11-21T00:00:00.000Z.",
          type: "insufficient_quota",
          param: null,
          code: "insufficient_quota",
          kind: "quota_exceeded",
          request_id: "req_01M7WM9W9M82WZ7T7D204BHZDC",
          resets_at: "2026-11-21T00:00:00.000Z",
        },
      }),
    );
    expect(headers).toEqual({
      ...toProblem(FAILURES.quota_exceeded, context).headers,
      "Content-Type": "application/json",
    });
  });

  it("adds OpenAI's own headers to a rate refusal", () => {
    expect(toOpenAiError(FAILURES.rate_limited, context).headers).toMatchObject({
      "x-ratelimit-limit-requests": "300",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "12.41s",
    });
  });

  it.each([
    [["images", 0, "url"], "images[0].url"],
    [["input", 3], "input[3]"],
    [["categories", "sexual/minors"], 'categories["sexual/minors"]'],
    [[], null],
  ])("names the field of %o", (path, param) => {
    const errors = [{ path, detail: "must be a string" }];
    const { error } = toOpenAiError({ kind: "invalid_request", errors }, context).body;
    expect(error.param).toBe(param);
    expect(error.message).toBe(`${param ?? "The body"} must be a string.`);
  });

  it("names the parameter and the model", () => {
    expect(toOpenAiError(FAILURES.unsupported_parameter, context).body.error.param).toBe(
      "logprobs",
    );
    expect(toOpenAiError(FAILURES.model_not_found, context).body.error.param).toBe("model");
  });

  it("says in both shapes what would fit, where fewer tokens would", () => {
    const refused = { ...FAILURES.quota_exceeded, fittingMaxTokens: 12 };
    const { error } = toOpenAiError(refused, context).body;
    expect(error.fitting_max_tokens).toBe(12);
    expect(error.message).toContain("An answer of at most 12 tokens would fit now.");
    const problem = toProblem(refused, context).body;
    expect(problem["fitting_max_tokens"]).toBe(12);
    expect(problem.detail).toContain("An answer of at most 12 tokens would fit now.");
    expect(toProblem(FAILURES.quota_exceeded, context).body).not.toHaveProperty(
      "fitting_max_tokens",
    );
  });
});
