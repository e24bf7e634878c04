import { encodeTime } from "ulid";
import type {
  ModerationAdmit,
  ReuseTerms,
  SettleRequest,
} from "../durable-objects/tenant/protocol.ts";
import { heldItem, type Hold, type Item } from "../src/domain/ledger/ledger.ts";
import { microNeurons } from "../src/domain/ledger/micro-neurons.ts";
import { CATEGORIES, forEach } from "../src/domain/moderation/category.ts";
import type { MeasuredContent } from "../src/domain/moderation/plan-moderation.ts";
import { reusedVerdict } from "../src/domain/moderation/reuse.ts";
import { NO_REVIEW, type Verdict } from "../src/domain/moderation/verdict.ts";
import type { Random } from "./random.ts";
import { ONE_PICTURE } from "./simulated-tenant.ts";

// The calls of one tenant, and how they end: what their engines used, and their verdicts.

export interface Call {
  readonly request: ModerationAdmit;
  readonly hold: Hold | null;
  /** What the admission said of equal contents. */
  readonly reuse: ReuseTerms | null;
  readonly settled: SettleRequest | null;
}

/**
 * A call of a client.
 *
 * @param drawn its number: no other call has it
 * @param same what it has in common with another call
 */
export function drawCall(
  random: Random,
  { drawn, wallMs }: { readonly drawn: number; readonly wallMs: number },
  same: Partial<ModerationAdmit> = {},
): Call {
  const number = String(drawn).padStart(16, "0");
  // Ids need not come in the order of their drawing: routers' clocks differ, and calls wait.
  const late = random.chance(0.1) ? 900_000 : 30_000;
  const drawnMs = wallMs - random.integer(-5000, late);
  const contents: MeasuredContent[] = [{ text: null, pictures: random.integer(1, 3) }];
  const request: ModerationAdmit = {
    kind: "moderation",
    callId: `jnl_${encodeTime(drawnMs, 10)}${number}`,
    requestId: `req_${number}`,
    route: "POST /v1/verdicts",
    caller: { kind: "platform" },
    userId: null,
    context: null,
    contents,
    verdictIds: [`vrd_${encodeTime(drawnMs, 10)}${number}`],
    policy: { name: null, known: null },
    reuseKeys: [random.pick([null, "one", "two", `other-${number}`])],
    idempotency: random.chance(0.4) ? { key: `key-${number}`, fingerprint: "same" } : null,
    ...same,
  };
  return { request, hold: null, reuse: null, settled: null };
}

/** The end of a call: what its engines used, and its verdict. */
export function drawSettle(random: Random, { request, hold, reuse }: Call): SettleRequest {
  const isAnswered = reuse !== null && reuse.source !== null;
  if (isAnswered !== (hold?.stages.length === 0)) {
    throw new Error(`${request.callId}: holds ${hold?.held} µN, and is answered: ${isAnswered}`);
  }
  const items = (hold?.stages ?? []).map((stage): Item => {
    const used = random.pick([0, ONE_PICTURE, stage.bound]);
    const ran = used > 0;
    return {
      ...heldItem(stage),
      model: ran ? stage.model : null,
      engine: ran ? "embedded" : null,
      microNeurons: microNeurons(Math.min(used, stage.bound)),
      basis: "counted",
    };
  });
  const cost = items.reduce((sum, item) => sum + item.microNeurons, 0);
  const verdicts = hold === null ? [] : [verdictOf(request, reuse, cost)];
  return { callId: request.callId, items, verdicts, account: null, reply: null };
}

function verdictOf(request: ModerationAdmit, reuse: ReuseTerms | null, cost: number): Verdict {
  const own = {
    id: request.verdictIds[0] ?? "",
    contentId: null,
    userId: null,
    metadata: {},
    batchId: null,
    contentHash: "",
    createdAtMs: 0,
  };
  if (reuse !== null && reuse.source !== null) return reusedVerdict(reuse.source, reuse.key, own);
  return {
    ...own,
    language: null,
    decision: "flag",
    approved: false,
    decidedBy: "policy",
    revision: 1,
    actions: [],
    reasons: [],
    coverage: forEach(CATEGORIES, () => "evaluated"),
    stages: [],
    microNeurons: cost,
    policy: { name: "default", version: 2 },
    review: NO_REVIEW,
    test: false,
    ...(reuse !== null && { reuse: { key: reuse.key } }),
  };
}
