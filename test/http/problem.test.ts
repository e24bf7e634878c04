import { describe, expect, it } from "vitest";
import type { Failure, FailureKind } from "../../src/domain/ledger/failure.ts";
import { type Problem, toProblem } from "../../src/http/problem.ts";
import { EVERY_KIND, FAILURES, NEURONS, RATE_NOW_MS } from "./failures.ts";

const context = { requestId: "req_01M7WM9W9M82WZ7T7D204BHZDC", instance: "/v1/verdicts" };

/** Status, and what a client is told about a repeat. */
const TABLE: Readonly<Record<FailureKind, readonly [status: number, again: string]>> = {
  invalid_key: [401, ""],
  tenant_suspended: [403, ""],
  role_required: [403, ""],
  model_not_allowed: [403, ""],
  invalid_request: [400, ""],
  unpriced_model: [400, ""],
  unbounded_usage: [400, ""],
  unsupported_parameter: [400, ""],
  over_limit: [400, ""],
  not_found: [404, ""],
  method_not_allowed: [405, ""],
  model_not_found: [404, ""],
  model_retired: [404, ""],
  body_too_large: [413, ""],
  unsupported_media_type: [415, ""],
  comment_refused: [400, ""],
  idempotency_key_reused: [422, ""],
  idempotency_in_progress: [409, "after 1"],
  idempotency_replay_unavailable: [409, "never"],
  review_conflict: [409, "never"],
  session_busy: [409, "after 1"],
  apply_conflict: [409, "never"],
  webhook_disabled: [409, "never"],
  version_conflict: [412, ""],
  quota_exceeded: [429, "never, after 35793"],
  overage_cap_exceeded: [429, "never, after 35793"],
  account_quota_exceeded: [429, "never, after 35793"],
  rate_limited: [429, "after 13, after 12410 ms"],
  quota_reserved: [429, "after 1, after 1000 ms"],
  concurrency_exceeded: [429, "after 1, after 1000 ms"],
  upstream_rejected: [422, "never"],
  engine_unsupported: [501, "never"],
  engine_failed: [502, "never"],
  engine_busy: [503, ""],
  engine_timeout: [504, "never"],
  unavailable: [503, ""],
  storage_full: [503, "never"],
  settlement_unavailable: [503, "never"],
  internal: [500, "never"],
};

const bodyOf = (failure: Failure): Problem => toProblem(failure, context).body;

function again(headers: Readonly<Record<string, string>>): string {
  const after = headers["Retry-After"];
  const ms = headers["retry-after-ms"];
  return [
    headers["x-should-retry"] === "false" ? "never" : "",
    after === undefined ? "" : `after ${after}`,
    ms === undefined ? "" : `after ${ms} ms`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

describe("every kind as a problem", () => {
  it.each(EVERY_KIND.map((failure) => [failure.kind, failure] as const))("%s", (kind, failure) => {
    const { status, headers, body } = toProblem(failure, context);
    expect([status, again(headers)]).toEqual(TABLE[kind]);
    expect(headers["Content-Type"]).toBe("application/problem+json");
    expect(headers["x-request-id"]).toBe(context.requestId);
    expect(headers["WWW-Authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
    expect(body).toMatchObject({ status, kind, instance: "/v1/verdicts" });
    expect(body.request_id).toBe(context.requestId);
    expect(body.type).toBe(
      status === 429
        ? "https://iana.org/assignments/http-problem-types#quota-exceeded"
        : "about:blank",
    );
    expect(body.title).not.toBe("");
    expect(body.detail).toMatch(/^\S.*[^.]\.$/);
    if (status === 429) {
      expect(body).toMatchObject({ "violated-policies": [expect.any(String)] });
      expect(body["resets_at"]).toMatch(/^2026-11-2\dT[\d:]{8}\.\d{3}Z$/);
    }
  });

  it("never waits above 61 s without x-should-retry: false", () => {
    const late = { ...FAILURES.rate_limited, fitsAtMs: RATE_NOW_MS + 61_000 };
    const { headers, body } = toProblem(late, context);
    // Not a second less: a call after exactly so long is not refused for the same.
    expect(headers["Retry-After"]).toBe("61");
    expect(headers["retry-after-ms"]).toBe("61000");
    expect(headers["x-should-retry"]).toBeUndefined();
    const later = { ...FAILURES.rate_limited, fitsAtMs: RATE_NOW_MS + 61_001 };
    expect(again(toProblem(later, context).headers)).toBe("never, after 62, after 61001 ms");
    const soon = { ...FAILURES.rate_limited, fitsAtMs: RATE_NOW_MS + 59_001 };
    expect(again(toProblem(soon, context).headers)).toBe("after 60, after 59001 ms");
    expect(body["resets_at"]).toBe("2026-11-20T14:04:28.412Z");
    const passed = { ...FAILURES.rate_limited, fitsAtMs: RATE_NOW_MS };
    expect(toProblem(passed, context).headers["Retry-After"]).toBe("1");
  });

  it("lets a client repeat what charged nothing", () => {
    const free = { ...FAILURES.engine_failed, charged: false };
    expect(toProblem(free, context).headers).not.toHaveProperty("x-should-retry");
  });
});

const busy = (retryAfterMs: number, charged = false): Failure => ({
  kind: "engine_busy",
  charged,
  retryAfterMs,
});

describe("a busy engine", () => {
  it.each([
    [1000, false, "after 1, after 1000 ms"],
    [12_410, false, "after 13, after 12410 ms"],
    [60_000, false, "after 60, after 60000 ms"],
    [60_001, false, "never, after 61, after 60001 ms"],
    [12_410, true, "never, after 13, after 12410 ms"],
  ])("that asks to wait %d ms; charged: %s", (ms, charged, expected) => {
    const { headers, body } = toProblem(busy(ms, charged), context);
    expect(again(headers)).toBe(expected);
    expect(body["retry_after_ms"]).toBe(ms);
    expect(body.detail).toContain(`It asks to wait ${Math.ceil(ms / 1000)} second`);
  });

  it("that does not say how long leaves it to the client", () => {
    expect(again(toProblem({ kind: "engine_busy", charged: true }, context).headers)).toBe("never");
    expect(bodyOf(FAILURES.engine_busy)).not.toHaveProperty("retry_after_ms");
  });
});

describe("the contract's examples", () => {
  it("2: a quota refusal", () => {
    const { status, headers, body } = toProblem(FAILURES.quota_exceeded, context);
    expect(status).toBe(429);
    expect(headers).toEqual({
      "Content-Type": "application/problem+json",
      "x-request-id": "req_01M7WM9W9M82WZ7T7D204BHZDC",
      "x-should-retry": "false",
      "Retry-After": "35793",
      "RateLimit-Policy": '"daily";q=10000;qu="neurons";w=86400',
      RateLimit: '"daily";r=4;t=35793',
    });
    expect(JSON.stringify(body, null, 2).replace(/\[\s+("daily")\s+\]/, "[$1]")).toBe(`{
  "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
  "title": "Quota exceeded",
  "status": 429,
  "detail": "This call may need 22.470231 neurons and 4.118756 of today's 10000 are free (11.780014 more are held by calls in progress). The quota resets at 00:00 UTC.",
  "instance": "/v1/verdicts",
  "kind": "quota_exceeded",
  "request_id": "req_01M7WM9W9M82WZ7T7D204BHZDC",
  "violated-policies": ["daily"],
  "resets_at": "2026-11-21T00:00:00.000Z",
  "limit_micro_neurons": 10000000000,
  "posted_micro_neurons": 9984101230,
  "pending_micro_neurons": 11780014,
  "available_micro_neurons": 4118756,
  "required_micro_neurons": 22470231
}`);
  });

  it("3: a rate refusal", () => {
    const requestId = "req_01M7WM9W9SBMD0RDT5NGRMFD70";
    const { status, headers, body } = toProblem(FAILURES.rate_limited, { ...context, requestId });
    expect(status).toBe(429);
    expect(headers).toEqual({
      "Content-Type": "application/problem+json",
      "x-request-id": requestId,
      "Retry-After": "13",
      "retry-after-ms": "12410",
      "RateLimit-Policy":
        '"requests";q=300;w=60, "text_generation";q=300;w=60, "daily";q=10000;qu="neurons";w=86400',
      RateLimit: '"requests";r=150;t=13, "text_generation";r=0;t=13, "daily";r=8105;t=35793',
    });
    expect(JSON.stringify(body, null, 2).replace(/\[\s+("text_generation")\s+\]/, "[$1]")).toBe(`{
  "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
  "title": "Rate limit reached",
  "status": 429,
  "detail": "300 text_generation requests were admitted in the last 60 s; one more fits in 12.41 s. Nothing was charged.",
  "instance": "/v1/verdicts",
  "kind": "rate_limited",
  "request_id": "req_01M7WM9W9SBMD0RDT5NGRMFD70",
  "violated-policies": ["text_generation"],
  "resets_at": "2026-11-20T14:03:39.822Z",
  "limit": 300,
  "remaining": 0,
  "window_s": 60
}`);
  });
});

describe("members of single kinds", () => {
  it("points at wrong fields", () => {
    expect(bodyOf(FAILURES.invalid_request)).toMatchObject({
      detail: "images[0].url must start with https: (and 1 more).",
      errors: [
        { pointer: "#/images/0/url", detail: "must start with https:" },
        { pointer: "#/text", detail: "must be a string" },
      ],
    });
    const odd = ["categories", "sexual/minors", "a~b é", "\ud800"];
    expect(
      bodyOf({ kind: "invalid_request", errors: [{ path: odd, detail: "is required" }] })["errors"],
    ).toEqual([
      {
        pointer: "#/categories/sexual~1minors/a~0b%20%C3%A9/%EF%BF%BD",
        detail: "is required",
      },
    ]);
  });

  it("says what the first call under an idempotency key was charged", () => {
    expect(bodyOf(FAILURES.idempotency_replay_unavailable)).toMatchObject({
      journal_line_id: "jnl_01M7WM9W9M82WZ7T7D204BHZDC",
      micro_neurons: 1_500_000,
      neurons: 1.5,
    });
  });

  it("names the replacement of a retired model, or null", () => {
    expect(bodyOf(FAILURES.model_retired)["replacement"]).toBe("@cf/a/new");
    expect(bodyOf({ ...FAILURES.model_retired, replacement: null })["replacement"]).toBeNull();
  });

  it("does not repeat what does not look like a model", () => {
    expect(bodyOf(FAILURES.model_not_found).detail).toBe("That model does not exist here.");
  });

  it("gives concurrency a policy of its own", () => {
    const { headers, body } = toProblem(FAILURES.concurrency_exceeded, context);
    expect(headers["RateLimit-Policy"]).toBe(
      '"in_flight";q=50;qu="concurrent-requests", "daily";q=10000;qu="neurons";w=86400',
    );
    expect(body).toMatchObject({ "violated-policies": ["in_flight"], limit: 50, remaining: 0 });
  });

  it("names the same moment everywhere when only holds stand in the way", () => {
    const { headers, body } = toProblem(FAILURES.quota_reserved, context);
    expect(headers["RateLimit"]).toBe('"daily";r=4;t=1');
    expect(body["resets_at"]).toBe("2026-11-20T14:03:28.000Z");
  });

  it("says when more than one unit did not fit", () => {
    const [requests, text] = FAILURES.rate_limited.rates;
    if (requests === undefined || text === undefined) throw new Error("the fixture has two");
    const rates = [requests, { ...text, remaining: 2 }];
    expect(bodyOf({ ...FAILURES.rate_limited, rates }).detail).toBe(
      "298 text_generation requests were admitted in the last 60 s and this call needs more than the 2 that are left; it fits in 12.41 s. Nothing was charged.",
    );
  });

  it("leaves out what is not limited", () => {
    const neurons = { ...NEURONS, limit: null, available: null };
    const body = bodyOf({ ...FAILURES.quota_exceeded, neurons });
    expect(body).toMatchObject({ limit_micro_neurons: null, available_micro_neurons: null });
    expect(body.detail).toMatch(/^This call may need 22.470231 neurons \(/);
  });

  it("says that a call is too large for the account, and not that the day is over", () => {
    const failure: Failure = {
      ...FAILURES.account_quota_exceeded,
      reason: "too_large_for_account",
      againAtMs: FAILURES.account_quota_exceeded.nowMs + 300_000,
    };
    const { headers, body } = toProblem(failure, context);
    expect(headers).toMatchObject({ "Retry-After": "300", "x-should-retry": "false" });
    expect(body).toMatchObject({
      reason: "too_large_for_account",
      resets_at: "2026-11-20T14:08:27.000Z",
    });
    expect(body.detail).toContain("it is too large for what is left of the account");
    expect(bodyOf(FAILURES.account_quota_exceeded)).not.toHaveProperty("reason");
  });
});
