import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NewWebhook } from "../../durable-objects/outbox/webhooks.ts";
import { newId } from "../../src/http/ids.ts";
import { Receivers } from "../routes/receivers.ts";
import {
  aTenant,
  type ATenant,
  cleanUp,
  DAY_MS,
  expectKind,
  HOUR,
  inTenant,
  NOW,
  pictures,
  PICTURE,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
  withoutReports,
} from "./a-tenant.ts";
import { LEASE_MS } from "../../src/domain/account/lease.ts";
import { until } from "../until.ts";

// What a tenant's object does about webhooks: what it records, when its alarm rings, what is kept.

let receivers: Receivers;
beforeEach(() => {
  stopClock();
  receivers = new Receivers();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const newWebhook = (fields: Partial<NewWebhook> = {}): NewWebhook => ({
  id: newId("whk"),
  secret: `whsec_${btoa("0".repeat(32))}`,
  url: "https://hooks.acme.dev/",
  description: null,
  events: ["moderation.verdict"],
  ordered: false,
  decisions: null,
  enabled: true,
  ...fields,
});

async function subscribe(tenant: ATenant, fields: Partial<NewWebhook> = {}): Promise<string> {
  const webhook = newWebhook(fields);
  const request = { route: "POST /v1/webhooks", webhook, idempotency: null };
  expectKind(await tenant.stub().createWebhook(PLATFORM, request), "webhook");
  return webhook.id;
}

const ring = (tenant: ATenant): Promise<boolean> =>
  runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

const armedFor = (tenant: ATenant): Promise<number | null> =>
  inTenant(tenant.id, ({ storage }) => storage.getAlarm());

const count = async (tenant: ATenant, table: string): Promise<number> =>
  Number((await rows(tenant.id, `SELECT COUNT(*) AS n FROM ${table}`))[0]?.["n"]);

const judge = async (tenant: ATenant): Promise<void> => {
  await tenant.settle(await tenant.hold());
};

const told = (): Record<string, unknown>[] =>
  receivers.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

describe("the alarm", () => {
  it("rings a moment after an event, and not at all for what nobody wants", async () => {
    const tenant = await aTenant();
    await judge(tenant);
    // For the fold, and not sooner.
    expect(await armedFor(tenant)).toBe(NOW + 5 * SECOND);
    expect(await count(tenant, "events")).toBe(0);
    await withoutReports(tenant.id);
    await subscribe(tenant);
    await judge(tenant);
    expect(await armedFor(tenant)).toBe(NOW + 100);
    await judge(tenant);
    expect(await armedFor(tenant)).toBe(NOW + 100);
    await ring(tenant);
    expect(receivers.received).toHaveLength(2);
    vi.setSystemTime(NOW + 5 * SECOND);
    await ring(tenant);
    // What was leased is given back, and that is all.
    expect(await armedFor(tenant)).toBe(NOW + LEASE_MS);
  });

  it("rings for what one step did not give up of an endpoint that was disabled", async () => {
    const tenant = await aTenant();
    const id = await subscribe(tenant, { enabled: false });
    await withoutReports(tenant.id);
    expect(await armedFor(tenant)).toBeNull();
    await rows(
      tenant.id,
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1001)
        INSERT INTO deliveries (webhook_id, id, state, next_try_at_ms, attempts)
        SELECT ?, 'dlv_' || n, 'pending', ?, '[]' FROM numbers`,
      id,
      NOW,
    );
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await tenant.configure({});
    const waiting = () => count(tenant, "deliveries WHERE state = 'pending'");
    // What is left is due since long ago, so the alarm rings at once, by itself; and then soon again.
    await until(async () => (await armedFor(tenant)) === NOW + 1);
    expect(await waiting()).toBe(1);
    await ring(tenant);
    expect(await waiting()).toBe(0);
  });

  it("rings for the next try, also after an eviction", async () => {
    receivers.hosts.set("hooks.acme.dev", () => new Response(null, { status: 500 }));
    const tenant = await aTenant();
    const id = await subscribe(tenant);
    await withoutReports(tenant.id);
    await judge(tenant);
    vi.setSystemTime(NOW + 1);
    await ring(tenant);
    const first = (await armedFor(tenant)) ?? 0;
    expect(first).toBeGreaterThanOrEqual(NOW + 5 * SECOND);
    expect(first).toBeLessThanOrEqual(NOW + 5501);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    vi.setSystemTime(first);
    await ring(tenant);
    expect(receivers.received).toHaveLength(2);
    const [one, two] = receivers.received;
    expect(two?.headers["webhook-id"]).toBe(one?.headers["webhook-id"]);
    const [webhook] = await rows(tenant.id, "SELECT * FROM webhooks WHERE id = ?", id);
    expect(webhook?.["failing_since_ms"]).toBe(NOW + 1);
  });

  it("is set again when a delivery cannot be written down", async () => {
    const tenant = await aTenant();
    await subscribe(tenant);
    await withoutReports(tenant.id);
    await judge(tenant);
    vi.setSystemTime(NOW + 1);
    await rows(
      tenant.id,
      `CREATE TRIGGER broken BEFORE INSERT ON deliveries
        BEGIN SELECT RAISE(ABORT, 'the disk is on fire'); END`,
    );
    const silent = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await ring(tenant);
    expect(await armedFor(tenant)).toBe(NOW + 1 + 30 * SECOND);
    await rows(tenant.id, "DROP TRIGGER broken");
    vi.setSystemTime(NOW + 1 + 30 * SECOND);
    await ring(tenant);
    expect(await count(tenant, "deliveries")).toBe(1);
    expect(silent).toHaveBeenCalled();
  });

  it("takes up what a crash left, also when its own time was lost", async () => {
    const tenant = await aTenant();
    await subscribe(tenant);
    await judge(tenant);
    await inTenant(tenant.id, ({ storage }) => storage.deleteAlarm());
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    vi.setSystemTime(NOW + HOUR);
    const hold = await tenant.hold();
    expect(await armedFor(tenant)).toBe(NOW + HOUR + 100);
    await ring(tenant);
    expect(receivers.received).toHaveLength(1);
    await tenant.settle(hold);
  });

  it("that waits for one endpoint keeps no other waiting", async () => {
    const tenant = await aTenant();
    const { promise: stuck, resolve: release } = Promise.withResolvers<Response>();
    receivers.hosts.set("stuck.acme.dev", () => stuck);
    await subscribe(tenant, { url: "https://stuck.acme.dev/" });
    await subscribe(tenant);
    await judge(tenant);
    const rung = ring(tenant);
    await until(() => receivers.at("hooks.acme.dev").length === 1);
    await judge(tenant);
    await until(() => receivers.at("hooks.acme.dev").length === 2);
    release(new Response(null, { status: 204 }));
    await rung;
    expect(receivers.at("stuck.acme.dev")).toHaveLength(2);
  });

  it("does nothing for a tenant that was closed", async () => {
    const tenant = await aTenant();
    await subscribe(tenant);
    await judge(tenant);
    await tenant.stub().close();
    await ring(tenant);
    expect(receivers.received).toEqual([]);
  });
});

describe("events and deliveries", () => {
  it("are purged after their days, with what is left of endpoints that were deleted", async () => {
    const tenant = await aTenant({ event_retention_days: 2 });
    const id = await subscribe(tenant);
    const other = await subscribe(tenant, { url: "https://other.acme.dev/" });
    await judge(tenant);
    await ring(tenant);
    expect(await count(tenant, "deliveries")).toBe(2);
    await tenant.stub().deleteWebhook(PLATFORM, id);
    await ring(tenant);
    const left = await rows(tenant.id, "SELECT webhook_id FROM deliveries");
    expect(left).toEqual([{ webhook_id: other }]);
    vi.setSystemTime(NOW + 2 * DAY_MS);
    await ring(tenant);
    expect([await count(tenant, "events"), await count(tenant, "deliveries")]).toEqual([1, 1]);
    vi.setSystemTime(NOW + 2 * DAY_MS + SECOND);
    await ring(tenant);
    expect([await count(tenant, "events"), await count(tenant, "deliveries")]).toEqual([0, 0]);
  });

  it("cost one row each, and nothing while nobody subscribes", async () => {
    const tenant = await aTenant();
    await subscribe(tenant, { events: ["quota.exceeded"] });
    for (let n = 0; n < 5; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await judge(tenant);
    }
    await ring(tenant);
    const tables = ["events", "deliveries", "told"];
    const counts = await Promise.all(tables.map((table) => count(tenant, table)));
    expect(counts).toEqual([0, 0, 0]);
  });
});

describe("the day's quota", () => {
  /** Ten pictures a day. */
  const daily_neurons = (10 * PICTURE) / 1_000_000;
  const events: NewWebhook["events"] = ["quota.threshold", "quota.exceeded"];

  it("is told of once when four fifths are posted, with the limits as they stand", async () => {
    const tenant = await aTenant({ daily_neurons });
    await subscribe(tenant, { events });
    for (let n = 0; n < 7; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await judge(tenant);
    }
    expect(await count(tenant, "events")).toBe(0);
    await judge(tenant);
    await judge(tenant);
    await ring(tenant);
    expect(told()).toMatchObject([
      {
        type: "quota.threshold",
        data: {
          object: "limits",
          tenant: tenant.id,
          threshold: 0.8,
          limit_micro_neurons: 10 * PICTURE,
          posted_micro_neurons: 8 * PICTURE,
        },
      },
    ]);
  });

  it("is told of at the first refusal, once a day, and not for what others hold", async () => {
    const tenant = await aTenant({ daily_neurons });
    await subscribe(tenant, { events: ["quota.exceeded"] });
    const hold = await tenant.hold({ contents: [pictures(8)] });
    expect((await tenant.admit({ contents: [pictures(8)] })).kind).toBe("quota_reserved");
    expect(await count(tenant, "events")).toBe(0);
    await tenant.settle(hold);
    expect((await tenant.admit({ contents: [pictures(8)] })).kind).toBe("quota_exceeded");
    expect((await tenant.admit({ contents: [pictures(8)] })).kind).toBe("quota_exceeded");
    await ring(tenant);
    expect(told()).toMatchObject([
      { type: "quota.exceeded", data: { object: "limits", refused: "quota_exceeded" } },
    ]);
    vi.setSystemTime(NOW + DAY_MS);
    await tenant.settle(await tenant.hold({ contents: [pictures(8)] }));
    expect((await tenant.admit({ contents: [pictures(8)] })).kind).toBe("quota_exceeded");
    await ring(tenant);
    expect(told()).toHaveLength(2);
  });
});
