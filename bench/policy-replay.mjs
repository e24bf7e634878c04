import { newId } from "../src/http/ids.ts";
import { PolicyStore } from "../durable-objects/tenant/policies/policy-store.ts";
import { replayPage } from "../durable-objects/tenant/policies/policy-replay.ts";
import { StagedDatabase } from "../durable-objects/database.ts";
import { TENANT_SCHEMA } from "../durable-objects/tenant/features.ts";
import { CORE } from "../durable-objects/tenant/tenant-schema.ts";
import { VerdictStore } from "../durable-objects/tenant/verdicts/verdict-store.ts";
import { CATEGORIES, forEach, JUDGED_CATEGORIES } from "../src/domain/moderation/category.ts";
import { defaultPolicy } from "../src/domain/moderation/presets.ts";
import { NO_REVIEW } from "../src/domain/moderation/verdict.ts";
import { CrashingDatabase } from "../simulation/crashing-database.ts";
import { median } from "./stats.mjs";

// Measures how long one step of a policy's replay keeps a tenant's object busy: 250 rows are read, decided
// again and counted, over SQLite in memory.

const ROWS = 20_000;
const RUNS = 40;

/** @type {any} */
const memory = new CrashingDatabase();
const db = new StagedDatabase(memory, TENANT_SCHEMA);
db.ensure(CORE);
const policies = new PolicyStore(db);
const verdicts = new VerdictStore(db);
policies.insert({ name: "default", version: 1, policy: defaultPolicy("embedded") }, 0);

/** @param {any} fields */
const stage = (fields) => ({
  input: "text",
  model: "@cf/meta/llama-3.1-8b-instruct-fp8",
  priced_as: "@cf/meta/llama-3.1-8b-instruct-fp8",
  engine: "workers-ai",
  status: "evaluated",
  latency_ms: 400,
  micro_neurons: 7_191_960,
  basis: "measured",
  measurements: null,
  ...fields,
});

for (let at = 0; at < ROWS; at += 1) {
  const toxicity = (at % 100) / 100;
  const decision = toxicity < 0.7 ? "allow" : "block";
  /** @type {any} */
  const verdict = {
    id: newId("vrd"),
    contentId: null,
    userId: null,
    metadata: {},
    language: "en",
    decision,
    approved: decision === "allow",
    decidedBy: "policy",
    revision: 1,
    actions: [],
    reasons: [],
    coverage: forEach(CATEGORIES, () => "evaluated"),
    stages: [
      stage({ name: "sentiment", scores: { negativity: 0.5 } }),
      stage({ name: "spam", scores: { spam: 0 } }),
      stage({ name: "lexicon", scores: { toxicity: 0 } }),
      stage({ name: "judge", scores: { ...forEach(JUDGED_CATEGORIES, () => 0.01), toxicity } }),
    ],
    microNeurons: 7_247_022,
    policy: { name: "default", version: 1 },
    review: NO_REVIEW,
    batchId: null,
    test: false,
    contentHash: "0".repeat(64),
    createdAtMs: 1,
  };
  verdicts.insert(verdict, newId("jnl"));
}

const proposed = defaultPolicy("embedded");
const lower = { ...proposed.categories, toxicity: { ...proposed.categories.toxicity, block: 0.5 } };
/** @type {string | null} */
let before = null;
const tookMs = [];
for (let run = 0; run < RUNS; run += 1) {
  const started = performance.now();
  /** @type {any} */
  const page = replayPage(
    /** @type {any} */ ({ stores: { policies, verdicts } }),
    {
      name: "default",
      proposed: { ...proposed, categories: lower },
      fromMs: 0,
      toMs: Date.now() + 1000,
      before,
    },
  );
  tookMs.push(performance.now() - started);
  if (page.replay.verdicts !== 250) throw new Error(`${page.replay.verdicts} verdicts in a page`);
  before = page.next;
}
const typical = median(tookMs);
// oxlint-disable-next-line no-console -- what it is for
console.log(
  `a page of 250 verdicts: ${typical.toFixed(1)} ms (median of ${RUNS}), at most ${Math.max(...tookMs).toFixed(1)} ms; 5,000 verdicts: ${(20 * typical).toFixed(0)} ms in twenty steps`,
);
