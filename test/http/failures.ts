import type { FailureKind, NeuronBalance } from "../../src/domain/ledger/failure.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import type { FailureOf } from "../../src/http/route.ts";

// One failure of each kind, for tables: a new kind does not compile without one. The numbers are
// those of the contract's examples 2 and 3.

export const QUOTA_NOW_MS = Date.parse("2026-11-20T14:03:27.000Z");
export const RATE_NOW_MS = Date.parse("2026-11-20T14:03:27.412Z");
const dayEndsAtMs = Date.parse("2026-11-21T00:00:00.000Z");

export const NEURONS: NeuronBalance = {
  limit: microNeurons(10_000_000_000),
  posted: microNeurons(9_984_101_230),
  pending: microNeurons(11_780_014),
  available: microNeurons(4_118_756),
  required: microNeurons(22_470_231),
  dailyQuota: microNeurons(10_000_000_000),
  dayEndsAtMs,
};

/** A day with room, as in the contract's examples 1 and 3. */
export const ROOM: NeuronBalance = {
  ...NEURONS,
  posted: microNeurons(1_894_679_856),
  pending: microNeurons(0),
  available: microNeurons(8_105_320_144),
};

const quota = { neurons: NEURONS, nowMs: QUOTA_NOW_MS };
const freesAtMs = Date.parse("2026-11-20T14:03:39.822Z");

export const FAILURES: { readonly [K in FailureKind]: FailureOf<K> } = {
  invalid_key: { kind: "invalid_key" },
  tenant_suspended: { kind: "tenant_suspended" },
  role_required: { kind: "role_required", roles: ["review"] },
  model_not_allowed: { kind: "model_not_allowed", model: "@cf/meta/llama-3.1-8b-instruct-fp8" },
  invalid_request: {
    kind: "invalid_request",
    errors: [
      { path: ["images", 0, "url"], detail: "must start with https:" },
      { path: ["text"], detail: "must be a string" },
    ],
  },
  unpriced_model: { kind: "unpriced_model", model: "@cf/x/y" },
  unbounded_usage: { kind: "unbounded_usage", detail: "The length of this audio is not known." },
  unsupported_parameter: {
    kind: "unsupported_parameter",
    parameter: "logprobs",
    detail: "logprobs is not supported.",
  },
  over_limit: { kind: "over_limit", detail: "At most 300 pictures fit." },
  not_found: { kind: "not_found", what: "verdict" },
  method_not_allowed: { kind: "method_not_allowed", allow: ["GET", "HEAD"] },
  model_not_found: { kind: "model_not_found", model: "no\nsuch" },
  model_retired: { kind: "model_retired", model: "@cf/a/old", replacement: "@cf/a/new" },
  body_too_large: { kind: "body_too_large", limitBytes: 102_400 },
  unsupported_media_type: { kind: "unsupported_media_type", expected: "application/json" },
  idempotency_key_reused: { kind: "idempotency_key_reused" },
  idempotency_in_progress: { kind: "idempotency_in_progress" },
  idempotency_replay_unavailable: {
    kind: "idempotency_replay_unavailable",
    journalLineId: "jnl_01M7WM9W9M82WZ7T7D204BHZDC",
    charged: microNeurons(1_500_000),
  },
  session_busy: { kind: "session_busy", inLine: 8 },
  apply_conflict: { kind: "apply_conflict", detail: "This apply was begun with 3 parts, not 2." },
  review_conflict: { kind: "review_conflict", detail: "Somebody else claimed this verdict." },
  webhook_disabled: { kind: "webhook_disabled", webhook: "whk_01M7WM9W9M82WZ7T7D204BHZDC" },
  upstream_rejected: {
    kind: "upstream_rejected",
    upstream: { status: 422, code: "context_length_exceeded", message: "Too long" },
    charged: false,
  },
  version_conflict: { kind: "version_conflict", version: 4 },
  quota_exceeded: { kind: "quota_exceeded", ...quota },
  overage_cap_exceeded: { kind: "overage_cap_exceeded", ...quota },
  account_quota_exceeded: { kind: "account_quota_exceeded", ...quota },
  rate_limited: {
    kind: "rate_limited",
    violated: ["text_generation"],
    rates: [
      { name: "requests", limit: 300, remaining: 150, freesAtMs },
      { name: "text_generation", limit: 300, remaining: 0, freesAtMs },
    ],
    fitsAtMs: freesAtMs,
    neurons: ROOM,
    nowMs: RATE_NOW_MS,
  },
  quota_reserved: { kind: "quota_reserved", ...quota },
  concurrency_exceeded: {
    kind: "concurrency_exceeded",
    limit: 50,
    neurons: ROOM,
    nowMs: QUOTA_NOW_MS,
  },
  comment_refused: {
    kind: "comment_refused",
    errorType: "COMMENT_EMPTY",
    detail: "Comment must be non-empty.",
  },
  engine_unsupported: { kind: "engine_unsupported", detail: "The embedded engine cannot chat." },
  engine_failed: { kind: "engine_failed", charged: true },
  engine_busy: { kind: "engine_busy", charged: false },
  engine_timeout: { kind: "engine_timeout", charged: true },
  unavailable: { kind: "unavailable" },
  storage_full: { kind: "storage_full" },
  settlement_unavailable: { kind: "settlement_unavailable" },
  internal: { kind: "internal" },
};

export const EVERY_KIND = Object.values(FAILURES);
