import { beforeAll, describe, expect, it } from "vitest";
import { CATEGORIES } from "../../src/domain/moderation/category.ts";
import { makePng } from "../engines/embedded/sample-pictures.ts";
import { admin, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { scripted } from "./scripted.ts";

// The keys of the contract's examples, exactly, with what we document beside them. That each value
// is of its declared type is held by test/client.ts for every reply.

const keys = (value: object): string[] => Object.keys(value).toSorted();
const sorted = (text: string): string[] => text.trim().split(/\s+/).toSorted();

const VERDICT =
  sorted(`id object content_id user_id metadata language decision approved partial decided_by decided_by_tier0
  revision actions reasons scores coverage stages micro_neurons neurons policy review batch_id test reused_from
  created_at`);
const REASON = sorted("kind category input score threshold message");
const STAGE = sorted(`name input model engine status scores latency_ms micro_neurons basis failure
  priced_as measurements instructions sampled`);
const REVIEW = sorted("state origin priority key_id claim_expires_at note sampled");
const LINE = sorted(`id object day admitted_at settled_at outcome route request_id key_id user_id
  context verdict_id held_micro_neurons micro_neurons quota_micro_neurons granted_micro_neurons grants
  overage_micro_neurons overrun_micro_neurons overage_usd_per_1000_neurons items price_book
  adjusts reason`);
const ITEM = sorted("stage model engine priced_as units micro_neurons basis input task latency_ms");
const QUOTA_PROBLEM = sorted(`type title status detail instance kind request_id violated-policies
  resets_at limit_micro_neurons posted_micro_neurons pending_micro_neurons
  available_micro_neurons required_micro_neurons`);
const RATE_PROBLEM = sorted(`type title status detail instance kind request_id violated-policies
  resets_at limit remaining window_s`);
const USAGE = sorted(`object tenant from to group_by as_of data totals has_more next_cursor
  month is_behind`);
const USAGE_ROW = sorted(`day model task engine_requests failed units micro_neurons neurons
  estimated_micro_neurons held_micro_neurons cost_usd engine priced_as hour tenant user_id key_id calls
  success_rate input_tokens output_tokens charge_usd refused verdicts latency`);
const TOTALS = sorted(`calls refused micro_neurons neurons quota_micro_neurons
  granted_micro_neurons overage_micro_neurons cost_usd charge_usd success_rate input_tokens
  output_tokens adjusted_micro_neurons estimated_micro_neurons held_micro_neurons
  overrun_micro_neurons verdicts latency`);
const TENANT =
  sorted(`id object plan daily_neurons reserved_neurons overage_cap_neurons monthly_cap_neurons
  overage_usd_per_1000_neurons rpm max_in_flight models aliases fallbacks cache_ttl_s
  daily_images_per_user anonymous_images content_retention_days perspective_fallback suggestion_retention_days verdict_retention_days event_retention_days
  response_retention_s
  default_max_tokens compact_prompts
  cache_max_temperature suspended created_at updated_at version`);
const LIMITS = sorted(`object tenant plan day resets_at limit_micro_neurons posted_micro_neurons
  pending_micro_neurons available_micro_neurons grants overage rates in_flight month
  account_closed`);
const KEY = sorted("id object name role prefix created_at expires_at last_used_on");
const REFUSAL = sorted(`object minute kind policy count limit_micro_neurons posted_micro_neurons
  pending_micro_neurons largest_required_micro_neurons key_ids first_request_id
  settings_version`);
const LIST = sorted("object data has_more next_cursor");

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const id = (prefix: string): RegExp => new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`);

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("shapes");
});

describe("example 1: a verdict of text and picture", () => {
  it("has the example's fields, headers and sums", async () => {
    const own = await makeTenant("shapes-1");
    const models = { vision: "@cf/google/gemma-4-26b-a4b-it" };
    await own.call("PUT", "/v1/policies/default", { models });
    const row = Array.from({ length: 24 }, () => 90);
    const png = await makePng({ width: 8, height: 1, depth: 8, colour: 2 }, [row]);
    const request = {
      content_id: "post_8841",
      user_id: "u_1207",
      metadata: { thread: "t_55" },
      text: scripted(
        "judge=score:toxicity=82&harassment=79",
        "Buy now, you useless idiot - limited offer!",
      ).text,
      images: [{ base64: png.toBase64() }],
    };
    const idempotency = { "Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"' };
    const reply = await own.onWorkersAi("POST", "/v1/verdicts", request, idempotency);
    const { body, headers } = reply;

    expect(reply.status).toBe(200);
    expect(keys(body)).toEqual(VERDICT);
    expect(body).toMatchObject({
      object: "verdict",
      content_id: "post_8841",
      user_id: "u_1207",
      metadata: { thread: "t_55" },
      language: "en",
      decision: "block",
      approved: false,
      decided_by: "policy",
      revision: 1,
      actions: ["hide_content", "warn_user"],
      policy: { name: "default", version: 2 },
      review: { state: "none", origin: null, key_id: null, claim_expires_at: null, note: null },
      batch_id: null,
    });
    expect(body.id).toMatch(id("vrd"));
    expect(body.created_at).toMatch(TIME);
    for (const reason of body.reasons) expect(keys(reason)).toEqual(REASON);
    for (const stage of body.stages) expect(keys(stage)).toEqual(STAGE);
    expect(keys(body.review)).toEqual(REVIEW);
    expect(keys(body.scores)).toEqual([...CATEGORIES].toSorted());
    expect(keys(body.coverage)).toEqual([...CATEGORIES].toSorted());
    expect(new Set(Object.values(body.coverage))).toEqual(new Set(["evaluated"]));
    expect(body.stages.map(({ name }: { name: string }) => name)).toEqual([
      "sentiment",
      "spam",
      "tier0",
      "judge",
      "labels",
      "vision",
    ]);
    const sum = body.stages.reduce(
      (total: number, stage: { micro_neurons: number }) => total + stage.micro_neurons,
      0,
    );
    expect(body.micro_neurons).toBe(sum);
    expect(body.neurons).toBe(sum / 1e6);
    expect(headers.get("x-request-id")).toMatch(id("req"));
    expect(headers.get("x-neurogate-engine")).toBe("workers-ai");
    expect(headers.get("x-neurogate-micro-neurons")).toBe(String(sum));
    expect(headers.get("x-neurogate-available-micro-neurons")).toBe(String(1e10 - sum));
    expect(headers.get("RateLimit-Policy")).toBe(
      '"requests";q=300;w=60, "text_classification";q=2000;w=60, "text_generation";q=300;w=60, ' +
        '"image_classification";q=3000;w=60, "daily";q=10000;qu="neurons";w=86400',
    );
    expect(headers.get("RateLimit")).toMatch(/^"requests";r=299;t=\d+, .*"daily";r=\d+;t=\d+$/);

    const replay = await own.onWorkersAi("POST", "/v1/verdicts", request, idempotency);
    expect(replay.headers.get("idempotency-replayed")).toBe("true");
    expect(replay.body).toEqual(body);
  });
});

describe("examples 2 and 3: refusals", () => {
  it("has the quota refusal's fields and headers", async () => {
    const poor = await makeTenant("poor", { daily_neurons: 20 });
    await poor.call("POST", "/v1/verdicts", { text: "hello there" });
    const { status, headers, body } = await poor.call("POST", "/v1/verdicts", {
      text: "hello there",
    });
    expect(status).toBe(429);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(keys(body)).toEqual(QUOTA_PROBLEM);
    expect(body).toMatchObject({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Quota exceeded",
      status: 429,
      instance: "/v1/verdicts",
      kind: "quota_exceeded",
      "violated-policies": ["daily"],
      limit_micro_neurons: 20_000_000,
      pending_micro_neurons: 0,
    });
    expect(body.available_micro_neurons).toBe(20_000_000 - body.posted_micro_neurons);
    expect(body.resets_at).toMatch(/T00:00:00\.000Z$/);
    expect(body.request_id).toBe(headers.get("x-request-id"));
    expect(headers.get("x-should-retry")).toBe("false");
    expect(headers.get("RateLimit-Policy")).toBe('"daily";q=20;qu="neurons";w=86400');
    expect(headers.get("RateLimit")).toBe(
      `"daily";r=${Math.floor(body.available_micro_neurons / 1e6)};t=${headers.get("Retry-After")}`,
    );
    // Counted, with the same request.
    const refusals = await poor.call("GET", "/v1/refusals");
    expect(keys(refusals.body)).toEqual(LIST);
    expect(keys(refusals.body.data[0])).toEqual(REFUSAL);
    expect(refusals.body.data[0]).toMatchObject({
      kind: "quota_exceeded",
      policy: "daily",
      count: 1,
      first_request_id: body.request_id,
      largest_required_micro_neurons: body.required_micro_neurons,
    });
  });

  it("has the rate refusal's fields and headers", async () => {
    const slow = await makeTenant("slow", { rpm: { requests: 1 } });
    await slow.call("POST", "/v1/verdicts", { text: "hello there" });
    const { status, headers, body } = await slow.call("POST", "/v1/verdicts", {
      text: "hello there",
    });
    expect(status).toBe(429);
    expect(keys(body)).toEqual(RATE_PROBLEM);
    expect(body).toMatchObject({
      title: "Rate limit reached",
      kind: "rate_limited",
      "violated-policies": ["requests"],
      limit: 1,
      remaining: 0,
      window_s: 60,
    });
    expect(headers.get("x-should-retry")).toBeNull();
    const waitMs = Number(headers.get("retry-after-ms"));
    expect(headers.get("Retry-After")).toBe(String(Math.ceil(waitMs / 1000)));
    expect(headers.get("RateLimit")).toContain(
      `"requests";r=0;t=${headers.get("Retry-After") ?? ""}`,
    );
  });
});

describe("example 4: usage", () => {
  it("has the example's fields, groups, pages and exact sums", async () => {
    const paid = await makeTenant("usage", { plan: "paid", daily_neurons: 5 });
    await paid.call("POST", "/v1/verdicts", { text: "hello there" });
    await paid.call("POST", "/v1/verdicts", { text: "hello there" });
    const { body } = await paid.call("GET", "/v1/usage");
    expect(keys(body)).toEqual(USAGE);
    expect(body).toMatchObject({ tenant: "usage", group_by: ["day", "model"], has_more: false });
    expect(body.data).toHaveLength(2);
    for (const row of body.data) expect(keys(row)).toEqual(USAGE_ROW);
    expect(keys(body.totals)).toEqual(TOTALS);
    expect(keys(body.totals.refused)).toEqual(
      sorted(
        "quota_exceeded overage_cap_exceeded account_quota_exceeded rate_limited concurrency_exceeded",
      ),
    );
    const { totals } = body;
    expect(totals).toMatchObject({ calls: 2, quota_micro_neurons: 5_000_000 });
    expect(totals.quota_micro_neurons + totals.overage_micro_neurons).toBe(totals.micro_neurons);
    expect(Number(totals.cost_usd)).toBeCloseTo(totals.neurons * 0.000011, 12);
    expect(Number(totals.charge_usd)).toBeCloseTo((totals.neurons - 5) * 0.000011, 12);

    const page = await paid.call("GET", "/v1/usage?limit=1");
    expect(page.body).toMatchObject({ has_more: true, next_cursor: "1", totals });
    const rest = await paid.call("GET", "/v1/usage?limit=1&cursor=1");
    expect([...page.body.data, ...rest.body.data]).toEqual(body.data);
    expect(rest.body).toMatchObject({ has_more: false, next_cursor: null });
    const days = await paid.call("GET", "/v1/usage?group_by=day");
    expect(days.body.data).toMatchObject([{ model: null, engine_requests: 4 }]);
    const models = await paid.call("GET", "/v1/usage?group_by=model");
    expect(models.body.data).toMatchObject([{ day: null }, { day: null }]);
    expect((await admin("GET", "/admin/tenants/usage/usage")).body).toEqual({
      ...body,
      as_of: expect.any(String),
      month: expect.objectContaining({ to_date: body.month.to_date }),
    });
  });

  it.each([
    ["group_by=tenant", "group_by"],
    ["group_by=day,day", "group_by"],
    ["group_by=,", "group_by"],
    ["group_by=user,hour", "group_by"],
    ["group_by=hour,key", "group_by"],
    ["group_by=hour&from=2026-10-20&to=2026-11-20", "from"],
    ["format=html", "format"],
    ["from=2026-02-30", "from"],
    ["from=2026-11-20&to=2026-11-01", "from"],
    ["from=2020-01-01", "from"],
    ["cursor=abc", "cursor"],
    ["limit=0", "limit"],
    ["limit=201", "limit"],
    ["page=2", "page"],
  ])("refuses ?%s by name", async (query, name) => {
    const reply = await tenant.call("GET", `/v1/usage?${query}`);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0].pointer).toBe(`#/${name}`);
  });
});

describe("the other objects", () => {
  it("has exactly the contract's fields", async () => {
    const put = await admin("PUT", "/admin/tenants/shapes-2", { plan: "free", daily_neurons: 1.5 });
    expect(put.status).toBe(201);
    expect(keys(put.body)).toEqual([...TENANT, "warnings"].toSorted());
    expect(keys((await tenant.call("GET", "/v1/limits")).body)).toEqual(LIMITS);
    const issued: Reply = await tenant.call("POST", "/v1/keys", { name: "web" });
    expect(keys(issued.body)).toEqual([...KEY, "key", "replaces"].toSorted());
    const listed = await tenant.call("GET", "/v1/keys");
    expect(keys(listed.body)).toEqual(LIST);
    for (const key of listed.body.data) expect(keys(key)).toEqual(KEY);
    await tenant.call("POST", "/v1/verdicts", { text: "hello there" });
    const line = (await tenant.call("GET", "/v1/ledger")).body.data[0];
    expect(keys(line)).toEqual(LINE);
    for (const item of line.items) expect(keys(item)).toEqual(ITEM);
    const policy = await tenant.call("GET", "/v1/policies/default");
    expect(keys(policy.body)).toEqual(
      sorted(
        "object name version categories spam_phrases terms on_unavailable unevaluated language ban_after tier0 sample_allowed sample_decided evaluate_all reuse_ttl_s guard models routing",
      ),
    );
    const invariants = await tenant.call("GET", "/v1/invariants");
    expect(invariants.body).toMatchObject({ object: "invariants", holds: true });
    expect(invariants.body.data.map(({ number }: { number: number }) => number)).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
  });
});
