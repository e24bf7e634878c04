import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { admin, ask, makeTenant, type TestTenant, WORKERS_AI } from "../client.ts";
import { Receivers } from "./receivers.ts";
import { scripted, unique } from "./scripted.ts";

// Equal contents, answered with the verdict that there is.

const TTL_S = 600;

let made = 0;
let tenant: TestTenant;
beforeEach(async () => {
  made += 1;
  tenant = await makeTenant(`reuse-${made}`);
  await tenant.call("PUT", "/v1/policies/default", { reuse_ttl_s: TTL_S });
});

const judge = (body: object, other: Readonly<Record<string, unknown>> = WORKERS_AI) =>
  ask("POST", "/v1/verdicts", { key: tenant.key, body, env: other });

const judged = async (body: object) => {
  const reply = await judge(body);
  expect(reply.status).toBe(200);
  return reply.body;
};

const read = async (id: string) => (await tenant.call("GET", `/v1/verdicts/${id}`)).body;

const lineOf = async (id: string) => {
  const { body } = await tenant.call("GET", "/v1/ledger");
  return body.data.find((line: { verdict_id: string }) => line.verdict_id === id);
};

const expectSound = async () => {
  expect((await tenant.call("GET", "/v1/invariants")).body.holds).toBe(true);
};

const review = (id: string, body: object) => tenant.call("POST", `/v1/verdicts/${id}/review`, body);

const INSULT = "judge=score:toxicity=75";
const FLAGGED = "judge=score:hate=60";

describe("an equal content", () => {
  it("is answered with the scores that there are, by a verdict of its own at no cost", async () => {
    const content = scripted(INSULT);
    const first = await judged({ text: content.text, user_id: "ann", content_id: "post_1" });
    const asked = (await content.asked()).length;
    expect(first).toMatchObject({ reused_from: null, decision: "block", partial: false });
    expect(first.micro_neurons).toBeGreaterThan(0);

    const reply = await judge({ text: content.text, user_id: "bob", content_id: "post_2" });
    const second = reply.body;
    expect(second).toMatchObject({
      reused_from: first.id,
      micro_neurons: 0,
      user_id: "bob",
      content_id: "post_2",
    });
    for (const field of ["decision", "approved", "actions", "reasons", "scores", "coverage"]) {
      expect(second[field]).toEqual(first[field]);
    }
    expect(second.id).not.toBe(first.id);
    expect(JSON.stringify(second)).not.toContain("ann");
    expect(JSON.stringify(second)).not.toContain("post_1");
    expect(second.stages.every((s: { micro_neurons: number }) => s.micro_neurons === 0)).toBe(true);
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe("0");
    expect((await content.asked()).length).toBe(asked);
    expect(await read(second.id)).toEqual(second);
    const line = await lineOf(second.id);
    expect(line).toMatchObject({ held_micro_neurons: 0, micro_neurons: 0, user_id: "bob" });
    await expectSound();
  });

  it("counts in the rate as any, is told as any, and names the first for ever", async () => {
    // Nothing that is told leaves this machine.
    const receivers = new Receivers();
    const endpoint = { url: "https://hooks.acme.dev/x", events: ["moderation.verdict"] };
    await tenant.call("POST", "/v1/webhooks", endpoint);
    const { text } = scripted(INSULT);
    const remaining = async () => {
      const { body } = await tenant.call("GET", "/v1/limits");
      return body.rates.find(({ name }: { name: string }) => name === "requests").remaining;
    };
    const first = await judged({ text });
    const before = await remaining();
    const second = await judged({ text });
    expect(await remaining()).toBe(before - 1);
    const third = await judged({ text });
    expect([second.reused_from, third.reused_from]).toEqual([first.id, first.id]);
    const events = (await tenant.call("GET", "/v1/events?types=moderation.verdict")).body.data;
    const told = events.map(({ data }: { data: { id: string } }) => data.id);
    expect(told).toEqual([first.id, second.id, third.id]);
    expect(events[1].data).toEqual(second);
    expect(receivers.received.length).toBeLessThanOrEqual(3);
  });

  it("is given again under its idempotency key, at no cost and no rate", async () => {
    const { text } = scripted(INSULT);
    const first = await judged({ text });
    const key = { "Idempotency-Key": '"again"' };
    const ours = () => tenant.onWorkersAi("POST", "/v1/verdicts", { text }, key);
    const once = await ours();
    expect(once.body.reused_from).toBe(first.id);
    const again = await ours();
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.body).toEqual(once.body);
    await expectSound();
  });

  it("is answered also when nothing that costs is admitted any more", async () => {
    const { text } = scripted(INSULT);
    const first = await judged({ text });
    // One micro-neuron is left.
    const daily_neurons = (first.micro_neurons + 1) / 1e6;
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { daily_neurons });
    expect((await judge({ text: scripted("ok").text })).status).not.toBe(200);
    expect((await judged({ text })).reused_from).toBe(first.id);
    await expectSound();
  });

  it("is kept for people to see, where contents are", async () => {
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { content_retention_days: 1 });
    const { text } = scripted(INSULT);
    const first = await judged({ text, user_id: "ann" });
    const second = await judged({ text, user_id: "bob" });
    expect(second.reused_from).toBe(first.id);
    const content = await tenant.call("GET", `/v1/verdicts/${second.id}/content`);
    expect(content.body.text).toBe(text);
  });

  it("is judged anew once the time is over", async () => {
    const content = scripted(INSULT);
    const first = await judged({ text: content.text });
    vi.setSystemTime(Date.parse(first.created_at) + TTL_S * 1000 - 1);
    expect((await judged({ text: content.text })).reused_from).toBe(first.id);
    vi.setSystemTime(Date.parse(first.created_at) + TTL_S * 1000);
    const later = await judged({ text: content.text });
    expect(later.reused_from).toBeNull();
    // It answers from then on: what was reused prolongs nothing.
    expect((await judged({ text: content.text })).reused_from).toBe(later.id);
  });

  it("is found over midnight", async () => {
    const midnight = (Math.floor(Date.now() / 86_400_000) + 1) * 86_400_000;
    vi.setSystemTime(midnight - 1000);
    const { text } = scripted(INSULT);
    const first = await judged({ text });
    vi.setSystemTime(midnight + 1000);
    expect((await judged({ text })).reused_from).toBe(first.id);
  });

  it("is one of some strings in a call, of which the others are asked", async () => {
    const [known, other] = [scripted(INSULT), scripted("ok")];
    const first = await judged({ text: known.text });
    const asked = (await known.asked()).length;
    const input = [other.text, known.text];
    const { body } = await tenant.onWorkersAi("POST", "/v1/moderations", { input });
    const [one, two] = body.results;
    expect(one).toMatchObject({ flagged: false, neurogate: { reused_from: null } });
    expect(two).toMatchObject({ flagged: true, neurogate: { reused_from: first.id } });
    expect(body.neurogate.micro_neurons).toBeGreaterThan(0);
    expect((await known.asked()).length).toBe(asked);
    expect((await other.asked()).length).toBeGreaterThan(0);
    // The one of some strings answers as well.
    expect((await judged({ text: other.text })).reused_from).toBe(one.neurogate.verdict_id);
    await expectSound();
  });

  it("is one with the same pictures in the same order", async () => {
    const [one, two] = [picture(), picture()];
    const images = [{ base64: one }, { base64: two }];
    await tenant.onWorkersAi("PUT", "/v1/policies/default", { reuse_ttl_s: TTL_S });
    const first = await judged({ images });
    expect(first).toMatchObject({ partial: false, coverage: { nsfw: "evaluated" } });
    expect((await judged({ images })).reused_from).toBe(first.id);
    expect((await judged({ images: images.toReversed() })).reused_from).toBeNull();
    expect((await judged({ images: [{ base64: one }] })).reused_from).toBeNull();
    expect((await judged({ text: "Good morning to all of you", images })).reused_from).toBeNull();
  });
});

/** A PNG of one pixel; what stands behind its end makes it another file. */
const picture = (): string => btoa(atob(PIXEL) + unique());

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("another content or another judge", () => {
  it.each([
    ["a blank more", (text: string) => ({ text: `${text} ` })],
    ["another case", (text: string) => ({ text: text.replace("Our", "our") })],
    ["a word for its language", (text: string) => ({ text, language: "en" })],
  ])("is judged: %s", async (_, other) => {
    const { text } = scripted(INSULT);
    await judged({ text });
    expect((await judged(other(text))).reused_from).toBeNull();
  });

  it("is judged under another policy, and under a new version", async () => {
    const { text } = scripted(INSULT);
    await tenant.call("PUT", "/v1/policies/house", {});
    const house = await tenant.call("PUT", "/v1/policies/house", { reuse_ttl_s: TTL_S });
    expect(house.body.version).toBe(2);
    const first = await judged({ text });
    expect((await judged({ text, policy: "house" })).reused_from).toBeNull();
    await tenant.call("PATCH", "/v1/policies/default", { on_unavailable: "block" });
    const second = await judged({ text });
    expect(second).toMatchObject({ reused_from: null, policy: { version: 3 } });
    expect(first.policy.version).toBe(2);
    await tenant.call("PATCH", "/v1/policies/default", { reuse_ttl_s: 0 });
    await judged({ text });
    expect((await judged({ text })).reused_from).toBeNull();
  });

  it("is judged by what the operator has set since", async () => {
    const { text } = scripted(INSULT);
    const first = await judged({ text });
    const others = { ...WORKERS_AI, JUDGE_LANGUAGES: "en,de" };
    expect((await judge({ text }, others)).body.reused_from).toBeNull();
    const quiet = { ...WORKERS_AI, LOG_LEVEL: "error" };
    const { body } = await judge({ text }, quiet);
    expect([first.id, null]).toContain(body.reused_from);
    expect(body.reused_from).toBe(first.id);
  });

  it("is nobody else's", async () => {
    const { text } = scripted(INSULT);
    await judged({ text });
    tenant = await makeTenant(`reuse-other-${made}`);
    await tenant.call("PUT", "/v1/policies/default", { reuse_ttl_s: TTL_S });
    expect((await judged({ text })).reused_from).toBeNull();
  });

  it("is not found where no policy asks for it", async () => {
    await tenant.call("PUT", "/v1/policies/house", {});
    const { text } = scripted(INSULT);
    await judged({ text, policy: "house" });
    expect((await judged({ text, policy: "house" })).reused_from).toBeNull();
    const rows = await reusable();
    expect(rows).toEqual([]);
  });
});

const reusable = () =>
  runInDurableObject(env.TENANT.getByName(tenant.id), (_, { storage }) =>
    hasTable(storage) ? storage.sql.exec("SELECT * FROM reusable_verdicts").toArray() : [],
  );

/** It comes with the first verdict that may be reused. */
const hasTable = ({ sql }: DurableObjectStorage): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'reusable_verdicts'").toArray().length > 0;

describe("never reused is", () => {
  it.each([
    ["what failed", "judge=malformed"],
    ["what the account refused", "judge=3040"],
    ["another check that failed", "sentiment=500"],
  ])("%s", async (_, behaviour) => {
    const { text } = scripted(behaviour);
    const first = await judged({ text });
    expect(first.stages.some(({ status }: { status: string }) => status === "failed")).toBe(true);
    expect((await judged({ text })).reused_from).toBeNull();
    expect(await reusable()).toEqual([]);
  });

  it("what was judged in part", async () => {
    const { text } = scripted(INSULT);
    const partly = { ...WORKERS_AI, JUDGE_LANGUAGES: "de" };
    const first = (await judge({ text, language: "en" }, partly)).body;
    expect(first.partial).toBe(true);
    expect((await judge({ text, language: "en" }, partly)).body.reused_from).toBeNull();
  });

  it("a test input", async () => {
    const text = "neurogate:test:block";
    await judged({ text });
    expect(await judged({ text })).toMatchObject({ reused_from: null, test: true });
  });

  it("what cost nothing", async () => {
    await tenant.call("PUT", "/v1/policies/default", { preset: "free", reuse_ttl_s: TTL_S });
    const { text } = scripted("ok");
    expect((await judged({ text })).micro_neurons).toBe(0);
    expect((await judged({ text })).reused_from).toBeNull();
    expect(await reusable()).toEqual([]);
  });

  it("a guard's verdict, which is stored nowhere", async () => {
    const content = scripted("ok");
    await judged({ text: content.text });
    const before = (await content.asked()).length;
    const guarded = await tenant.onWorkersAi("POST", "/v1/chat/completions", {
      model: "@cf/meta/llama-3.1-8b-instruct-fp8",
      messages: [{ role: "user", content: content.text }],
      max_tokens: 16,
      moderation: { model: "omni-moderation-latest" },
    });
    expect(guarded.status).toBe(200);
    expect((await content.asked()).length).toBeGreaterThan(before + 1);
    expect(await reusable()).toHaveLength(1);
  });
});

describe("a person's word", () => {
  it("stops the reuse of what it decides otherwise, for a day at least", async () => {
    const { text } = scripted(FLAGGED);
    const first = await judged({ text });
    expect(first).toMatchObject({ decision: "flag", review: { state: "open" } });
    const second = await judged({ text });
    expect(second).toMatchObject({ reused_from: first.id, review: { state: "open" } });
    const done = { state: "done", decision: "block", revision: 1 };
    expect((await review(first.id, done)).status).toBe(200);
    expect((await judged({ text })).reused_from).toBeNull();
    // Nor is what was judged since.
    expect((await judged({ text })).reused_from).toBeNull();
    vi.setSystemTime(Date.now() + 86_400_000);
    await judged({ text });
    expect((await judged({ text })).reused_from).toBeNull();
    vi.setSystemTime(Date.now() + 86_400_000);
    const later = await judged({ text });
    expect((await judged({ text })).reused_from).toBe(later.id);
  });

  it("counts as well where it is said of a verdict that was reused", async () => {
    const { text } = scripted(FLAGGED);
    await judged({ text });
    const second = await judged({ text });
    await review(second.id, { state: "done", decision: "allow", revision: 1 });
    expect((await judged({ text })).reused_from).toBeNull();
  });

  it("leaves a verdict that a person decided alike, and asks anew once", async () => {
    const { text } = scripted(FLAGGED);
    const first = await judged({ text });
    await review(first.id, { state: "done", decision: "flag", revision: 1 });
    const second = await judged({ text });
    expect(second.reused_from).toBeNull();
    expect((await judged({ text })).reused_from).toBe(second.id);
  });

  it.each(["report", "appeal"])("stops it by a %s, too", async (origin) => {
    const { text } = scripted("ok");
    const first = await judged({ text });
    expect((await review(first.id, { state: "open", origin })).status).toBe(200);
    expect((await judged({ text })).reused_from).toBeNull();
  });

  it.each(["report", "appeal"])(
    "stops it by a %s of one that was answered with it",
    async (origin) => {
      const { text } = scripted("ok");
      const first = await judged({ text });
      const second = await judged({ text });
      expect(second.reused_from).toBe(first.id);
      expect((await review(second.id, { state: "open", origin })).status).toBe(200);
      expect((await judged({ text })).reused_from).toBeNull();
      expect((await judged({ text })).reused_from).toBeNull();
    },
  );

  it("is not waited for: an open review says what the verdict says", async () => {
    const { text } = scripted(FLAGGED);
    const first = await judged({ text });
    await review(first.id, { state: "claimed" });
    const second = await judged({ text });
    expect(second).toMatchObject({
      reused_from: first.id,
      review: { state: "open", key_id: null },
    });
  });
});

describe("persons", () => {
  it("are banned for their own blocks alone", async () => {
    const ban_after = { blocks: 2, days: 7 };
    await tenant.call("PUT", "/v1/policies/default", { reuse_ttl_s: TTL_S, ban_after });
    const { text } = scripted("judge=score:toxicity=95");
    const actions = async (user_id: string) => (await judged({ text, user_id })).actions;
    expect(await actions("ann")).toEqual(["hide_content", "warn_user"]);
    expect(await actions("bob")).toEqual(["hide_content", "warn_user"]);
    expect(await actions("bob")).toEqual(["hide_content", "ban_user"]);
    expect(await actions("cleo")).toEqual(["hide_content", "warn_user"]);
    expect(await actions("ann")).toEqual(["hide_content", "ban_user"]);
  });

  it("are not reused from once they are erased", async () => {
    const { text } = scripted(INSULT);
    await judged({ text, user_id: "ann" });
    expect(await reusable()).toHaveLength(1);
    await tenant.call("POST", "/v1/erasures", { user_id: "ann" });
    await runInDurableObject(env.TENANT.getByName(tenant.id), (instance) =>
      (instance as unknown as { alarm(): Promise<void> }).alarm(),
    );
    expect(await reusable()).toEqual([]);
    expect((await judged({ text, user_id: "bob" })).reused_from).toBeNull();
  });
});

describe("reuse_ttl_s", () => {
  it("is 0 until it is set, and goes back as it came", async () => {
    const fresh = await makeTenant(`reuse-fresh-${made}`);
    expect((await fresh.call("GET", "/v1/policies/default")).body.reuse_ttl_s).toBe(0);
    const { body } = await tenant.call("GET", "/v1/policies/default");
    expect(body).toMatchObject({ reuse_ttl_s: TTL_S, version: 2 });
    expect((await tenant.call("PUT", "/v1/policies/default", body)).body.reuse_ttl_s).toBe(TTL_S);
    const patched = await tenant.call("PATCH", "/v1/policies/default", { evaluate_all: true });
    expect(patched.body.reuse_ttl_s).toBe(TTL_S);
  });

  it.each([-1, 86_401, 1.5, "60", null])("refuses %j", async (reuse_ttl_s) => {
    const reply = await tenant.call("PUT", "/v1/policies/default", { reuse_ttl_s });
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0].pointer).toBe("#/reuse_ttl_s");
  });
});
