import { describe, expect, it } from "vitest";
import { runItem } from "../../src/batches/run-item.ts";
import type { AdmitReply } from "../../durable-objects/tenant/protocol.ts";
import type { NeuronBalance } from "../../src/domain/ledger/failure.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import type { ModerationDeps, ModerationRequest } from "../../src/moderation/moderation-call.ts";

// What a refusal of one item means for its batch.

const NOW = Date.UTC(2026, 10, 20, 14);

const neurons: NeuronBalance = {
  limit: microNeurons(10),
  posted: microNeurons(10),
  pending: ZERO,
  available: ZERO,
  required: microNeurons(1),
  dayEndsAtMs: Date.UTC(2026, 10, 21),
  dailyQuota: microNeurons(10),
};

const REQUEST: ModerationRequest = {
  callId: "jnl_01M7WM9VDGE8T1RYS3AM180000",
  requestId: "req_01M7WM9VDGE8T1RYS3AM180000",
  route: "POST /v1/verdicts/batches",
  tenantId: "acme",
  caller: { kind: "platform" },
  userId: null,
  policyName: null,
  contents: [],
  context: null,
  idempotency: null,
};

/** No line is there, and nothing may be asked of one. */
const noLine = (): Promise<never> => Promise.reject(new Error("a refusal leaves no line"));

const refusedWith = (refusal: AdmitReply) => {
  const tenant = { admit: async () => refusal, settle: noLine };
  // Nothing else of it is needed before an admission.
  const judges = { config: {}, engine: { name: "embedded" } };
  const deps = { ...judges, tenant: () => tenant } as unknown as ModerationDeps;
  return runItem(deps, REQUEST, 7, noLine);
};

const rated = (fitsAtMs: number): AdmitReply => ({
  kind: "rate_limited",
  violated: ["requests"],
  rates: [],
  fitsAtMs,
  neurons,
  nowMs: NOW,
});

describe("a refusal", () => {
  it.each<[string, AdmitReply, number]>([
    ["for a rate, as long as it says", rated(NOW + 41_000), 41_000],
    ["for a rate, a second at least", rated(NOW + 3), 1000],
    ["for other calls' holds", { kind: "quota_reserved", neurons, nowMs: NOW }, 1000],
    [
      "for calls in progress",
      { kind: "concurrency_exceeded", limit: 1, neurons, nowMs: NOW },
      1000,
    ],
  ])("%s is waited for", async (_, refusal, ms) => {
    expect(await refusedWith(refusal)).toEqual({ kind: "wait", ms });
  });

  it.each(["quota_exceeded", "overage_cap_exceeded", "account_quota_exceeded"] as const)(
    "of the day stops the batch, or lets it wait: %s",
    async (kind) => {
      const stopped = await refusedWith({ kind, neurons, nowMs: NOW });
      expect(stopped).toEqual({ kind: "stop", as: kind, ofTheDay: true });
    },
  );

  it.each<AdmitReply>([
    { kind: "invalid_key" },
    { kind: "tenant_suspended" },
    { kind: "role_required", roles: ["manage"] },
    { kind: "storage_full" },
  ])("that all others would meet stops it: $kind", async (refusal) => {
    expect(await refusedWith(refusal)).toEqual({
      kind: "stop",
      as: refusal.kind,
      ofTheDay: false,
    });
  });

  it.each<AdmitReply>([
    { kind: "over_limit", detail: "Too much." },
    { kind: "model_not_allowed", model: "@cf/meta/llama-guard-3-8b" },
    { kind: "unpriced_model", model: "@cf/meta/llama-guard-3-8b" },
  ])("of that item alone is its failure: $kind", async (refusal) => {
    expect(await refusedWith(refusal)).toEqual({
      kind: "result",
      result: { index: 7, decision: null, failedAs: refusal.kind, microNeurons: 0 },
    });
  });
});
