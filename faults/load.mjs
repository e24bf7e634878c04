// The calls that tenants make while the process is killed, and the replies that their clients saw.
import { pngPicture } from "../test/e2e/tiny-picture.mjs";
import { drawGeneration, ENGINE_FAILURES, chargeOf } from "./generation-load.mjs";

/** A mark in every text and picture. It must never be printed or come back in an error. */
export const MARKER = "qzvfaults";

/** The account's rates. */
export const UNBOUNDED_RATES = {
  text_generation: 1_000_000,
  text_classification: 1_000_000,
  text_embeddings: 1_000_000,
  image_classification: 1_000_000,
};

const settings = (own) => ({
  plan: "free",
  daily_neurons: 1_000_000,
  max_in_flight: 1000,
  // The clock crosses many midnights, and nothing that a client saw may be purged meanwhile.
  verdict_retention_days: 400,
  ...own,
  rpm: { requests: 1_000_000, ...UNBOUNDED_RATES, ...own.rpm },
});

/** Each tenant tests one rule that a crash could break. A neuron is a million µN. */
export const TENANTS = {
  "hard-stop": settings({ daily_neurons: 400 }),
  overage: settings({
    plan: "paid",
    daily_neurons: 150,
    overage_cap_neurons: "unlimited",
    overage_usd_per_1000_neurons: "0.02",
  }),
  capped: settings({ plan: "paid", daily_neurons: 150, overage_cap_neurons: 200 }),
  "few-a-minute": settings({ rpm: { requests: 60 } }),
  "few-at-once": settings({ max_in_flight: 3 }),
  rotating: settings({ plan: "paid", daily_neurons: 5000, overage_cap_neurons: "unlimited" }),
  changing: settings({ daily_neurons: 450 }),
  "account-gone": settings({}),
};

/** The limits that `changing` gets in turn. Snapshots are compared with the larger one. */
export const CHANGING_NEURONS = [450, 300];

/** The daily limit in µN that admissions of this tenant must never exceed; null: none. */
export function dayLimit(/** @type {string} */ tenant) {
  const { plan, daily_neurons: daily, overage_cap_neurons: cap } = TENANTS[tenant];
  if (plan === "paid" && cap === "unlimited") return null;
  return (daily + (plan === "paid" ? cap : 0)) * 1_000_000;
}

/** The fake `AI` binding's behaviours for a call: test/fakes/workers-ai-server.mjs. */
const ENGINE_FAULTS = [
  [54, () => ""],
  [12, (random) => `[[slow:${random.integer(5, 200)}]]`],
  [5, () => "[[fake:judge=3040,ok|?]]"],
  [5, () => "[[fake:3040|?]]"],
  [2, () => "[[fake:judge=3040;vision=3040;labels=3040;sentiment=ok|?]]"],
  [4, () => "[[fake:judge=malformed;vision=malformed|?]]"],
  [3, () => "[[fake:malformed|?]]"],
  [4, () => "[[fake:drop|?]]"],
  [3, () => "[[fake:judge=drop_body;labels=drop_body|?]]"],
  [2, () => "[[fake:hang|?]]"],
  [1, () => "[[fake:judge=hang_body;vision=drip|?]]"],
  [2, () => "[[fake:500|?]]"],
  [2, () => "[[fake:judge=bad_utf8;sentiment=empty_body|?]]"],
  [2, () => "[[fake:judge=other_nonce;vision=obey|?]]"],
];

/**
 * The charge of a text when both of its engines fail like this: the whole hold if they may have run,
 * nothing if they said that they did not run or broke without any use.
 */
export const ALONE = {
  drop: "held",
  drop_body: "held",
  hang: "held",
  hang_body: "held",
  drip: "held",
  500: "nothing",
  bad_utf8: "held",
  empty_body: "held",
  not_json: "held",
  3007: "held",
  3040: "nothing",
  3041: "nothing",
  5007: "nothing",
};

/** A text for which every engine behaves in one way, for a tenant that has room for it. */
export const callWithFault = (/** @type {string} */ fault, /** @type {number} */ atMs) => {
  made += 1;
  const name = `call-${String(made).padStart(6, "0")}`;
  const text = `${SENTENCES[0]} ${MARKER} [[fake:${fault}|${name}]]`;
  const body = { user_id: name, content_id: name, text };
  return { name, tenant: "few-at-once", path: "/v1/verdicts", body, keyed: true, atMs, seen: [] };
};

/** For the one tenant whose calls sometimes find the account's own allocation used up. */
const ACCOUNT_GONE = [
  [8, () => "[[fake:3036|?]]"],
  [92, () => ""],
];

const SENTENCES = [
  "Have a nice day, and thank you for the flowers.",
  "This is the worst parcel service that I have ever seen.",
  "You are an idiot and everybody knows it.",
  "Buy now, this is a limited offer, click here!",
  "The train to the coast leaves at nine in the morning.",
];

/**
 * @typedef {object} Call
 * @property {string} name names the person in its journal line
 * @property {string} tenant
 * @property {string} path
 * @property {unknown} body
 * @property {boolean} keyed with an idempotency key, so that it may be repeated
 * @property {number} atMs the server's time when it was first sent
 * @property {Seen[]} seen one for each time that it was sent
 */

/**
 * @typedef {object} Seen what a client knows of one request
 * @property {number} status 0: the connection broke, and nothing is known
 * @property {string | null} kind of a refusal
 * @property {number | null} charged µN
 * @property {string | null} lineId
 * @property {{ id: string, decision: string }[]} verdicts
 * @property {boolean} replayed
 * @property {boolean | null} streamed of a generation, which has no verdicts; else null
 */

let made = 0;

/** @returns {Call} */
export function drawCall(
  /** @type {import("./random.mjs").Random} */ random,
  /** @type {number} */ atMs,
) {
  made += 1;
  const tenant = random.weighted([
    [3, "hard-stop"],
    [3, "overage"],
    [2, "capped"],
    [2, "few-a-minute"],
    [2, "few-at-once"],
    [2, "rotating"],
    [2, "changing"],
    [1, "account-gone"],
  ]);
  const name = `call-${String(made).padStart(6, "0")}`;
  const content = () => {
    const fault = random.weighted(tenant === "account-gone" ? ACCOUNT_GONE : ENGINE_FAULTS);
    return `${MARKER} ${fault(random).replace("?", `${name}.${random.word(6)}`)}`;
  };
  const text = () => `${random.pick(SENTENCES)} ${content()}`;
  const picture = () => pngPicture(content());
  const [path, body] = random.weighted([
    [5, () => ["/v1/verdicts", { user_id: name, content_id: name, text: text() }]],
    [1, () => ["/v1/verdicts", { user_id: name, images: [{ base64: picture() }] }]],
    [
      1,
      () => {
        const images = Array.from({ length: random.integer(1, 3) }, () => ({ base64: picture() }));
        return ["/v1/verdicts", { user_id: name, text: text(), images }];
      },
    ],
    [4, () => drawGeneration(random, { name, marker: MARKER })],
    [2, () => ["/v1/moderations", { user: name, input: text() }]],
    [
      2,
      () => {
        const input = Array.from({ length: random.integer(2, 6) }, text);
        return ["/v1/moderations", { user: name, input }];
      },
    ],
    [
      1,
      () => {
        const url = `data:image/png;base64,${picture()}`;
        const input = [
          { type: "text", text: text() },
          { type: "image_url", image_url: { url } },
        ];
        return ["/v1/moderations", { user: name, input }];
      },
    ],
  ])();
  return { name, tenant, path, body, keyed: random.chance(0.6), atMs, seen: [] };
}

/** A reply without a result, or no reply at all. @returns {Seen} */
export const nothingSeen = (/** @type {number} */ status, kind = null) => ({
  status,
  kind,
  charged: null,
  lineId: null,
  verdicts: [],
  replayed: false,
  streamed: null,
});

/** The refusals that a client may get. Any other is a fault. */
const REFUSALS = new Set([
  "quota_exceeded",
  "overage_cap_exceeded",
  "quota_reserved",
  "rate_limited",
  "concurrency_exceeded",
  "account_quota_exceeded",
  "idempotency_in_progress",
  "idempotency_replay_unavailable",
]);

const isGeneration = ({ path }) => path === "/v1/chat/completions" || path === "/v1/embeddings";

/** The facts that a client learns from one reply. @returns {Seen} */
export function seenIn({ status, headers, body }, /** @type {Call} */ call, clockJumps) {
  if (status !== 200) {
    const { kind, request_id: requestId } = body.error ?? body;
    // The admission got lost, and its hold ended before the repeat: nothing runs.
    const ended = clockJumps && kind === "unavailable";
    const failed = isGeneration(call) && ENGINE_FAILURES.has(kind);
    if (!REFUSALS.has(kind) && !ended && !failed) {
      throw new Error(`${call.name} (${call.path}) was answered ${status} ${kind} (${requestId})`);
    }
    return nothingSeen(status, kind);
  }
  const replayed = headers.get("idempotency-replayed") === "true";
  if (isGeneration(call)) return { ...nothingSeen(200), ...chargeOf(body, headers), replayed };
  const openAi = call.path === "/v1/moderations";
  const verdicts = openAi
    ? body.results.map(({ neurogate }) => ({
        id: neurogate.verdict_id,
        decision: neurogate.decision,
      }))
    : [{ id: body.id, decision: body.decision }];
  return {
    status,
    kind: null,
    charged: Number(headers.get("x-neurogate-micro-neurons")),
    lineId: openAi ? body.id.replace(/^modr-/, "jnl_") : null,
    verdicts,
    replayed,
    streamed: null,
  };
}
