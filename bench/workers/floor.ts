import { CATALOGUE_VERSION, resolveModel } from "../../src/domain/catalogue/catalogue.ts";
import { type Hold, makeHold, post } from "../../src/domain/ledger/ledger.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { dayOf, endOf } from "../../src/domain/ledger/period.ts";
import { planModeration } from "../../src/domain/moderation/plan-moderation.ts";
import { rateUnits } from "../../src/domain/moderation/stage.ts";
import { DEFAULT_POLICY_NAME } from "../../src/domain/moderation/policy.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import { NOTHING_DRAWN } from "../../src/domain/ledger/quota.ts";
import { readPlatform } from "../../src/edge/platform.ts";
import type {
  AdmitReply,
  AdmitRequest,
  LimitStatus,
  SettleReply,
  SettleRequest,
} from "../../durable-objects/tenant/protocol.ts";
import worker, { Tenant as Governed } from "../../src/index.ts";
import { withFixedAi } from "./fixed-ai.ts";

// The floor: everything that a governed call does at the edge, and two calls of the tenant's object. That
// object plans and answers, but stores nothing, counts nothing and checks no quota.

export * from "../../src/index.ts";

const TAG = "1.1";
const DAILY = microNeurons(1_000_000_000_000_000);
const NO_TERMS = { plan: "free", daily: DAILY, overageCap: ZERO, overageUsdPer1000: "0" } as const;

export class Tenant extends Governed {
  readonly #open = new Map<string, Hold>();
  readonly #platform = readPlatform(this.env);
  readonly #policy = defaultPolicy(this.#platform.inference);

  override async admit(request: AdmitRequest): Promise<AdmitReply> {
    const { workersPlan, prices } = this.#platform;
    if (request.kind !== "moderation") return { kind: "unavailable" };
    const plan = planModeration(this.#policy, request.contents, (id) =>
      resolveModel(id, { workersPlan, prices }),
    );
    if (plan.kind !== "planned") return plan;
    const nowMs = Date.now();
    const hold = makeHold({
      callId: request.callId,
      requestId: request.requestId,
      route: request.route,
      keyId: null,
      userId: request.userId,
      day: dayOf(nowMs),
      admittedAtMs: nowMs,
      deadlineMs: nowMs + 90_000,
      priceBook: CATALOGUE_VERSION,
      stages: plan.stages,
    });
    this.#open.set(hold.callId, hold);
    const body = request.policy.known === TAG ? null : this.#policy;
    const policy = { name: DEFAULT_POLICY_NAME, version: 1, tag: TAG, body };
    return { kind: "admitted", hold, policy, limits: null, generation: 1 };
  }

  override async settle(request: SettleRequest): Promise<SettleReply> {
    const hold = this.#open.get(request.callId);
    if (hold === undefined) {
      return { settlement: { kind: "unknown_hold" }, verdicts: [], standing: null };
    }
    this.#open.delete(request.callId);
    const nowMs = Date.now();
    const at = { terms: NO_TERMS, drawn: NOTHING_DRAWN, nowMs };
    const line = post(hold, request.items, request.verdicts[0]?.id ?? null, at);
    return {
      settlement: { kind: "settled", line },
      verdicts: null,
      standing: standing(hold, nowMs),
    };
  }
}

const standing = (hold: Hold, nowMs: number): LimitStatus => ({
  neurons: {
    limit: DAILY,
    posted: ZERO,
    pending: hold.held,
    available: DAILY,
    required: ZERO,
    dayEndsAtMs: endOf(dayOf(nowMs)),
    dailyQuota: DAILY,
  },
  rates: Object.keys(rateUnits(hold.stages)).map((name) => ({
    name,
    limit: 1_000_000,
    remaining: 999_999,
    freesAtMs: nowMs + 61_000,
  })),
  nowMs,
});

export default withFixedAi(worker);
