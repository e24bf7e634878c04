import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import { momentOf } from "../../durable-objects/tenant/feature.ts";
import { makeTenant } from "../client.ts";
import {
  aKey,
  aTenant,
  cleanUp,
  DAY,
  DAY_MS,
  DEADLINE,
  idempotency,
  inTenant,
  MIDNIGHT,
  MINUTE,
  NOW,
  PLATFORM,
  rows,
  stopClock,
  tenantStub,
} from "./a-tenant.ts";
import { deliver, FakeQueue } from "../reports/fake-queue.ts";

// A tenant that nobody asks wakes when something is due, and at no other time.

beforeEach(() => stopClock());
afterEach(cleanUp);

const ring = (id: string): Promise<boolean> => runDurableObjectAlarm(env.TENANT.getByName(id));

const armedFor = (id: string): Promise<number | null> =>
  inTenant(id, ({ storage }) => storage.getAlarm());

const count = async (id: string, table: string): Promise<number> =>
  Number((await rows(id, `SELECT COUNT(*) AS n FROM ${table}`))[0]?.["n"]);

/** Rings each alarm at its time, with the reports at work; the times at which it rang. */
async function live(id: string, untilMs: number): Promise<number[]> {
  const queue = new FakeQueue();
  const rung: number[] = [];
  for (;;) {
    // oxlint-disable no-await-in-loop -- one alarm after the other
    const atMs = await armedFor(id);
    if (atMs === null || atMs > untilMs) return rung;
    if (rung.length > 200) throw new Error("it does not come to rest");
    vi.setSystemTime(Math.max(atMs, Date.now()));
    await queue.ring(id);
    rung.push(Date.now());
    const sent = queue.take();
    if (sent.length > 0) await deliver(sent);
    // oxlint-enable no-await-in-loop
  }
}

const LATER = NOW + 2000 * DAY_MS;

describe("a tenant without anything to purge", () => {
  it("has no alarm: made, given a key, changed, read", async () => {
    const tenant = await aTenant();
    await aKey(tenant.id);
    await tenant.configure({ max_in_flight: 5 });
    await tenant.limits();
    await tenantStub(tenant.id).listPeriods(PLATFORM, DAY, DAY);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await tenant.limits();
    expect(await armedFor(tenant.id)).toBeNull();
  });
});

describe("a tenant with a single call", () => {
  it("wakes when its verdict's thirty days are over, not each day, and sleeps for good at last", async () => {
    const tenant = await makeTenant("once");
    const reply = await tenant.call("POST", "/v1/verdicts", {
      text: "Nice to see you.",
      user_id: "u_1",
    });
    expect(reply.status).toBe(200);
    const soon = await live("once", NOW + 20 * MINUTE);
    expect(soon.length).toBeGreaterThan(0);
    expect(await count("once", "verdicts")).toBe(1);

    const moment = momentOf("once");
    const verdictGoes = MIDNIGHT + 30 * DAY_MS + moment;
    expect(await armedFor("once")).toBe(verdictGoes);
    expect(await live("once", verdictGoes)).toEqual([verdictGoes]);
    expect(await count("once", "verdicts")).toBe(0);

    const days = (await live("once", LATER)).map((atMs) => (atMs - moment - MIDNIGHT) / DAY_MS);
    // The journal's day, the user's, the hours: each is one alarm, or a few where there is work in pieces.
    const whole = [...new Set(days.map((day) => Math.round(day)))];
    expect(whole).toEqual([35, 92, 400]);
    expect(days.length).toBeLessThan(10);
    for (const table of ["verdicts", "journal", "report_rows", "report_users"]) {
      // oxlint-disable-next-line no-await-in-loop -- one table after the other
      expect([table, await count("once", table)]).toEqual([table, 0]);
    }
    expect(await count("once", "archives WHERE state = 'done'")).toBe(1);
    expect(await armedFor("once")).toBeNull();
  });

  it("and an idempotency key wakes when the key is over, the day after tomorrow", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold({ idempotency: idempotency("k") }));
    await live(tenant.id, NOW + 20 * MINUTE);
    const goes = MIDNIGHT + DAY_MS + momentOf(tenant.id);
    expect(await armedFor(tenant.id)).toBe(goes);
    await live(tenant.id, goes);
    expect(await count(tenant.id, "idempotency")).toBe(0);
  });

  it("forgets what it told on a day when the day is over, whatever else there is", async () => {
    const tenant = await aTenant({ daily_neurons: 1 });
    // Something that stays for long, looked up before the day's row is there.
    await tenant.settle(await tenant.hold());
    for (let call = 0; call < 3; call += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await tenant.settle(await tenant.hold());
    }
    expect(await count(tenant.id, "told")).toBeGreaterThan(0);
    await live(tenant.id, NOW + 20 * MINUTE);
    const goes = MIDNIGHT + momentOf(tenant.id);
    expect(await armedFor(tenant.id)).toBe(goes);
    await live(tenant.id, goes);
    expect(await count(tenant.id, "told")).toBe(0);
    expect(await armedFor(tenant.id)).toBe(goes + 30 * DAY_MS);
  });

  it("that made a key by name forgets the name, though it was never called", async () => {
    const tenant = await aTenant();
    await aKey(tenant.id, "manage", { idempotency: idempotency("k") });
    const goes = MIDNIGHT + DAY_MS + momentOf(tenant.id);
    expect(await armedFor(tenant.id)).toBe(goes);
    expect(await live(tenant.id, LATER)).toEqual([goes]);
    expect(await count(tenant.id, "idempotency")).toBe(0);
    expect(await armedFor(tenant.id)).toBeNull();
  });

  it("holds back no purge while it sleeps: a call finds what is due, and it goes at once", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    await live(tenant.id, NOW + 20 * MINUTE);
    await inTenant(tenant.id, ({ storage }) => storage.deleteAlarm());
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    vi.setSystemTime(NOW + 60 * DAY_MS);
    await tenant.hold();
    expect(await armedFor(tenant.id)).toBeLessThanOrEqual(Date.now());
    await ring(tenant.id);
    expect(await count(tenant.id, "verdicts")).toBe(0);
  });

  it("wakes earlier when its settings keep less, and later when they keep more", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    await live(tenant.id, NOW + 20 * MINUTE);
    const moment = MIDNIGHT + momentOf(tenant.id);
    expect(await armedFor(tenant.id)).toBe(moment + 30 * DAY_MS);
    await tenant.configure({ verdict_retention_days: 3 });
    expect(await armedFor(tenant.id)).toBe(moment + 3 * DAY_MS);
    // It rings then, finds nothing to do, and knows better.
    await tenant.configure({ verdict_retention_days: 20 });
    expect(await live(tenant.id, moment + 3 * DAY_MS)).toEqual([moment + 3 * DAY_MS]);
    expect(await count(tenant.id, "verdicts")).toBe(1);
    expect(await armedFor(tenant.id)).toBe(moment + 20 * DAY_MS);
  });

  it("that cannot delete tries again in an hour, not at once", async () => {
    const tenant = await aTenant({ content_retention_days: 2 });
    await tenant.settle(await tenant.hold());
    await live(tenant.id, NOW + 20 * MINUTE);
    const kept = JSON.stringify([{ contentType: "image/png", bytes: 1, kept: true }]);
    await rows(tenant.id, "INSERT INTO contents VALUES ('vrd_1', ?, NULL, ?)", NOW, kept);
    vi.setSystemTime(NOW + 4 * DAY_MS);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await inTenant(tenant.id, (_, instance) => {
      const object = instance as { env: Partial<Env> };
      const bucket = { delete: () => Promise.reject(new Error("down")) } as unknown as R2Bucket;
      object.env = { ...object.env, IMAGES: bucket };
    });
    const held = await tenant.hold();
    await ring(tenant.id);
    expect(await count(tenant.id, "contents")).toBe(1);
    const next = await armedFor(tenant.id);
    expect(next).toBe(held.deadlineMs);
    vi.setSystemTime(NOW + 4 * DAY_MS + DEADLINE);
    await ring(tenant.id);
    expect(await armedFor(tenant.id)).toBeGreaterThan(Date.now());
    expect(await count(tenant.id, "contents")).toBe(1);
  });
});

const putPolicy = (id: string) => {
  const policy = defaultPolicy("embedded");
  return tenantStub(id).putPolicy(PLATFORM, { name: "default", policy, expected: null });
};

const versions = (id: string): Promise<number> => count(id, "policies");

describe("an old version of a policy", () => {
  it("goes a day after the next one, where no verdict can name it", async () => {
    const tenant = await aTenant();
    await putPolicy(tenant.id);
    expect(await versions(tenant.id)).toBe(2);
    await tenant.settle(await tenant.hold(), { verdicts: [] });
    await live(tenant.id, NOW + 20 * MINUTE);
    const goes = MIDNIGHT + DAY_MS + momentOf(tenant.id);
    expect(await armedFor(tenant.id)).toBe(goes);
    await live(tenant.id, goes);
    expect(await versions(tenant.id)).toBe(1);
  });

  it("goes with the verdicts of its time, where one may", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    await putPolicy(tenant.id);
    await live(tenant.id, NOW + 20 * MINUTE);
    const goes = MIDNIGHT + 30 * DAY_MS + momentOf(tenant.id);
    expect(await armedFor(tenant.id)).toBe(goes);
    expect(await versions(tenant.id)).toBe(2);
    await live(tenant.id, goes);
    expect([await count(tenant.id, "verdicts"), await versions(tenant.id)]).toEqual([0, 1]);
  });
});

describe("a call", () => {
  it("asks storage nothing about what is kept, once that is known", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    const asked: string[] = [];
    await inTenant(tenant.id, ({ storage: { sql } }) => {
      const exec = sql.exec.bind(sql);
      sql.exec = ((...call: Parameters<typeof exec>) => {
        asked.push(call[0]);
        return exec(...call);
      }) as unknown as typeof sql.exec;
    });
    await tenant.settle(await tenant.hold());
    expect(asked.some((statement) => statement.startsWith("INSERT INTO verdicts"))).toBe(true);
    expect(asked.filter((statement) => /^SELECT .* LIMIT 1$/.test(statement))).toEqual([]);
  });
});
