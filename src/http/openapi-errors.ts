import type { FailureKind } from "../domain/ledger/failure.ts";
import { STATUS } from "./failure-status.ts";
import type { JsonObject } from "./openapi-schema.ts";
import type { Surface } from "./route.ts";

// The error shapes for the OpenAPI document. Each reply narrows `kind` to its possible kinds.

const text = { type: "string" } as const;
const amount = { type: ["integer", "null"], description: "µN" } as const;
const time = { type: "string", format: "date-time" } as const;

const FITTING = {
  type: "integer",
  description: "With a refusal for neurons: the `max_tokens` with which the same call would fit.",
} as const;

const RETRY_AFTER_MS = {
  type: "integer",
  description: "With `engine_busy`: how long the engine asks to wait. Absent: it does not say.",
} as const;

const UPSTREAM = {
  type: "object",
  description: "With `upstream_rejected`: the engine's reason for rejecting the request.",
  required: ["status"],
  properties: {
    status: { enum: [400, 413, 422] },
    code: { type: ["string", "integer"] },
    message: { ...text, maxLength: 500 },
  },
} as const;

const NEARBY = {
  type: "array",
  items: text,
  description: "With `not_found` of a path: existing paths that may be meant.",
} as const;

const REASON = {
  enum: ["too_large_for_account"],
  description:
    "With `account_quota_exceeded`: this call needs more than the account has left today; a smaller one may be admitted.",
} as const;

/** An error in Cloudflare's envelope, with our extra keys, such as the kind and the request. */
const ENVELOPE_ERROR = {
  type: "object",
  required: ["code", "message", "kind", "request_id"],
  properties: {
    code: { type: "integer", examples: [3036] },
    message: text,
    source: { type: "object", properties: { pointer: text } },
    kind: { $ref: "#/components/schemas/FailureKind" },
    request_id: text,
    resets_at: time,
    fitting_max_tokens: FITTING,
    retry_after_ms: RETRY_AFTER_MS,
    reason: REASON,
    upstream: UPSTREAM,
    nearby: NEARBY,
  },
} as const;

const WORKERS_AI_ERROR: JsonObject = {
  type: "object",
  required: ["result", "success", "errors", "messages"],
  properties: {
    result: { type: "null" },
    success: { const: false },
    errors: { type: "array", minItems: 1, items: ENVELOPE_ERROR },
    messages: { type: "array", maxItems: 0 },
  },
};

export const ERROR_SCHEMAS: JsonObject = {
  FailureKind: { ...text, enum: Object.keys(STATUS) },
  Problem: {
    type: "object",
    description: "RFC 9457 problem details. More members may be added.",
    required: ["type", "title", "status", "detail", "instance", "kind", "request_id"],
    properties: {
      type: { ...text, format: "uri" },
      title: text,
      status: { type: "integer" },
      detail: text,
      instance: text,
      kind: { $ref: "#/components/schemas/FailureKind" },
      request_id: text,
      errors: {
        type: "array",
        description: "With `invalid_request`: the wrong fields, at most 20.",
        items: {
          type: "object",
          required: ["pointer", "detail"],
          properties: { pointer: { ...text, examples: ["#/images/0/url"] }, detail: text },
        },
      },
      "violated-policies": { type: "array", items: text },
      resets_at: { ...time, description: "When one such call would fit." },
      limit_micro_neurons: amount,
      posted_micro_neurons: amount,
      pending_micro_neurons: amount,
      available_micro_neurons: amount,
      required_micro_neurons: amount,
      limit: { type: "integer" },
      remaining: { type: "integer" },
      window_s: { type: "integer" },
      limit_bytes: { type: "integer" },
      parameter: text,
      fitting_max_tokens: FITTING,
      retry_after_ms: RETRY_AFTER_MS,
      reason: REASON,
      upstream: UPSTREAM,
      nearby: NEARBY,
      replacement: { type: ["string", "null"] },
      journal_line_id: text,
      subject: {
        ...text,
        description:
          "With `idempotency_replay_unavailable`: the id of what the first request made, which is gone.",
      },
      micro_neurons: { type: "integer" },
      neurons: { type: "number" },
      version: { type: "integer" },
    },
  },
  WorkersAiError: WORKERS_AI_ERROR,
  PerspectiveError: {
    type: "object",
    required: ["error"],
    properties: {
      error: {
        type: "object",
        required: ["code", "message", "status", "details", "kind", "request_id"],
        properties: {
          code: { type: "integer", description: "The status of the reply." },
          message: text,
          status: { ...text, examples: ["INVALID_ARGUMENT"] },
          details: {
            type: "array",
            items: {
              type: "object",
              required: ["@type"],
              properties: { "@type": text, errorType: { ...text, examples: ["COMMENT_EMPTY"] } },
            },
          },
          kind: { $ref: "#/components/schemas/FailureKind" },
          request_id: text,
        },
      },
    },
  },
  OpenAiError: {
    type: "object",
    required: ["error"],
    properties: {
      error: {
        type: "object",
        required: ["message", "type", "param", "code", "kind", "request_id"],
        properties: {
          message: text,
          type: {
            ...text,
            enum: ["invalid_request_error", "insufficient_quota", "requests", "server_error"],
          },
          param: { type: ["string", "null"] },
          code: text,
          kind: { $ref: "#/components/schemas/FailureKind" },
          request_id: text,
          resets_at: time,
          fitting_max_tokens: FITTING,
          retry_after_ms: RETRY_AFTER_MS,
          reason: REASON,
          upstream: UPSTREAM,
        },
      },
    },
  },
};

/** The shapes with all fields under `error`. */
const NAMED_ERRORS = {
  native: null,
  openai: "OpenAiError",
  perspective: "PerspectiveError",
} as const;

/** The `content` of a failing reply that has one of these kinds. */
export function errorSchema(surface: Surface, kinds: readonly FailureKind[]): JsonObject {
  const kind = { properties: { kind: { enum: kinds } } };
  if (surface === "workers-ai") {
    const errors = { properties: { errors: { items: kind } } };
    const schema = { allOf: [{ $ref: "#/components/schemas/WorkersAiError" }, errors] };
    return { "application/json": { schema } };
  }
  const name = NAMED_ERRORS[surface];
  return name !== null
    ? {
        "application/json": {
          schema: {
            allOf: [{ $ref: `#/components/schemas/${name}` }, { properties: { error: kind } }],
          },
        },
      }
    : {
        "application/problem+json": {
          schema: { allOf: [{ $ref: "#/components/schemas/Problem" }, kind] },
        },
      };
}
