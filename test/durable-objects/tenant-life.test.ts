import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ACCOUNT_NAME } from "../../durable-objects/account/account-protocol.ts";
import { objectDatabase } from "../../durable-objects/database.ts";
import { ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { newId } from "../../src/http/ids.ts";
import { ask, admin, makeTenant } from "../client.ts";
import {
  account,
  aKey,
  aNewKey,
  admitRequest,
  aTenant,
  type ATenant,
  broken,
  cleanUp,
  DAY,
  DAY_MS,
  DEADLINE,
  expectKind,
  inAccount,
  inTenant,
  MIDNIGHT,
  NOW,
  PICTURE,
  PLATFORM,
  rows,
  SECOND,
  settingsOf,
  stopClock,
  tenantStub,
} from "./a-tenant.ts";

beforeEach(() => stopClock());
afterEach(cleanUp);

const KEY = { kind: "key", secretHash: "of nobody", roles: ["call"] } as const;
const accountStub = () => env.ACCOUNT.getByName(ACCOUNT_NAME);

const tablesOf = (id: string): Promise<number> =>
  inTenant(id, ({ storage }) =>
    Number(storage.sql.exec("SELECT COUNT(*) AS n FROM sqlite_master").one()["n"]),
  );

describe("an object that was never configured", () => {
  it("answers as unknown and writes nothing", async () => {
    const id = "never-made";
    const stub = tenantStub(id);
    const size = await inTenant(id, ({ storage }) => storage.sql.databaseSize);

    expect(await stub.admit(admitRequest({ caller: KEY }))).toEqual({ kind: "invalid_key" });
    const settle = { callId: newId("jnl"), items: [], verdicts: [], account: null, reply: null };
    expect(await stub.settle(settle)).toMatchObject({ settlement: { kind: "unknown_hold" } });
    for (const [caller, answer] of [
      [KEY, { kind: "invalid_key" }],
      [PLATFORM, { kind: "not_found", what: "tenant" }],
    ] as const) {
      const issue = {
        route: "POST /v1/keys",
        newKey: aNewKey(),
        name: null,
        role: "manage",
        expiresAtMs: null,
        idempotency: null,
      } as const;
      // oxlint-disable-next-line no-await-in-loop -- two callers
      const answers = await Promise.all([
        stub.readLimits(caller),
        stub.readProfile(caller),
        stub.issueKey(caller, issue),
        stub.countInvariants(caller),
        stub.listPolicies(caller, "", 10),
      ]);
      expect(answers).toEqual(answers.map(() => answer));
    }
    const birth = { id, generation: 1, carried: { day: 0, posted: ZERO }, contentSecret: "" };
    const patch = { kind: "patch", patch: { plan: "paid" } } as const;
    expect(await stub.configure({ birth, change: patch, ifMatch: null })).toEqual({
      kind: "not_found",
      what: "tenant",
    });
    const view = { notice: 1, isPooled: true, closure: null, sizes: null };
    await stub.applyAccountView(view);
    await stub.giveBack(1, 0, ZERO);
    expect(await stub.close()).toBeNull();
    expect(await tablesOf(id)).toBe(0);
    expect(await inTenant(id, ({ storage }) => storage.sql.databaseSize)).toBe(size);
    expect(await inTenant(id, ({ storage }) => storage.getAlarm())).toBeNull();
  });

  it("writes no row when it starts again, once it is configured", async () => {
    const tenant = await aTenant();
    await inTenant(tenant.id, async ({ storage }) => {
      storage.sql.exec("CREATE TABLE probe (n INTEGER)");
      storage.sql.exec(
        "CREATE TRIGGER no_writes BEFORE INSERT ON features BEGIN INSERT INTO probe VALUES (1); END",
      );
    });
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect((await tenant.limits()).kind).toBe("limits");
    const written = await inTenant(tenant.id, ({ storage }) =>
      storage.sql.exec("SELECT COUNT(*) AS n FROM probe").one(),
    );
    expect(written).toEqual({ n: 0 });
  });
});

describe("settings", () => {
  it("are replaced by PUT, merged by PATCH, guarded by If-Match", async () => {
    const path = "/admin/tenants/settings-of-one";
    const put = (body: unknown, version?: string) =>
      ask("PUT", path, {
        key: env.ADMIN_TOKEN,
        body,
        ...(version === undefined ? {} : { headers: { "If-Match": version } }),
      });
    const rpm = { requests: 7, translation: 9 };
    const settings = { plan: "paid", daily_neurons: 5, overage_cap_neurons: 0, rpm };
    // Nothing is made, nor listed, under a version that cannot be.
    expect((await put(settings, '"1"')).body).toMatchObject({ kind: "version_conflict" });
    expect((await admin("DELETE", path)).status).toBe(404);

    const made = await put(settings);
    expect(made.status).toBe(201);
    expect(made.headers.get("ETag")).toBe('"1"');
    expect((await put(settings, '"2"')).body).toMatchObject({ kind: "version_conflict" });

    const patch = { max_in_flight: 3, rpm: { translation: null, summarization: 4 } };
    const patched = await admin("PATCH", path, patch);
    expect(patched.body).toMatchObject({
      plan: "paid",
      daily_neurons: 5,
      max_in_flight: 3,
      rpm: { requests: 7, summarization: 4 },
      version: 2,
    });
    expect(patched.body.rpm).not.toHaveProperty("translation");
    const reset = await admin("PATCH", path, { max_in_flight: null, rpm: null });
    expect(reset.body).toMatchObject({ max_in_flight: 50, rpm: { requests: 300 }, version: 3 });

    const replaced = await put({ plan: "free", daily_neurons: 1 }, '"3"');
    expect(replaced.status).toBe(200);
    expect(replaced.body).toMatchObject({ plan: "free", rpm: { requests: 300 }, version: 4 });
    const { warnings, ...echoed } = replaced.body;
    expect(warnings).toEqual([]);
    expect((await admin("GET", path)).body).toEqual(echoed);
  });
});

/** A posted picture, an open hold of another, and a refusal that is not written yet. */
async function live(tenant: ATenant): Promise<void> {
  await tenant.settle(await tenant.hold());
  await tenant.hold();
}

const armed = () => inAccount(({ storage }) => storage.getAlarm());
const listed = async () => (await account().listTenants("", 10)).ids;

const remove = async (tenant: ATenant): Promise<void> => {
  expect(await account().deleteTenant(tenant.id)).toBe(true);
};

describe("deletion", () => {
  it("ends keys and holds at once and leaves nothing but totals", async () => {
    const tenant = await makeTenant("deleted-by-wire");
    const posted = await tenant.call("POST", "/v1/verdicts", { text: "hello" });
    expect(posted.status).toBe(200);
    const hold = admitRequest({ caller: PLATFORM });
    expect((await tenantStub(tenant.id).admit(hold)).kind).toBe("admitted");

    expect((await admin("DELETE", `/admin/tenants/${tenant.id}`)).status).toBe(204);
    const refused = await tenant.call("GET", "/v1/limits");
    expect([refused.status, refused.body.kind]).toEqual([401, "invalid_key"]);
    expect((await admin("GET", `/admin/tenants/${tenant.id}`)).status).toBe(404);
    expect((await admin("DELETE", `/admin/tenants/${tenant.id}`)).status).toBe(404);
    expect((await admin("GET", "/admin/tenants")).body.data).toEqual([]);
    expect(await tablesOf(tenant.id)).toBe(0);
    expect(await inTenant(tenant.id, ({ storage }) => storage.getAlarm())).toBeNull();
    const kept = await inAccount(({ storage }) =>
      storage.sql.exec("SELECT tenant, day, quota FROM closed_periods").toArray(),
    );
    expect(kept).toEqual([
      { tenant: tenant.id, day: DAY, quota: posted.body.micro_neurons + PICTURE },
    ]);
  });

  it("continues the day in the next life, and in the one after it", async () => {
    const daily = { daily_neurons: (5 * PICTURE) / 1e6 };
    const first = await aTenant(daily);
    await live(first);
    const orphan = await first.hold();
    await remove(first);

    const second = await aTenant(daily, first.id);
    expect((await second.limits()).neurons).toMatchObject({ posted: 3 * PICTURE, pending: 0 });
    expect(await second.lines()).toEqual([]);
    // The earlier life's key and holds open nothing here.
    expect((await second.admit({ caller: first.key })).kind).toBe("invalid_key");
    expect((await second.settle(orphan)).settlement.kind).toBe("unknown_hold");
    await second.settle(await second.hold());
    expect(await broken(second.id)).toEqual([]);
    await remove(second);

    const third = await aTenant(daily, first.id);
    expect((await third.limits()).neurons.posted).toBe(4 * PICTURE);
    await third.settle(await third.hold());
    expect((await third.admit()).kind).toBe("quota_exceeded");
    vi.setSystemTime(MIDNIGHT);
    expect((await third.limits()).neurons.posted).toBe(0);
    const profile = expectKind(await third.stub().readProfile(PLATFORM), "profile").profile;
    expect(profile.generation).toBe(3);
  });

  it("continues nothing on another day", async () => {
    const first = await aTenant();
    await live(first);
    vi.setSystemTime(MIDNIGHT);
    await remove(first);
    const second = await aTenant({}, first.id);
    expect((await second.limits()).neurons.posted).toBe(0);
    await live(second);
    await remove(second);
    // What the third continues is of this day; by the end of its own it is another.
    const third = await aTenant({}, first.id);
    expect((await third.limits()).neurons.posted).toBe(2 * PICTURE);
    vi.setSystemTime(MIDNIGHT + DAY_MS);
    await remove(third);
    expect((await (await aTenant({}, first.id)).limits()).neurons.posted).toBe(0);
  });

  it("draws what the new life posts beyond the quota as overage", async () => {
    const paid = { plan: "paid", daily_neurons: PICTURE / 1e6 } as const;
    const first = await aTenant(paid);
    await first.settle(await first.hold());
    await remove(first);
    const second = await aTenant(paid, first.id);
    const { settlement } = await second.settle(await second.hold());
    expect(settlement).toMatchObject({ line: { drawn: { quota: 0, overage: PICTURE } } });
  });

  it("hands no refusal of one life to the next", async () => {
    const first = await aTenant({ daily_neurons: 0.000001 });
    await first.admit();
    await first.admit();
    await remove(first);
    const second = await aTenant({}, first.id);
    vi.setSystemTime(NOW + 10 * SECOND);
    const query = { fromMinute: 0, toMinute: 1e9, skip: 0, limit: 50 };
    const page = expectKind(await second.stub().listRefusals(PLATFORM, query), "page");
    expect(page.data).toEqual([]);
    const kept = await inAccount(({ storage }) =>
      storage.sql.exec<{ totals: string }>("SELECT totals FROM closed_periods").toArray(),
    );
    expect(kept.map(({ totals }) => JSON.parse(totals).refused)).toEqual([{ over_limit: 2 }]);
  });

  it("closes first: what is half deleted opens for nobody", async () => {
    const tenant = await aTenant();
    await live(tenant);
    const closed = await tenant.stub().close();
    expect(closed?.periods).toMatchObject([{ day: DAY, drawn: { quota: 2 * PICTURE } }]);
    expect((await tenant.admit()).kind).toBe("invalid_key");
    expect(await rows(tenant.id, "SELECT id FROM keys WHERE ended = 0")).toEqual([]);
    expect(await tenant.stub().readLimits(tenant.key)).toEqual({ kind: "invalid_key" });
    expect(await tenant.stub().readLimits(PLATFORM)).toMatchObject({ kind: "not_found" });
    const patch = await admin("PATCH", `/admin/tenants/${tenant.id}`, { suspended: false });
    expect(patch.status).toBe(404);
    expect(await tenant.stub().close()).toEqual(closed);
  });

  it.each(["before it closed", "after it closed", "after it was erased"])(
    "that was cut short %s is resumed by the account's alarm",
    async (when) => {
      const tenant = await aTenant();
      await live(tenant);
      await inAccount(async ({ storage }) => {
        const statement = "UPDATE tenants SET state = 'deleting', carried = ?, carried_day = ?";
        const done = when === "after it was erased";
        storage.sql.exec(statement, done ? 2 * PICTURE : 0, done ? DAY : 0);
        await storage.setAlarm(NOW + 10 * SECOND);
      });
      if (when !== "before it closed") await tenant.stub().close();
      if (when === "after it was erased") await tenant.stub().erase();
      await evictDurableObject(accountStub());

      expect(await runDurableObjectAlarm(accountStub())).toBe(true);
      expect(await tablesOf(tenant.id)).toBe(0);
      const listing = await inAccount(({ storage }) =>
        storage.sql.exec("SELECT state, carried, carried_day FROM tenants").toArray(),
      );
      expect(listing).toEqual([{ state: "deleted", carried: 2 * PICTURE, carried_day: DAY }]);
      expect((await (await aTenant({}, tenant.id)).limits()).neurons.posted).toBe(2 * PICTURE);
    },
  );

  it("that fails is tried again until it succeeds, and keeps no other from ending", async () => {
    const stuck = await aTenant({}, "a-stuck-one");
    const other = await aTenant({}, "b-other-one");
    for (const { id } of [stuck, other]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await rows(id, "ALTER TABLE keys RENAME TO elsewhere");
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(inAccount((_, object) => object.deleteTenant(id))).rejects.toThrow();
    }
    expect(await armed()).toBe(NOW + 10 * SECOND);

    await rows(other.id, "ALTER TABLE elsewhere RENAME TO keys");
    vi.setSystemTime(NOW + 10 * SECOND);
    expect(await runDurableObjectAlarm(accountStub())).toBe(true);
    expect(await listed()).toEqual([stuck.id]);
    expect(await armed()).toBe(NOW + 20 * SECOND);

    await rows(stuck.id, "ALTER TABLE elsewhere RENAME TO keys");
    vi.setSystemTime(NOW + 20 * SECOND);
    expect(await runDurableObjectAlarm(accountStub())).toBe(true);
    expect(await listed()).toEqual([]);
  });

  it("is finished first when the id is made anew meanwhile", async () => {
    const tenant = await aTenant();
    await live(tenant);
    await inAccount(({ storage }) => storage.sql.exec("UPDATE tenants SET state = 'deleting'"));
    const next = await aTenant({}, tenant.id);
    expect((await next.limits()).neurons.posted).toBe(2 * PICTURE);
    expect(await next.lines()).toEqual([]);
    expect((await next.admit({ caller: tenant.key })).kind).toBe("invalid_key");
  });

  it("answers a settle that comes while it is erased without a trace", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    await tenant.stub().close();
    const [settled] = await Promise.allSettled([tenant.settle(hold), tenant.stub().erase()]);
    if (settled.status === "fulfilled") {
      expect(["settled_late", "unknown_hold"]).toContain(settled.value.settlement.kind);
    }
    expect(await tablesOf(tenant.id)).toBe(0);
    vi.setSystemTime(NOW + DEADLINE);
    expect((await tenant.settle(hold)).settlement.kind).toBe("unknown_hold");
  });
});

describe("the account's list", () => {
  it("acts on one tenant in turn, however many ask at once", async () => {
    const change = { kind: "replace", settings: settingsOf({}) } as const;
    const acts = Array.from({ length: 12 }, (_, at) =>
      at % 3 === 2
        ? account().deleteTenant("in-turn")
        : account().putTenant("in-turn", change, null),
    );
    await Promise.all(acts);
    expect(await account().listTenants("", 10)).toEqual({ ids: [], more: false });
    expect(await tablesOf("in-turn")).toBe(0);
    await account().putTenant("in-turn", change, null);
    await aKey("in-turn");
    const { profile } = expectKind(await tenantStub("in-turn").readProfile(PLATFORM), "profile");
    expect(profile.generation).toBe(5);
    expect(
      await inTenant("in-turn", ({ storage }) => objectDatabase(storage).size()),
    ).toBeGreaterThan(0);
  });
});
