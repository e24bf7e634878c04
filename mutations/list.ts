// What the tests must notice. A mutation is one rule of the product, broken as somebody might break it;
// beside it stand the tests that guard the rule. `mutations.mjs` runs them.

export interface Mutation {
  /** The rule as it is when it is broken. */
  readonly what: string;
  readonly file: string;
  /** A passage that the file has exactly once. */
  readonly from: string;
  /** What stands in its place. */
  readonly to: string;
  /** Files or folders, for vitest. */
  readonly tests: readonly string[];
}

export const MUTATIONS: readonly Mutation[] = [
  // Money
  {
    what: "audio is rounded down",
    file: "src/domain/catalogue/price.ts",
    from: "(amount + MS_PER_MINUTE - 1n) / MS_PER_MINUTE",
    to: "amount / MS_PER_MINUTE",
    tests: ["test/domain/catalogue/price.test.ts"],
  },
  {
    what: "a line may be charged above its hold",
    file: "src/domain/ledger/ledger.ts",
    from: "microNeurons: least(amount, bound),",
    to: "microNeurons: amount,",
    tests: ["test/domain/ledger/ledger.test.ts", "test/domain/ledger/ledger-walk.test.ts"],
  },
  {
    what: "what expires is charged nothing",
    file: "src/domain/ledger/ledger.ts",
    from: `outcome: "expired", items: hold.stages.map(heldItem)`,
    to: `outcome: "expired", items: []`,
    tests: ["test/domain/ledger/ledger.test.ts"],
  },
  {
    what: "overage is owed on the free plan",
    file: "src/domain/ledger/quota.ts",
    from: `return terms.plan === "free"\n    ? { quota`,
    to: `return terms.plan === "paid"\n    ? { quota`,
    tests: ["test/domain/ledger/quota.test.ts"],
  },
  {
    what: "grants are drawn on before the day's quota",
    file: "src/domain/ledger/quota.ts",
    from: "const quota = least(amount, minusOrZero(terms.daily, before.quota));\n  const granted = least(minus(amount, quota), drawable);",
    to: "const granted = least(amount, drawable);\n  const quota = least(minus(amount, granted), minusOrZero(terms.daily, before.quota));",
    tests: ["test/domain/ledger/quota.test.ts", "test/domain/ledger/grant.test.ts"],
  },
  {
    what: "a grant serves after it ended",
    file: "src/domain/ledger/grant.ts",
    from: "nowMs < endsAtMs(grant);",
    to: "nowMs <= endsAtMs(grant);",
    tests: ["test/domain/ledger/grant.test.ts"],
  },
  {
    what: "a month's cap does not see what is held",
    file: "src/domain/ledger/month-quota.ts",
    from: "room.posted + room.pending + bound > room.cap",
    to: "room.posted + bound > room.cap",
    tests: ["test/domain/ledger/month-quota.test.ts"],
  },
  {
    what: "a statement that does not add up says that it does",
    file: "src/domain/usage/statement.ts",
    from: "addsUp: used + calls.adjusted === drawnOf(calls) && rated === calls.overage,",
    to: "addsUp: true,",
    tests: ["test/domain/usage/statement.test.ts"],
  },

  // Admission and limits
  {
    what: "admission does not see what is held",
    file: "src/domain/ledger/admission.ts",
    from: "plus(pending, grants.claimed);",
    to: "grants.claimed;",
    tests: ["test/domain/ledger/admission.test.ts", "test/domain/ledger/ledger-walk.test.ts"],
  },
  {
    what: "a rolling minute has 59 seconds",
    file: "src/domain/ledger/rate-limit.ts",
    from: "const BUCKETS = 61;",
    to: "const BUCKETS = 59;",
    tests: ["test/domain/ledger/rate-limit.test.ts"],
  },
  {
    what: "a bucket counts once, however much is added",
    file: "src/domain/ledger/rate-limit.ts",
    from: "[second, last[1] + added]",
    to: "[second, added]",
    tests: ["test/domain/ledger/rate-limit.test.ts"],
  },
  {
    what: "a batch takes the whole rate",
    file: "src/domain/ledger/batch-share.ts",
    from: "Math.max(1, Math.floor(limit / 2))",
    to: "limit",
    tests: ["test/durable-objects/batch-share.test.ts"],
  },
  {
    what: "score keys have the whole rate together",
    file: "src/domain/ledger/batch-share.ts",
    from: "Math.max(1, Math.floor(limit / 3))",
    to: "limit",
    tests: ["test/routes/perspective.test.ts"],
  },
  {
    what: "the storage may fill up to the brim",
    file: "durable-objects/tenant/calls/admit.ts",
    from: "const STORAGE_MARGIN = 0.9;",
    to: "const STORAGE_MARGIN = 9;",
    tests: ["test/durable-objects", "test/routes/failures.test.ts"],
  },
  {
    what: "an idempotency key is forgotten with its day",
    file: "durable-objects/tenant/calls/idempotency-store.ts",
    from: `WHERE day IN (?, ?) AND route = ? AND key = ? AND created_at_ms > ? LIMIT 1\`,
      day,
      day - 1,`,
    to: `WHERE day IN (?, ?) AND route = ? AND key = ? AND created_at_ms > ? LIMIT 1\`,
      day,
      day,`,
    tests: ["test/durable-objects", "test/routes/times.test.ts"],
  },
  {
    what: "a late settle stores no verdict",
    file: "durable-objects/tenant/calls/settle.ts",
    from: "return stored(tx, { settlement, verdicts, units, contents });\n    }",
    to: "return stored(tx, { settlement, verdicts: [], units, contents });\n    }",
    tests: ["test/durable-objects"],
  },
  {
    what: "the pool does not count claims",
    file: "src/domain/account/day-pool.ts",
    from: "const [claim, spent, held] = [claimOf(assumed), assumed.spent, assumed.pending];",
    to: "const [claim, spent, held] = [0, assumed.spent, assumed.pending];",
    tests: ["test/domain/account/day-pool.test.ts", "test/domain/account/pool-walk.test.ts"],
  },

  // Access
  {
    what: "a forged key's checksum is not compared",
    file: "src/http/key-format.ts",
    from: "return crypto.subtle.timingSafeEqual(utf8(expected), utf8(given));",
    to: "return expected.length === given.length;",
    tests: ["test/http/key-format.test.ts"],
  },
  {
    what: "every admin token is good",
    file: "src/http/authenticate.ts",
    from: `return valid ? { kind: "platform", actor: "admin_token" } : INVALID_KEY;`,
    to: `return valid || token.length > 20 ? { kind: "platform", actor: "admin_token" } : INVALID_KEY;`,
    tests: ["test/routes/access.test.ts"],
  },
  {
    what: "a key's role is not looked at",
    file: "durable-objects/tenant/keys/access.ts",
    from: `if (key.role !== "manage" && !caller.roles.includes(key.role)) {`,
    to: `if (key.role === "score" && !caller.roles.includes(key.role)) {`,
    tests: ["test/routes/access.test.ts"],
  },
  {
    what: "a suspended tenant is served",
    file: "durable-objects/tenant/keys/access.ts",
    from: "if (tx.profile.settings.suspended)",
    to: "if (tx.profile.settings.suspended && caller.roles.length > 9)",
    tests: ["test/durable-objects", "test/routes"],
  },
  {
    what: "an ended key opens",
    file: "durable-objects/tenant/keys/key-store.ts",
    from: "FROM keys WHERE secret_hash = ? AND ended = 0\n",
    to: "FROM keys WHERE secret_hash = ? AND ended < 2\n",
    tests: ["test/durable-objects/keys-and-policies.test.ts"],
  },
  {
    what: "any key may stand in an address",
    file: "src/http/authenticate.ts",
    from: "const scoreOnly = sent.inQuery || isOfPage;",
    to: "const scoreOnly = isOfPage;",
    tests: ["test/routes/perspective.test.ts"],
  },
  {
    what: "a link lasts for ever",
    file: "src/http/signed-link.ts",
    from: "leftS > 0 && leftS <= LINK_LIFETIME_S + CLOCK_SKEW_S",
    to: "leftS <= LINK_LIFETIME_S + CLOCK_SKEW_S",
    tests: ["test/http/signed-link.test.ts"],
  },
  {
    what: "a link is good for other files",
    file: "src/http/signed-link.ts",
    from: "JSON.stringify([tenant, generation, path, expiresAtS])",
    to: "JSON.stringify([tenant, generation, expiresAtS])",
    tests: ["test/http/signed-link.test.ts"],
  },

  // Verdicts
  {
    what: "what was not checked is approved",
    file: "src/domain/moderation/decision.ts",
    from: "      required.every(isEvaluated) &&\n",
    to: "",
    tests: ["test/domain/moderation/decision.test.ts", "test/domain/moderation/verdict.test.ts"],
  },
  {
    what: "a picture beside a text is approved by the text",
    file: "src/domain/moderation/decision.ts",
    from: "evidence.inputs.every((input) => isRequiredOf(policy, required, input))",
    to: "evidence.inputs.some((input) => isRequiredOf(policy, required, input))",
    tests: ["test/domain/moderation/decision.test.ts", "test/routes/pictures.test.ts"],
  },
  {
    what: "a threshold must be passed, not reached",
    file: "src/domain/ledger/crossing.ts",
    from: "threshold !== null && score >= threshold",
    to: "threshold !== null && score > threshold",
    tests: ["test/domain/moderation/decision.test.ts"],
  },
  {
    what: "a small model bans",
    file: "src/domain/ledger/crossing.ts",
    from: `const effect = isJudge(stage) ? "ban" : "block";`,
    to: `const effect = "ban";`,
    tests: ["test/domain/moderation/decision.test.ts", "test/routes/ban-after.test.ts"],
  },
  {
    what: "a cry for help is blocked",
    file: "src/domain/moderation/advice.ts",
    from: `["self-harm", "self-harm/intent"];`,
    to: `["self-harm/intent"];`,
    tests: ["test/domain/moderation/advice.test.ts", "test/domain/moderation/decision.test.ts"],
  },
  {
    what: "tier 0's dissent is not heard",
    file: "src/domain/moderation/second-opinion.ts",
    from: "if (score < threshold || !asksOf",
    to: "if (score <= 1 || !asksOf",
    tests: [
      "test/domain/moderation/decision.test.ts",
      "test/tier0/judge.test.ts",
      "test/moderation",
    ],
  },
  {
    what: "an answer for another nonce is believed",
    file: "src/domain/moderation/model-answer.ts",
    from: `if (entries.get("nonce") !== nonce) return null;`,
    to: `if (!entries.has("nonce")) return null;`,
    tests: ["test/domain/moderation/judge.test.ts"],
  },
  {
    what: "a guard passes what a judge failed to check",
    file: "src/domain/moderation/guard.ts",
    from: `if (status !== "not_evaluated") return true;`,
    to: `if (status !== "not_evaluated") return false;`,
    tests: ["test/domain/moderation/guard.test.ts"],
  },
  {
    what: "thresholds of another version of the text model decide",
    file: "src/domain/moderation/cascade.ts",
    from: "read.model !== rules.model",
    to: "read.model === null",
    tests: ["test/domain/moderation/cascade.test.ts"],
  },
  {
    what: "the text model blocks somebody in distress unseen",
    file: "src/domain/moderation/cascade.ts",
    from: "if (isDistress) return null;",
    to: "",
    tests: ["test/domain/moderation/cascade.test.ts"],
  },
  {
    what: "the text model passes what the policy would flag",
    file: "src/moderation/decided-alone.ts",
    from: "return alone.approved ? cascade : null;",
    to: "return alone.decision === undefined ? null : cascade;",
    tests: ["test/routes/cascade.test.ts"],
  },
  {
    what: "a threshold is found that was wrong when it was measured",
    file: "src/domain/moderation/calibration.ts",
    from: "measured.bound <= terms.maxMissRate && ",
    to: "",
    tests: ["test/domain/moderation/calibration.test.ts"],
  },
  {
    what: "a review of another's claim is taken",
    file: "src/domain/moderation/review.ts",
    from: `if (state === "claimed" && key_id !== keyId) {`,
    to: `if (state === "claimed" && key_id === null) {`,
    tests: ["test/domain/moderation/review.test.ts"],
  },
  {
    what: "an overruled verdict keeps its revision",
    file: "src/domain/moderation/review.ts",
    from: "revision: revision + 1,",
    to: "revision,",
    tests: ["test/domain/moderation/review.test.ts"],
  },
  {
    what: "invisible characters hide a word",
    file: "src/domain/text/normalise.ts",
    from: "if (isInvisible(code)) return end;",
    to: "if (isInvisible(code) && code < 0x80) return end;",
    tests: ["test/domain/text/normalise.test.ts", "test/domain/terms/term-match.test.ts"],
  },
  {
    what: "a text that is too long to compare counts as harmless",
    file: "src/domain/terms/term-match.ts",
    from: "if (found.size === 0) found.set(0, []);",
    to: "found.clear();",
    tests: ["test/domain/terms/hostile-terms.test.ts"],
  },
  {
    what: "an allow term lets the whole text through",
    file: "src/domain/terms/term-match.ts",
    from: "before[start] !== before[end];",
    to: "allowed.length > 0 && before[start] !== end;",
    tests: ["test/domain/terms/term-match.test.ts", "test/routes/terms.test.ts"],
  },

  // Webhooks
  {
    what: "a delivery goes to a private address",
    file: "src/io/public-address.ts",
    from: `["169.254.0.0", 16], // link-local`,
    to: `["169.254.0.0", 32], // link-local`,
    tests: ["test/io/public-address.test.ts"],
  },
  {
    what: "a webhook may name an address",
    file: "src/io/public-url.ts",
    from: `if (isAddress(host)) return refused("must name a host, not an IP address");`,
    to: "",
    tests: ["test/io/public-url.test.ts"],
  },
  {
    what: "a signature does not cover its time",
    file: "durable-objects/outbox/sign-delivery.ts",
    from: "`${id}.${timestamp}.${body}`",
    to: "`${id}.${body}`",
    tests: ["test/durable-objects/outbox", "test/durable-objects/webhooks.test.ts"],
  },
  {
    what: "a redirect counts as delivered",
    file: "durable-objects/outbox/attempt.ts",
    from: "if (status >= 200 && status <= 299) return null;",
    to: "if (status >= 200 && status <= 399) return null;",
    tests: ["test/durable-objects/outbox"],
  },
  {
    what: "one event that an endpoint refuses makes it down",
    file: "src/domain/webhooks/delivery.ts",
    from: "return status === null || status >= 500 || NOT_OF_THE_MESSAGE.includes(status);",
    to: "return true;",
    tests: ["test/domain/webhooks/delivery.test.ts"],
  },

  // The border
  {
    what: "a formula reaches a spreadsheet",
    file: "src/http/csv.ts",
    from: "FORMULA.test(plain) && !PLAIN_NUMBER.test(plain)",
    to: `plain.startsWith("=")`,
    tests: ["test/http/csv.test.ts"],
  },
  {
    what: "half a surrogate pair goes through",
    file: "src/http/well-formed.ts",
    from: `if (typeof value === "string") return value.toWellFormed();`,
    to: `if (typeof value === "string") return value;`,
    tests: ["test/http/well-formed.test.ts"],
  },
  {
    what: "a body's claim is not released",
    file: "src/io/body-budget.ts",
    from: "    this.#set(claim, 0);\n    this.#held.delete(claim);",
    to: "    this.#held.delete(claim);",
    tests: ["test/io/body-budget.test.ts"],
  },
  {
    what: "null is a value on the drop-in surfaces",
    file: "src/api/drop-in-body.ts",
    from: "return is === null ? [] : [[name, withoutNulls(is)]];",
    to: "return [[name, withoutNulls(is)]];",
    tests: ["test/api/drop-in-body.test.ts"],
  },
  {
    what: "a log line holds the query",
    file: "src/http/request-log.ts",
    from: "    route,\n    status",
    to: "    route: request.url,\n    status",
    tests: ["test/http/request-log.test.ts"],
  },

  // Storage, reports, console
  {
    what: "a failed commit fails the calls beside it",
    file: "durable-objects/group-commit.ts",
    from: "if (batch.length > 1) return batch.flatMap((waiting) => this.#attempt([waiting]));",
    to: "",
    tests: ["test/durable-objects/group-commit.test.ts"],
  },
  {
    what: "an old row of a report overwrites a new one",
    file: "src/reports/reports-store.ts",
    from: "WHERE excluded.sequence > ${name}.sequence",
    to: "WHERE excluded.sequence <> ${name}.sequence",
    tests: ["test/reports"],
  },
  {
    what: "a late row leaves the sums of its hour as they are",
    file: "src/reports/reports-store.ts",
    from: ", markHours(database, [...hours])",
    to: "",
    tests: ["test/reports/closed-hours.test.ts"],
  },
  {
    what: "an erased person stays in the journal",
    file: "durable-objects/tenant/ledger/journal.ts",
    from: "          persons.forgetPersonOfLine(line.callId);\n",
    to: "",
    tests: ["test/durable-objects/erasures.test.ts", "test/durable-objects/people.test.ts"],
  },
  {
    what: "a stored verdict loses its second category",
    file: "durable-objects/tenant/verdicts/verdict-row.ts",
    from: "coverageAt(Number(body.coverage[CATEGORIES.indexOf(category)] ?? 4)),",
    to: "coverageAt(Number(body.coverage[0] ?? 4)),",
    tests: ["test/durable-objects/verdict-row.test.ts"],
  },
  {
    what: "an act of the platform that was not recorded is a success",
    file: "src/http/router.ts",
    from: `return isRecorded ? reply() : { kind: "unavailable" };`,
    to: "return isRecorded ? reply() : reply();",
    tests: ["test/http/router.test.ts"],
  },
  {
    what: "the console rounds small amounts to nothing",
    file: "console/src/format.ts",
    from: "Math.max(2, Math.min(10, 2 - Math.floor(Math.log10(Math.abs(n)))))",
    to: "2",
    tests: ["test/console"],
  },
  {
    what: "a released migration is edited",
    file: "durable-objects/tenant/ledger/ledger-schema.ts",
    from: "CHECK (posted = quota + granted + overage)",
    to: "CHECK (posted >= 0)",
    tests: ["test/tidy.test.ts"],
  },
];
