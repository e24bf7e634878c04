import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Settings } from "../../src/domain/tenant/settings.ts";
import {
  account,
  aKey,
  aTenant,
  cleanUp,
  expectKind,
  idempotency,
  PICTURE,
  PLATFORM,
  pictures,
  stopClock,
  tenantStub,
} from "./a-tenant.ts";

// When several refusals hold, the first is given: the contract, section 5.

/** In the contract's order. Each can be brought about whatever else holds. */
const ORDER = [
  "invalid_key",
  "tenant_suspended",
  "role_required",
  "idempotency_key_reused",
  "idempotency_in_progress",
  "model_not_allowed",
  "over_limit",
  "account_quota_exceeded",
  "quota_exceeded",
  "overage_cap_exceeded",
  "rate_limited",
  "quota_reserved",
  "concurrency_exceeded",
] as const;

type Condition = (typeof ORDER)[number];

/** Two that cannot hold at once: a key's first call, and a tenant's plan, are one or the other. */
const EITHER: readonly (readonly Condition[])[] = [
  ["idempotency_key_reused", "idempotency_in_progress"],
  ["quota_exceeded", "overage_cap_exceeded"],
];

beforeEach(() => stopClock());
afterEach(cleanUp);

/** One call posted, one open, then one more is tried under all these conditions. */
async function refusalUnder(conditions: readonly Condition[]): Promise<string> {
  // Another tenant's exhausted account is this one's too.
  await account().reopen();
  const has = (condition: Condition): boolean => conditions.includes(condition);
  const tenant = await aTenant();
  const done = await tenant.hold();
  await tenant.hold({ idempotency: idempotency("k", "first") });
  await tenant.settle(done, { account: has("account_quota_exceeded") ? "exhausted" : "answered" });

  const images = has("over_limit") ? 6 : 1;
  const bound = images * PICTURE;
  const settings: Partial<Settings> = {
    suspended: has("tenant_suspended"),
    models: has("model_not_allowed") ? [] : null,
    rpm: {
      requests: has("rate_limited") ? 2 : 1000,
      image_classification: has("over_limit") ? 5 : 1000,
    },
    max_in_flight: has("concurrency_exceeded") ? 1 : 1000,
  };
  const exceeded = { daily_neurons: (PICTURE + bound - 1) / 1e6 };
  const reserved = { daily_neurons: (2 * PICTURE + bound - 1) / 1e6 };
  await tenant.configure({
    ...settings,
    ...(has("quota_reserved") ? reserved : {}),
    ...(has("quota_exceeded") ? exceeded : {}),
    ...(has("overage_cap_exceeded") ? { ...exceeded, plan: "paid", overage_cap_neurons: 0 } : {}),
  });
  const id = `key_${tenant.id}`;
  const newKey = { id, secretHash: crypto.randomUUID(), prefix: "abcd" };
  const caller = await aKey(tenant.id, has("role_required") ? "review" : "call", { newKey });
  if (has("invalid_key")) await tenantStub(tenant.id).endKey(PLATFORM, id);

  const fields = { caller, contents: [pictures(images)] };
  if (has("idempotency_key_reused")) {
    return (await tenant.admit({ ...fields, idempotency: idempotency("k", "other") })).kind;
  }
  if (has("idempotency_in_progress")) {
    return (await tenant.admit({ ...fields, idempotency: idempotency("k", "first") })).kind;
  }
  return (await tenant.admit(fields)).kind;
}

const canHoldAtOnce = (a: Condition, b: Condition): boolean =>
  !EITHER.some((pair) => pair.includes(a) && pair.includes(b));

const PAIRS = ORDER.flatMap((first, at) =>
  ORDER.slice(at + 1)
    .filter((second) => canHoldAtOnce(first, second))
    .map((second) => [first, second] as const),
);

describe("one refusal", () => {
  it("admits when none holds", async () => {
    expect(await refusalUnder([])).toBe("admitted");
  });

  it.each(ORDER)("is %s when that alone holds", async (condition) => {
    expect(await refusalUnder([condition])).toBe(condition);
  });
});

describe("of two refusals", () => {
  it.each(PAIRS)("%s is given before %s", async (first, second) => {
    expect(await refusalUnder([second, first])).toBe(first);
  });
});

describe("of all refusals", () => {
  it("what lasts longest is given first, one after the other", async () => {
    const one = ORDER.filter((c) => c !== "idempotency_in_progress" && c !== "quota_exceeded");
    for (let at = 0; at < one.length; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each under fewer conditions
      expect(await refusalUnder(one.slice(at))).toBe(one[at]);
    }
  });
});

describe("other refusals", () => {
  it("come where the contract's order leaves room", async () => {
    const tenant = await aTenant({ models: [] });
    const policy = { name: "none", known: null };
    expect(expectKind(await tenant.admit({ policy }), "invalid_request").errors).toEqual([
      { path: ["policy"], detail: "must name a policy of this tenant" },
    ]);
  });
});
