import { env, evictDurableObject, runInDurableObject } from "cloudflare:test";
import OpenAI from "openai";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  admin,
  ask,
  makeKey,
  makeTenant,
  type Reply,
  type TestTenant,
  WITHOUT_RUNS,
} from "../client.ts";
import { NOW, rows, stopClock } from "../durable-objects/a-tenant.ts";
import { Receivers, ring } from "./receivers.ts";

// Endpoints from the outside: made, changed, delivered to, read back, replayed.

const KIND = "Nice to meet you all here today";
const RUDE = "You are a worthless stupid idiot";
const HOUR = 3_600_000;
const EVENTS = ["moderation.verdict"];
const url = "https://hooks.acme.dev/neurogate";

let receivers: Receivers;
let tenant: TestTenant;

beforeEach(async () => {
  stopClock();
  receivers = new Receivers();
  tenant = await makeTenant(`hooked-${crypto.randomUUID().slice(0, 8)}`);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const add = async (fields: Record<string, unknown> = {}): Promise<Reply["body"]> => {
  const made = await tenant.call("POST", "/v1/webhooks", { url, events: EVENTS, ...fields });
  expect(made.status).toBe(201);
  return made.body;
};

const judge = (text: string): Promise<Reply> => tenant.call("POST", "/v1/verdicts", { text });

const deliveries = async (id: string, query = ""): Promise<Reply["body"][]> =>
  (await tenant.call("GET", `/v1/webhooks/${id}/deliveries${query}`)).body.data;

describe("an endpoint", () => {
  it("shows its secret once, when it is made", async () => {
    const { secret, ...made } = await add({ description: "Ours", decisions: ["block"] });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(made).toEqual({
      id: expect.stringMatching(/^whk_[0-9A-Z]{26}$/),
      object: "webhook",
      url,
      description: "Ours",
      events: EVENTS,
      decisions: ["block"],
      enabled: true,
      disabled_reason: null,
      ordered: false,
      blocked_by: null,
      failing_since: null,
      down: false,
      old_secret_expires_at: null,
      replaying: false,
      created_at: "2036-11-20T14:03:27.412Z",
      updated_at: "2036-11-20T14:03:27.412Z",
    });
    expect((await tenant.call("GET", `/v1/webhooks/${made.id}`)).body).toEqual(made);
    expect((await tenant.call("GET", "/v1/webhooks")).body.data).toEqual([made]);
    const mirror = await admin("GET", `/admin/tenants/${tenant.id}/webhooks`);
    expect(mirror.body.data).toEqual([made]);
  });

  it("is made once for an idempotency key, and its secret is shown once", async () => {
    const headers = { "Idempotency-Key": '"one"' };
    const body = { url, events: EVENTS };
    const first = await tenant.call("POST", "/v1/webhooks", body, headers);
    const again = await tenant.call("POST", "/v1/webhooks", body, headers);
    expect(again.body).toEqual({ ...first.body, secret: null });
    const other = await tenant.call("POST", "/v1/webhooks", { ...body, url: `${url}/2` }, headers);
    expect(other.status).toBe(422);
    expect((await tenant.call("GET", "/v1/webhooks")).body.data).toHaveLength(1);
  });

  it("has its secret rotated once for an idempotency key", async () => {
    const made = await add();
    const path = `/v1/webhooks/${made.id}/rotate`;
    const headers = { "Idempotency-Key": "turn" };
    const rotate = (body: object = {}) => tenant.call("POST", path, body, headers);
    const [first, second] = await Promise.all([rotate(), rotate()]);
    const secrets = [first.body.secret, second.body.secret].filter((secret) => secret !== null);
    expect([first.status, second.status, secrets.length]).toEqual([201, 201, 1]);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect((await rotate()).body).toEqual({ ...first.body, secret: null });
    const kept = await rows(tenant.id, "SELECT secret, old_secret FROM webhooks");
    expect(kept).toEqual([{ secret: secrets[0], old_secret: made.secret }]);
    expect((await rotate({ overlap_s: 1 })).body.kind).toBe("idempotency_key_reused");
    expect((await tenant.call("POST", path, {})).body.secret).not.toBeNull();
    await tenant.call("DELETE", `/v1/webhooks/${made.id}`);
    const gone = await rotate();
    expect([gone.status, gone.body.subject]).toEqual([409, made.id]);
  });

  it("is one of twenty at most", async () => {
    for (let n = 0; n < 20; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await add();
    }
    const more = await tenant.call("POST", "/v1/webhooks", { url, events: EVENTS });
    expect([more.status, more.body.kind]).toEqual([400, "over_limit"]);
    const [first] = (await tenant.call("GET", "/v1/webhooks")).body.data;
    expect((await tenant.call("DELETE", `/v1/webhooks/${first.id}`)).status).toBe(204);
    await add();
  });

  it.each([
    ["http://hooks.acme.dev/", "must start with https:"],
    ["https://127.0.0.1/", "must name a host, not an IP address"],
    ["https://[::1]/", "must name a host, not an IP address"],
    ["https://0x7f.1/", "must name a host, not an IP address"],
    ["https://localhost/", "must name a public host"],
    ["https://hooks.internal/", "must name a public host"],
    ["https://user:word@hooks.acme.dev/", "must not contain a user name or a password"],
    ["https://hooks.acme.dev:8443/", "must not name a port other than 443"],
    ["ftp://hooks.acme.dev/", "must start with https:"],
  ])("is not at %s", async (bad, detail) => {
    const made = await tenant.call("POST", "/v1/webhooks", { url: bad, events: EVENTS });
    expect(made.status).toBe(400);
    expect(made.body.errors).toEqual([{ pointer: "#/url", detail }]);
    const { id } = await add();
    const changed = await tenant.call("PATCH", `/v1/webhooks/${id}`, { url: bad });
    expect(changed.status).toBe(400);
  });

  it.each([
    { events: [] },
    { events: ["webhook.test"] },
    { events: ["account.closed"] },
    { decisions: [] },
    { secret: "whsec_mine" },
    { description: "x".repeat(1001) },
  ])("is not made with %o", async (fields) => {
    const made = await tenant.call("POST", "/v1/webhooks", { url, events: EVENTS, ...fields });
    expect(made.status).toBe(400);
  });

  it("is changed field by field", async () => {
    const { id } = await add({ description: "Ours" });
    vi.setSystemTime(NOW + HOUR);
    const changed = await tenant.call("PATCH", `/v1/webhooks/${id}`, {
      events: ["quota.exceeded"],
      enabled: false,
    });
    expect(changed.body).toMatchObject({
      url,
      description: "Ours",
      events: ["quota.exceeded"],
      enabled: false,
      disabled_reason: "request",
      updated_at: "2036-11-20T15:03:27.412Z",
    });
    const cleared = await tenant.call("PATCH", `/v1/webhooks/${id}`, { description: null });
    expect(cleared.body).toMatchObject({ description: null, enabled: false });
  });

  it.each([
    ["GET", ""],
    ["PATCH", ""],
    ["DELETE", ""],
    ["POST", "/rotate"],
    ["POST", "/test"],
    ["GET", "/deliveries"],
    ["POST", "/replay"],
  ])("that is not there is 404: %s %s", async (method, path) => {
    const body = {
      ...(path === "/replay" && { from: "2036-11-20T00:00:00Z", only: "all" }),
    };
    const asked = await tenant.call(
      method,
      `/v1/webhooks/whk_none${path}`,
      method === "GET" || method === "DELETE" || path === "/test" ? undefined : body,
    );
    expect([asked.status, asked.body.kind]).toEqual([404, "not_found"]);
  });
});

describe("a delivery", () => {
  it("is the verdict as its GET returns it, and every library believes it", async () => {
    const { id, secret } = await add();
    const verdict = await judge(RUDE);
    await ring(tenant.id);
    const [received, ...more] = receivers.received;
    if (received === undefined) throw new Error("nothing was delivered");
    expect(more).toEqual([]);
    expect(received.url).toBe(url);
    expect(received.redirect).toBe("manual");
    expect(received.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "neurogate",
    });
    const body = JSON.parse(received.body);
    // As a key reads it that only calls: reviewers read more.
    const key = await makeKey(tenant.id, "call");
    const read = await ask("GET", `/v1/verdicts/${verdict.body.id}`, { key });
    expect(body).toEqual({
      id: received.headers["webhook-id"],
      type: "moderation.verdict",
      timestamp: "2036-11-20T14:03:27.412Z",
      data: read.body,
    });
    const { body: text, headers } = received;
    expect(new StandardWebhook(secret).verify(text, headers)).toEqual(body);
    expect(new SvixWebhook(secret).verify(text, headers)).toEqual(body);
    const client = new OpenAI({ apiKey: "none" });
    expect(await client.webhooks.unwrap(text, headers, secret)).toEqual(body);

    const [delivery] = await deliveries(id);
    expect(delivery).toEqual({
      id: expect.stringMatching(/^dlv_[0-9A-Z]{26}$/),
      object: "delivery",
      webhook_id: id,
      event_id: body.id,
      event_type: "moderation.verdict",
      object_id: verdict.body.id,
      state: "delivered",
      attempt_count: 1,
      attempts: [
        { at: "2036-11-20T14:03:27.412Z", status: 204, error: null, latency_ms: 0, reply: null },
      ],
      next_attempt_at: null,
      created_at: "2036-11-20T14:03:27.412Z",
    });
  });

  it("has half an emoji mended, as reply, reading, feed and export have it", async () => {
    const { secret } = await add();
    const half = {
      content_id: "post \ud83d",
      user_id: "\udc4d u",
      metadata: { "k\ud83d": "v\ud83d" },
    };
    const whole = {
      content_id: "post \ufffd",
      user_id: "\ufffd u",
      metadata: { "k\ufffd": "v\ufffd" },
    };
    const { body: reply } = await tenant.call("POST", "/v1/verdicts", { text: KIND, ...half });
    expect(reply).toMatchObject(whole);
    await ring(tenant.id);
    const [received] = receivers.received;
    if (received === undefined) throw new Error("nothing was delivered");
    new StandardWebhook(secret).verify(received.body, received.headers);
    expect(received.body.isWellFormed()).toBe(true);
    expect(JSON.parse(received.body).data).toMatchObject(whole);
    const read = await tenant.call("GET", `/v1/verdicts/${reply.id}`);
    expect(read.body).toMatchObject(whole);
    const [event] = (await tenant.call("GET", "/v1/events")).body.data;
    expect(event.data).toMatchObject(whole);
    const person = encodeURIComponent(whole.user_id);
    const exported = await tenant.call("GET", `/v1/export?user_id=${person}`);
    const lines = String(exported.body)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ object: "verdict", ...whole }));
  });

  it("is of the decisions that were asked for", async () => {
    await add({ decisions: ["block"] });
    await judge(KIND);
    const blocked = await judge(RUDE);
    await ring(tenant.id);
    expect(receivers.received.map(({ body }) => JSON.parse(body).data.id)).toEqual([
      blocked.body.id,
    ]);
  });

  it("is signed by both secrets while they rotate, and then by the new one", async () => {
    const made = await add();
    const rotated = await tenant.call("POST", `/v1/webhooks/${made.id}/rotate`, {
      overlap_s: 3600,
    });
    expect(rotated.status).toBe(201);
    expect(rotated.body.secret).not.toBe(made.secret);
    expect(rotated.body.old_secret_expires_at).toBe("2036-11-20T15:03:27.412Z");
    await judge(KIND);
    await ring(tenant.id);
    vi.setSystemTime(NOW + HOUR);
    await judge(KIND);
    await ring(tenant.id);
    const [during, after] = receivers.received;
    const verify = (secret: string, received: typeof during): unknown =>
      new StandardWebhook(secret).verify(received?.body ?? "", received?.headers ?? {});
    // The receivers' clock is this test's; one of them looks an hour back.
    expect(() => verify(made.secret, after)).toThrow();
    verify(rotated.body.secret, after);
    expect(during?.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
    vi.setSystemTime(NOW);
    verify(made.secret, during);
    verify(rotated.body.secret, during);
  });

  it("that is refused is tried again, and says how it went", async () => {
    const { id } = await add();
    let isUp = false;
    receivers.hosts.set("hooks.acme.dev", () =>
      isUp ? new Response("fine") : new Response("no: it is Monday", { status: 500 }),
    );
    await judge(KIND);
    await ring(tenant.id);
    const [failed] = await deliveries(id, "?state=pending");
    expect(failed.attempts).toEqual([
      {
        at: "2036-11-20T14:03:27.412Z",
        status: 500,
        error: "http_status",
        latency_ms: 0,
        reply: "no: it is Monday",
      },
    ]);
    expect(failed.next_attempt_at).toMatch(/^2036-11-20T14:03:32/);
    const { body: webhook } = await tenant.call("GET", `/v1/webhooks/${id}`);
    expect(webhook.failing_since).toBe("2036-11-20T14:03:27.412Z");
    isUp = true;
    vi.setSystemTime(NOW + 6000);
    await ring(tenant.id);
    const [first, second] = receivers.received;
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(Number(second?.headers["webhook-timestamp"])).toBe(
      Number(first?.headers["webhook-timestamp"]) + 6,
    );
    expect(await deliveries(id, "?state=pending")).toEqual([]);
    expect(await deliveries(id, "?state=delivered")).toHaveLength(1);
  });

  it.each([
    ["redirects", { error: "redirect", status: 302 }],
    ["is private", { error: "private_address", status: null }],
    ["is half private", { error: "private_address", status: null }],
    ["is nowhere", { error: "unknown_host", status: null }],
    ["breaks", { error: "connection_failed", status: null }],
  ])("is not made to an endpoint that %s", async (what, expected) => {
    const host = "odd.acme.dev";
    receivers.hosts.set(host, () => {
      if (what === "breaks") throw new TypeError("reset: 10.0.0.7");
      return new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } });
    });
    if (what === "is private") receivers.addresses.set(host, ["10.0.0.7"]);
    if (what === "is half private") receivers.addresses.set(host, ["93.184.216.34", "fd00::1"]);
    if (what === "is nowhere") receivers.addresses.set(host, []);
    const { id } = await add({ url: `https://${host}/` });
    await judge(KIND);
    await ring(tenant.id);
    const [delivery] = await deliveries(id);
    expect(delivery.attempts).toMatchObject([expected]);
    const isAsked = what === "redirects" || what === "breaks";
    expect(receivers.at(host)).toHaveLength(isAsked ? 1 : 0);
  });
});

describe("a test delivery", () => {
  it("is made at once, and its result is the reply", async () => {
    const { id, secret } = await add({ enabled: false });
    const tried = await tenant.call("POST", `/v1/webhooks/${id}/test`);
    expect(tried.body).toMatchObject({ state: "delivered", attempts: [{ status: 204 }] });
    const [{ body, headers } = { body: "", headers: {} }] = receivers.received;
    const event = new StandardWebhook(secret).verify(body, headers);
    const webhook = (await tenant.call("GET", `/v1/webhooks/${id}`)).body;
    expect(event).toMatchObject({ type: "webhook.test", data: webhook });
    expect(await deliveries(id)).toEqual([tried.body]);
  });

  it("that fails is not tried again, and counts for nothing", async () => {
    const { id } = await add();
    receivers.hosts.set("hooks.acme.dev", () => new Response(null, { status: 410 }));
    const tried = await tenant.call("POST", `/v1/webhooks/${id}/test`);
    expect(tried.body).toMatchObject({
      state: "failed",
      attempts: [{ status: 410, error: "http_status" }],
      next_attempt_at: null,
    });
    const { body } = await tenant.call("GET", `/v1/webhooks/${id}`);
    expect(body).toMatchObject({ enabled: true, failing_since: null });
  });
});

describe("a replay", () => {
  const from = "2036-11-20T14:00:00Z";

  it("of all sends them again under the same ids", async () => {
    const { id } = await add();
    for (const text of [KIND, RUDE, KIND]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await judge(text);
    }
    await ring(tenant.id);
    const ids = receivers.received.map(({ headers }) => headers["webhook-id"]);
    const replay = await tenant.call("POST", `/v1/webhooks/${id}/replay`, { from, only: "all" });
    expect([replay.status, replay.body.replaying]).toEqual([202, true]);
    await ring(tenant.id);
    const again = receivers.received.slice(3).map(({ headers }) => headers["webhook-id"]);
    expect(new Set(again)).toEqual(new Set(ids));
    expect((await tenant.call("GET", `/v1/webhooks/${id}`)).body.replaying).toBe(false);
    const [delivery] = await deliveries(id);
    expect(delivery.attempts).toHaveLength(2);
  });

  it("of what failed brings what came while it was disabled, and nothing twice", async () => {
    const { id } = await add();
    await judge(KIND);
    await ring(tenant.id);
    await tenant.call("PATCH", `/v1/webhooks/${id}`, { enabled: false });
    const missed = await judge(RUDE);
    await tenant.call("PATCH", `/v1/webhooks/${id}`, { enabled: true });
    await ring(tenant.id);
    expect(receivers.received).toHaveLength(1);
    await tenant.call("POST", `/v1/webhooks/${id}/replay`, { from, to: null, only: "failed" });
    await ring(tenant.id);
    expect(receivers.received.slice(1).map(({ body }) => JSON.parse(body).data.id)).toEqual([
      missed.body.id,
    ]);
  });

  it("of a range ends where it ends", async () => {
    const { id } = await add();
    await judge(KIND);
    vi.setSystemTime(NOW + HOUR);
    await judge(KIND);
    await ring(tenant.id);
    const to = new Date(NOW + HOUR).toISOString();
    await tenant.call("POST", `/v1/webhooks/${id}/replay`, { from, to, only: "all" });
    await ring(tenant.id);
    const sent = receivers.received.map(({ headers }) => headers["webhook-id"]);
    expect(sent).toEqual([sent[0], sent[1], sent[0]]);
  });

  it("of one delivery sends that one", async () => {
    const { id } = await add();
    await judge(KIND);
    await judge(RUDE);
    await ring(tenant.id);
    const [delivery] = await deliveries(id);
    const replay = await tenant.call("POST", `/v1/deliveries/${delivery.id}/replay`);
    expect([replay.status, replay.body.state]).toEqual([202, "pending"]);
    await ring(tenant.id);
    const sent = receivers.received.map(({ headers }) => headers["webhook-id"]);
    expect(sent[2]).toBe(delivery.event_id);
    const missing = await tenant.call("POST", "/v1/deliveries/dlv_none/replay");
    expect(missing.status).toBe(404);
  });
});

const limited = () =>
  new Response("slow down", { status: 429, headers: { "Retry-After": "3600" } });

/** Two messages were told to wait for an hour; the receiver is well again. */
async function waiting() {
  const { id } = await add();
  receivers.hosts.set("hooks.acme.dev", limited);
  await judge(KIND);
  await judge(RUDE);
  await ring(tenant.id);
  vi.setSystemTime(NOW + 6000);
  await ring(tenant.id);
  const before = await deliveries(id, "?state=pending");
  receivers.hosts.delete("hooks.acme.dev");
  receivers.received.length = 0;
  vi.setSystemTime(NOW + 20_000);
  return { id, before };
}

describe("what an owner does about an endpoint", () => {
  it("shows the next attempt when it can be: not before what the endpoint asked for", async () => {
    const { id, before } = await waiting();
    expect(before.map(({ next_attempt_at: at }) => at.slice(0, 16))).toEqual([
      "2036-11-20T15:03",
      "2036-11-20T15:03",
    ]);
    await ring(tenant.id);
    expect(receivers.received).toEqual([]);
    expect(await deliveries(id, "?state=delivered")).toEqual([]);
  });

  it("resumes with a test that is accepted", async () => {
    const { id } = await waiting();
    await tenant.call("POST", `/v1/webhooks/${id}/test`);
    await ring(tenant.id);
    expect(receivers.received).toHaveLength(3);
    expect(await deliveries(id, "?state=pending")).toEqual([]);
  });

  it("does not resume with a test that fails", async () => {
    const { id } = await waiting();
    receivers.hosts.set("hooks.acme.dev", limited);
    await tenant.call("POST", `/v1/webhooks/${id}/test`);
    await ring(tenant.id);
    expect(receivers.received).toHaveLength(1);
  });

  it("resumes with a replay, of one or of a time", async () => {
    for (const kind of ["one", "time"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      tenant = await makeTenant(`resumed-${crypto.randomUUID().slice(0, 8)}`);
      vi.setSystemTime(NOW);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const { id, before } = await waiting();
      const body = { from: "2036-11-20T14:00:00Z", only: "failed" };
      // oxlint-disable-next-line no-await-in-loop -- as above
      const asked = await (kind === "one"
        ? tenant.call("POST", `/v1/deliveries/${before[0].id}/replay`)
        : tenant.call("POST", `/v1/webhooks/${id}/replay`, body));
      expect(asked.status).toBe(202);
      if (kind === "one") expect(asked.body.next_attempt_at).toBe("2036-11-20T14:03:47.412Z");
      // oxlint-disable-next-line no-await-in-loop -- as above
      await ring(tenant.id);
      expect(receivers.received).toHaveLength(2);
    }
  });

  it("cannot replay a delivery of an endpoint that is disabled", async () => {
    const { id, before } = await waiting();
    await tenant.call("PATCH", `/v1/webhooks/${id}`, { enabled: false });
    const asked = await tenant.call("POST", `/v1/deliveries/${before[0].id}/replay`);
    expect([asked.status, asked.body.kind]).toEqual([409, "webhook_disabled"]);
    expect(asked.body.detail).toBe(`The endpoint ${id} is disabled: enable it, then replay.`);
  });

  it.each([
    [{ from: "2036-11-20T14:04:00Z" }, "#/from", "must not be in the future"],
    [{ from: "2036-11-20T14:00:00Z", to: "2036-11-20T14:00:00Z" }, "#/to", "must be after `from`"],
    [{ from: "2036-11-20T14:00:00Z", to: "2036-11-19T14:00:00Z" }, "#/to", "must be after `from`"],
  ])("cannot replay %o", async (range, pointer, detail) => {
    const { id } = await add();
    const asked = await tenant.call("POST", `/v1/webhooks/${id}/replay`, { ...range, only: "all" });
    expect([asked.status, asked.body.errors]).toEqual([400, [{ pointer, detail }]]);
  });

  it("asks for events in order, and sees what is in the way", async () => {
    const { id } = await add({ ordered: true });
    receivers.hosts.set("hooks.acme.dev", () => new Response(null, { status: 422 }));
    const first = await judge(KIND);
    await judge(RUDE);
    await ring(tenant.id);
    expect(receivers.received).toHaveLength(1);
    const [blocking, ...more] = await deliveries(id, "?state=pending");
    expect(more).toEqual([]);
    expect(blocking.object_id).toBe(first.body.id);
    const { body } = await tenant.call("GET", `/v1/webhooks/${id}`);
    expect(body).toMatchObject({ ordered: true, blocked_by: blocking.id });
    const changed = await tenant.call("PATCH", `/v1/webhooks/${id}`, { ordered: false });
    expect(changed.body).toMatchObject({ ordered: false, blocked_by: null });
  });
});

describe("a reply", () => {
  it("is read to its first kilobyte, and shown to the tenant alone", async () => {
    const { id } = await add();
    const said = `${"é".repeat(511)}x${"y".repeat(5000)}`;
    receivers.hosts.set("hooks.acme.dev", () => new Response(said, { status: 400 }));
    await judge(KIND);
    await ring(tenant.id);
    const [delivery] = await deliveries(id);
    expect(delivery.attempts).toMatchObject([{ status: 400, reply: `${"é".repeat(511)}xy` }]);
    const mirror = await admin("GET", `/admin/tenants/${tenant.id}/webhooks/${id}/deliveries`);
    expect(mirror.body.data[0].attempts).toMatchObject([{ status: 400, reply: null }]);
  });
});

describe("an event", () => {
  it("is read by its id", async () => {
    await add();
    const verdict = await judge(KIND);
    const [event] = (await tenant.call("GET", "/v1/events")).body.data;
    const read = await tenant.call("GET", `/v1/events/${event.id}`);
    expect(read.body).toEqual(event);
    expect(read.body.data).toEqual(verdict.body);
    expect((await tenant.call("GET", "/v1/events/evt_none")).status).toBe(404);
  });

  it("of a batch has its own name, and the old one where that was subscribed to", async () => {
    const { id, events } = await add({ events: ["batch.completed"] });
    expect(events).toEqual(["verdict_batch.completed"]);
    const old = await add({ events: ["verdict_batch.completed"] });
    await runInDurableObject(env.TENANT.getByName(tenant.id), (_, { storage }) => {
      const stored = '["batch.completed"]';
      storage.sql.exec("UPDATE webhooks SET events = ? WHERE id = ?", stored, old.id);
    });
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const kept = { events: ["batch.completed", "moderation.verdict"] };
    const changed = await tenant.call("PATCH", `/v1/webhooks/${old.id}`, kept);
    expect(changed.body.events).toEqual(kept.events);
    const made = await ask("POST", "/v1/verdicts/batches", {
      key: tenant.key,
      body: { items: [{ text: KIND }] },
      env: WITHOUT_RUNS,
    });
    await tenant.call("POST", `/v1/verdicts/batches/${made.body.id}/cancel`);
    const { body } = await tenant.call("GET", "/v1/events?types=batch.completed");
    expect(body.data.map(({ type }: { type: string }) => type)).toEqual([
      "verdict_batch.completed",
    ]);
    await ring(tenant.id);
    const [at] = await deliveries(id);
    expect(at.event_type).toBe("verdict_batch.completed");
    const types = receivers.received.map(({ body: text }) => JSON.parse(text).type);
    expect(new Set(types)).toEqual(new Set(["batch.completed", "verdict_batch.completed"]));
    expect(types).toHaveLength(2);
  });
});

describe("the feed", () => {
  it("has every event in order, page by page, from a cursor on", async () => {
    await add({ events: ["moderation.verdict", "quota.threshold"], enabled: false });
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      made.push((await judge(KIND)).body.id);
    }
    const seen: string[] = [];
    let cursor = "";
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- page after page
      const { body } = await tenant.call("GET", `/v1/events?limit=2${cursor}`);
      seen.push(...body.data.map(({ data }: { data: { id: string } }) => data.id));
      if (!body.has_more) {
        cursor = `&cursor=${body.data.at(-1).id}`;
        break;
      }
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(seen).toEqual(made);
    expect((await tenant.call("GET", `/v1/events?limit=2${cursor}`)).body.data).toEqual([]);
    const later = await judge(RUDE);
    const { body } = await tenant.call("GET", `/v1/events?limit=2${cursor}`);
    expect(body.data).toMatchObject([{ type: "moderation.verdict", data: later.body }]);
  });

  it("is of the types that were asked for", async () => {
    const { id } = await add();
    await judge(KIND);
    await tenant.call("POST", `/v1/webhooks/${id}/test`);
    const types = async (query: string): Promise<string[]> =>
      (await tenant.call("GET", `/v1/events${query}`)).body.data.map(
        ({ type }: { type: string }) => type,
      );
    expect(await types("")).toEqual(["moderation.verdict", "webhook.test"]);
    expect(await types("?types=webhook.test,quota.exceeded")).toEqual(["webhook.test"]);
    expect(await types("?types=quota.exceeded")).toEqual([]);
    expect((await tenant.call("GET", "/v1/events?types=verdicts")).status).toBe(400);
  });

  it("has nothing that nobody subscribed to", async () => {
    await judge(KIND);
    await add({ events: ["quota.exceeded"] });
    await judge(KIND);
    expect((await tenant.call("GET", "/v1/events")).body.data).toEqual([]);
  });
});
