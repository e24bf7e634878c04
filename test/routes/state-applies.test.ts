import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ACCOUNT_NAME } from "../../durable-objects/account/account-protocol.ts";
import { admin, ask, makeTenant, type Reply } from "../client.ts";
import { stopClock } from "../durable-objects/a-tenant.ts";
import {
  applyTenants,
  evict,
  FREE,
  inApplies,
  names,
  PAID,
  readApply,
  ring,
  runToEnd,
  sendPart,
  swap,
  tenantsOf,
} from "./an-apply.ts";

// The tenants as a document that comes in parts.

beforeEach(() => stopClock());
afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const later = (ms: number): void => {
  vi.setSystemTime(Date.now() + ms);
};

const stateOf = async (): Promise<Reply["body"]> =>
  (await admin("GET", "/admin/state")).body.tenants;

const requestOf = (reply: Reply) => reply.headers.get("x-request-id");

const withoutStatus = (rows: Reply["body"][]) => rows.map((row) => ({ ...row, status: null }));

const acts = async (): Promise<Reply["body"][]> =>
  (await admin("GET", "/admin/audit?limit=200")).body.data.filter(
    ({ action, tenant }: Record<string, unknown>) =>
      action === "PUT /admin/state" && tenant !== null,
  );

const actsOn = async (tenant: string): Promise<unknown[]> =>
  (await acts()).filter((act) => act.tenant === tenant).map(({ detail }) => detail);

describe("parts", () => {
  it("are stored, in whatever order, and nothing is done before all are there", async () => {
    const first = await sendPart("one", "3/3", tenantsOf(["c"], PAID));
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({
      object: "state_apply",
      id: "one",
      state: "collecting",
      dry_run: false,
      prune: false,
      parts: { total: 3, stored: 1, missing: [1, 2] },
      tenants: { total: 1, planned: 0, done: 0, failed: 0 },
      started_at: null,
      ended_at: null,
    });
    await sendPart("one", "1/3", tenantsOf(["a"]));
    expect(await ring()).toBe(true);
    expect(await stateOf()).toEqual({});
    const last = await sendPart("one", "2/3", tenantsOf(["b"]));
    expect(last.body).toMatchObject({ state: "planning", parts: { stored: 3, missing: [] } });
    expect(await stateOf()).toEqual({});
    const done = await runToEnd("one");
    expect(done).toMatchObject({
      state: "done",
      tenants: { total: 3, planned: 3, done: 3, failed: 0 },
      counts: { create: 3, update: 0, unchanged: 0, suspend: 0 },
      failures: [],
    });
    expect(Object.keys(await stateOf())).toEqual(["a", "b", "c"]);
    expect((await stateOf()).c).toMatchObject({ plan: "paid", overage_cap_neurons: 50 });
  });

  it("that come twice change nothing, before and after the end", async () => {
    await sendPart("one", "1/2", { tenants: { a: FREE, b: PAID } });
    // The same, written another way.
    const again = await sendPart("one", "1/2", {
      tenants: { b: { ...PAID, rpm: undefined }, a: { daily_neurons: 1000, plan: "free" } },
    });
    expect(again.body.parts).toEqual({ total: 2, stored: 1, missing: [2] });
    await sendPart("one", "2/2", tenantsOf(["c"]));
    const done = await runToEnd("one");
    await admin("PATCH", "/admin/tenants/c", { daily_neurons: 7 });
    expect((await sendPart("one", "2/2", tenantsOf(["c"]))).body).toEqual(done);
    expect(await ring()).toBe(true);
    expect((await stateOf()).c.daily_neurons).toBe(7);
  });

  it("of other content than what is stored are a 409 and change nothing", async () => {
    await sendPart("one", "1/2", tenantsOf(["a"]));
    const other = await sendPart("one", "1/2", tenantsOf(["a"], PAID));
    expect([other.status, other.body.kind]).toEqual([409, "apply_conflict"]);
    for (const [part, document] of [
      ["2/3", tenantsOf(["b"])],
      ["2/2", { ...tenantsOf(["b"]), prune: true }],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await sendPart("one", part, document)).status).toBe(409);
    }
    const planned = await sendPart("one", "2/2", tenantsOf(["b"]), { dryRun: true });
    expect(planned.status).toBe(409);
    expect((await readApply("one")).parts.stored).toBe(1);
    await sendPart("one", "2/2", tenantsOf(["b"]));
    await runToEnd("one");
    expect((await stateOf()).a.plan).toBe("free");
  });

  it("name a tenant once: the second is refused whole, with the part that has it", async () => {
    await sendPart("one", "2/3", tenantsOf(["a", "b"]));
    const twice = await sendPart("one", "1/3", tenantsOf(["c", "b"]));
    expect([twice.status, twice.body.kind]).toEqual([400, "invalid_request"]);
    expect(twice.body.errors).toEqual([{ pointer: "#/tenants/b", detail: "stands in part 2 too" }]);
    expect(await readApply("one")).toMatchObject({
      parts: { stored: 1, missing: [1, 3] },
      tenants: { total: 2 },
    });
    // Put right, it is taken.
    expect((await sendPart("one", "1/3", tenantsOf(["c"]))).status).toBe(200);
  });

  it.each<[string, string, unknown]>([
    ["#/part", "?apply=one", tenantsOf(["a"])],
    ["#/part", "?part=1/2", tenantsOf(["a"])],
    ["#/part", "?apply=one&part=0/2", tenantsOf(["a"])],
    ["#/part", "?apply=one&part=3/2", tenantsOf(["a"])],
    ["#/part", "?apply=one&part=1/201", tenantsOf(["a"])],
    ["#/part", "?apply=one&part=1", tenantsOf(["a"])],
    ["#/apply", "?apply=a%20b&part=1/2", tenantsOf(["a"])],
    ["#/apply", `?apply=${"a".repeat(65)}&part=1/2`, tenantsOf(["a"])],
    ["#/tenants", "?apply=one&part=1/2", { tenants: {} }],
    ["#/tenants", "?apply=one&part=1/2", tenantsOf(names(501))],
    ["#/issue_keys", "?apply=one&part=1/2", { ...tenantsOf(["a"]), issue_keys: true }],
    ["#/prune", "?apply=one&part=1/2", { ...tenantsOf(["a"]), prune: true, has_more: true }],
    ["#/tenants/a/plan", "?apply=one&part=1/2", { tenants: { a: { daily_neurons: 1 } } }],
    ["#/tenants/constructor", "?apply=one&part=1/2", tenantsOf(["constructor"])],
  ])("are refused at %s for %s", async (pointer, query, document) => {
    const key = env.ADMIN_TOKEN;
    const reply = await ask("PUT", `/admin/state${query}`, { key, body: document });
    expect([reply.status, reply.body.errors[0].pointer]).toEqual([400, pointer]);
    expect((await admin("GET", "/admin/state/applies/one")).status).toBe(404);
  });
});

describe("a run", () => {
  it("is one plan over all parts: changes, warnings and all", async () => {
    await makeTenant("same", FREE);
    await makeTenant("other", { daily_neurons: 5 });
    await sendPart("one", "1/2", {
      tenants: { same: FREE, fresh: { ...PAID, rpm: { requests: 9 } } },
    });
    await sendPart("one", "2/2", { tenants: { other: { ...FREE, reserved_neurons: 20_000 } } });
    const done = await runToEnd("one");
    expect(done.counts).toEqual({ create: 1, update: 1, unchanged: 1, suspend: 0 });
    expect(done.warnings.map(({ kind }: { kind: string }) => kind)).toContain("floors_above_pool");
    const tenants = await applyTenants("one");
    expect(tenants).toMatchObject([
      { tenant: "fresh", part: 1, action: "create", status: "done" },
      {
        tenant: "other",
        part: 2,
        action: "update",
        status: "done",
        changes: [
          { field: "daily_neurons", from: 5, to: 1000 },
          { field: "reserved_neurons", from: 0, to: 20_000 },
        ],
      },
      { tenant: "same", part: 1, action: "unchanged", status: "unchanged", changes: [] },
    ]);
    expect(tenants[0].warnings.map(({ kind }: { kind: string }) => kind)).toEqual([
      "paid_tenant_on_free_account",
    ]);
    // The plan is that of one document, to the letter.
    const whole = await ask("PUT", "/admin/state?dry_run=true", {
      key: env.ADMIN_TOKEN,
      body: { tenants: { same: FREE } },
    });
    expect(whole.body.tenants[0].changes).toEqual([]);
  });

  it("writes into the log what one document does, with the request of the part", async () => {
    await makeTenant("old");
    const part = await sendPart("one", "1/2", { ...tenantsOf(["a"]), prune: true });
    const last = await sendPart("one", "2/2", { ...tenantsOf(["b"]), prune: true });
    await runToEnd("one");
    const logged = (await acts()).map(({ actor, tenant, detail, request_id }) => ({
      actor,
      tenant,
      detail,
      request_id,
    }));
    const by = { actor: "admin_token" };
    const fields = ["daily_neurons", "plan"];
    expect(logged).toHaveLength(3);
    expect(logged).toEqual(
      expect.arrayContaining([
        {
          ...by,
          tenant: "a",
          request_id: requestOf(part),
          detail: { act: "create", fields, version: 1, apply: "one" },
        },
        {
          ...by,
          tenant: "b",
          request_id: requestOf(last),
          detail: { act: "create", fields, version: 1, apply: "one" },
        },
        {
          ...by,
          tenant: "old",
          request_id: requestOf(last),
          detail: { act: "suspend", fields: ["suspended"], version: 2, apply: "one" },
        },
      ]),
    );
  });

  it("with prune suspends whom no part names, and a missing part prunes nobody", async () => {
    const old = await makeTenant("old");
    await makeTenant("asleep", { suspended: true });
    await sendPart("one", "1/2", { ...tenantsOf(["a"]), prune: true });
    await ring();
    expect((await old.call("GET", "/v1/limits")).status).toBe(200);
    await sendPart("one", "2/2", { ...tenantsOf(["b"]), prune: true });
    const done = await runToEnd("one");
    expect(done.counts).toEqual({ create: 2, update: 0, unchanged: 1, suspend: 1 });
    expect(done.tenants).toMatchObject({ total: 4, done: 4 });
    expect((await old.call("GET", "/v1/limits")).body.kind).toBe("tenant_suspended");
    expect(await applyTenants("one", "&status=done")).toMatchObject([
      { tenant: "a", part: 1 },
      { tenant: "b", part: 2 },
      { tenant: "old", part: null, action: "suspend", status: "done" },
    ]);
  });

  it("with dry_run plans to the letter what it then does, and changes nothing", async () => {
    await makeTenant("old");
    const document = { ...tenantsOf(["a"]), prune: true };
    const planned = await sendPart("plan", "1/1", document, { dryRun: true });
    expect(planned.body).toMatchObject({ state: "planning", dry_run: true });
    const plan = await runToEnd("plan");
    expect(plan).toMatchObject({ state: "planned", counts: { create: 1, suspend: 1 } });
    expect(await acts()).toEqual([]);
    expect(Object.keys(await stateOf())).toEqual(["old"]);
    await sendPart("one", "1/1", document);
    const done = await runToEnd("one");
    expect(done.counts).toEqual(plan.counts);
    expect(withoutStatus(await applyTenants("one"))).toEqual(
      withoutStatus(await applyTenants("plan")),
    );
  });

  it("takes its turn: the later document has the last word", async () => {
    await sendPart("late", "1/2", tenantsOf(["a"], { ...FREE, daily_neurons: 2 }));
    await sendPart("soon", "1/1", tenantsOf(["a"], { ...FREE, daily_neurons: 1 }));
    later(1);
    await sendPart("late", "2/2", tenantsOf(["b"]));
    await runToEnd("soon");
    expect((await stateOf()).a.daily_neurons).toBe(1);
    await runToEnd("late");
    expect((await stateOf()).a.daily_neurons).toBe(2);
  });

  it("is stopped by DELETE: what was done stays done", async () => {
    await sendPart("one", "1/1", tenantsOf(names(150)));
    await ring();
    await ring();
    await ring();
    expect(await readApply("one")).toMatchObject({ state: "applying", tenants: { done: 100 } });
    expect((await admin("DELETE", "/admin/state/applies/one")).status).toBe(204);
    expect(await readApply("one")).toMatchObject({ state: "cancelled", tenants: { done: 100 } });
    await ring();
    expect(Object.keys(await stateOf())).toHaveLength(100);
    expect((await admin("DELETE", "/admin/state/applies/one")).status).toBe(204);
    expect((await admin("DELETE", "/admin/state/applies/none")).status).toBe(404);
    const late = await sendPart("one", "1/1", tenantsOf(["other"]));
    expect(late.status).toBe(409);
  });

  it("tells of its tenants by page", async () => {
    await sendPart("one", "1/1", tenantsOf(names(5)));
    const first = await admin("GET", "/admin/state/applies/one/tenants?limit=3");
    expect(first.body).toMatchObject({ has_more: true });
    expect(first.body.data.at(-1)).toMatchObject({
      tenant: "t0002",
      status: "waiting",
      action: null,
      changes: [],
    });
    const cursor = first.body.next_cursor;
    const next = await admin("GET", `/admin/state/applies/one/tenants?limit=3&cursor=${cursor}`);
    expect(next.body.data.map(({ tenant }: { tenant: string }) => tenant)).toEqual([
      "t0003",
      "t0004",
    ]);
    const bad = await admin("GET", "/admin/state/applies/one/tenants?cursor=x");
    expect([bad.status, bad.body.errors[0].pointer]).toEqual([400, "#/cursor"]);
    expect((await admin("GET", "/admin/state/applies/none/tenants")).status).toBe(404);
  });
});

/** A stub belongs to the object that made it. */
const realAccount = () => env.ACCOUNT.getByName(ACCOUNT_NAME);

/** The account's object as it is, but for what is given. */
function account(changed: Readonly<Record<string, (...given: never[]) => unknown>>) {
  const stub = () =>
    new Proxy(realAccount(), {
      get: (target, name) =>
        changed[String(name)] ?? ((...given: unknown[]) => Reflect.get(target, name)(...given)),
    });
  return { ACCOUNT: { getByName: stub } };
}

const down = () =>
  Promise.reject(Object.assign(new Error("gone"), { retryable: true, remote: true }));

describe("a run that is cut short", () => {
  it("goes on where it was, slice by slice, in an object that starts anew each time", async () => {
    await makeTenant("old");
    await sendPart("one", "1/2", { ...tenantsOf(names(150, "a")), prune: true });
    await sendPart("one", "2/2", { ...tenantsOf(names(150, "b")), prune: true });
    let slices = 0;
    while ((await readApply("one")).ended_at === null) {
      // oxlint-disable no-await-in-loop -- one life after the other
      await evict();
      expect(await ring()).toBe(true);
      // oxlint-enable no-await-in-loop
      slices += 1;
    }
    expect(slices).toBeGreaterThan(5);
    const done = await readApply("one");
    expect(done).toMatchObject({
      state: "done",
      counts: { create: 300, suspend: 1 },
      tenants: { total: 301, done: 301, failed: 0 },
    });
    const { tenants } = (await admin("GET", "/admin/state?limit=500")).body;
    expect(Object.keys(tenants)).toHaveLength(301);
  });

  it("goes on, should its alarm be lost, when somebody looks how far it is", async () => {
    await sendPart("one", "1/1", tenantsOf(["a"]));
    await inApplies((storage) => storage.deleteAlarm());
    expect(await ring()).toBe(false);
    await readApply("one");
    expect(await ring()).toBe(true);
    expect(await runToEnd("one")).toMatchObject({ state: "done" });
  });

  it("makes no change twice, and logs each once, when what it did was not written down", async () => {
    await makeTenant("b");
    await sendPart("one", "1/1", { tenants: { a: FREE, b: { ...FREE, daily_neurons: 3 } } });
    await ring();
    await ring();
    // The changes are made and logged, and then the object dies.
    await inApplies((storage) => {
      storage.sql.exec(
        `CREATE TRIGGER crash BEFORE UPDATE OF stage ON apply_tenants WHEN NEW.stage = 'done'
          BEGIN SELECT RAISE(ABORT, 'crash'); END`,
      );
    });
    await ring();
    expect(await applyTenants("one", "&status=begun")).toHaveLength(2);
    expect((await stateOf()).a.plan).toBe("free");
    await inApplies((storage) => storage.sql.exec("DROP TRIGGER crash"));
    await evict();
    later(5000);
    const done = await runToEnd("one");
    expect(done).toMatchObject({ state: "done", tenants: { done: 2, failed: 0 } });
    expect((await admin("GET", "/admin/tenants/a")).body.version).toBe(1);
    expect((await admin("GET", "/admin/tenants/b")).body.version).toBe(2);
    expect(await actsOn("a")).toHaveLength(1);
    expect(await actsOn("b")).toHaveLength(1);
  });

  it("logs what it did when the log did not answer, and counts it no success before", async () => {
    await sendPart("one", "1/1", tenantsOf(["a"]));
    await ring();
    await ring();
    await swap(account({ recordAll: down }));
    await ring();
    expect(await readApply("one")).toMatchObject({ state: "applying", tenants: { done: 0 } });
    await evict();
    later(1000);
    await runToEnd("one");
    expect(await actsOn("a")).toEqual([
      { act: "create", fields: ["daily_neurons", "plan"], version: 1, apply: "one" },
    ]);
    expect((await admin("GET", "/admin/tenants/a")).body.version).toBe(1);
  });

  it("does not overwrite what somebody changed meanwhile", async () => {
    await makeTenant("changed");
    await makeTenant("ended");
    const document = tenantsOf(["changed", "ended", "made", "same"]);
    await sendPart("one", "1/1", document);
    await ring();
    await ring();
    await admin("PATCH", "/admin/tenants/changed", { max_in_flight: 9 });
    await admin("DELETE", "/admin/tenants/ended");
    await makeTenant("made", { max_in_flight: 8 });
    await makeTenant("same", FREE);
    const done = await runToEnd("one");
    expect(done).toMatchObject({ state: "done", tenants: { done: 1, failed: 3 } });
    expect(done.failures).toEqual(
      ["changed", "ended", "made"].map((tenant) => ({ tenant, failure: "version_conflict" })),
    );
    const now = await stateOf();
    expect(now.changed).toMatchObject({ max_in_flight: 9, daily_neurons: 10_000 });
    expect(now.made).toMatchObject({ max_in_flight: 8, daily_neurons: 10_000 });
    expect(now.ended).toBeUndefined();
    expect(await actsOn("same")).toEqual([]);
    // Sent again under another id it is done.
    await sendPart("two", "1/1", document);
    expect(await runToEnd("two")).toMatchObject({
      tenants: { done: 4, failed: 0 },
      counts: { create: 1, update: 2, unchanged: 1 },
    });
  });

  it("does not overwrite a tenant that somebody makes in the midst of a slice", async () => {
    await sendPart("one", "1/1", tenantsOf(["made", "same"]));
    await ring();
    await ring();
    await swap(
      account({
        putTenant: async (id: string, change: never, ifMatch: never) => {
          await makeTenant(id, id === "same" ? FREE : { daily_neurons: 777 });
          return realAccount().putTenant(id, change, ifMatch);
        },
      }),
    );
    const done = await runToEnd("one");
    expect(done).toMatchObject({ state: "done", tenants: { done: 1, failed: 1 } });
    expect(done.failures).toEqual([{ tenant: "made", failure: "version_conflict" }]);
    expect((await stateOf()).made.daily_neurons).toBe(777);
    expect((await admin("GET", "/admin/tenants/same")).body.version).toBe(1);
    // It did neither.
    expect(await acts()).toEqual([]);
  });

  it("counts a tenant that it made, though the answer was lost", async () => {
    await sendPart("one", "1/1", tenantsOf(["a"]));
    await ring();
    await ring();
    let calls = 0;
    await swap(
      account({
        putTenant: async (id: string, change: never, ifMatch: never) => {
          calls += 1;
          await realAccount().putTenant(id, change, ifMatch);
          return down();
        },
      }),
    );
    await ring();
    later(1000);
    expect(await runToEnd("one")).toMatchObject({ tenants: { done: 1, failed: 0 } });
    expect(calls).toBe(1);
    expect((await admin("GET", "/admin/tenants/a")).body.version).toBe(1);
    expect(await actsOn("a")).toEqual([
      { act: "create", fields: ["daily_neurons", "plan"], version: 1, apply: "one" },
    ]);
  });

  it("counts a tenant that an earlier call of its own makes late", async () => {
    await sendPart("one", "1/1", tenantsOf(["a"]));
    await ring();
    await ring();
    await swap(account({ putTenant: down }));
    await ring();
    await evict();
    // The first call arrives after the second slice looked at the tenant, and before its own call.
    await swap(
      account({
        putTenant: async (id: string, change: never, ifMatch: never) => {
          await realAccount().putTenant(id, change, ifMatch);
          return realAccount().putTenant(id, change, ifMatch);
        },
      }),
    );
    later(1000);
    expect(await runToEnd("one")).toMatchObject({ tenants: { done: 1, failed: 0 } });
    expect(await actsOn("a")).toHaveLength(1);
  });

  it("asks again whom it could not ask, and gives up only on the one that never answers", async () => {
    let left = 2;
    await sendPart("one", "1/1", tenantsOf(["a", "b", "c"]));
    await ring();
    await ring();
    await swap(
      account({
        putTenant: (id: string, change: never, ifMatch: never) => {
          if (id === "b") return down();
          if (id === "c" && left > 0) {
            left -= 1;
            return down();
          }
          return realAccount().putTenant(id, change, ifMatch);
        },
      }),
    );
    await ring();
    expect(await readApply("one")).toMatchObject({ tenants: { done: 1, failed: 0 } });
    // Not before its time.
    await ring();
    expect(left).toBe(1);
    for (const ms of [1000, 2000, 4000, 8000, 16_000]) {
      later(ms);
      // oxlint-disable-next-line no-await-in-loop -- one slice after the other
      await ring();
    }
    const done = await runToEnd("one");
    expect(done).toMatchObject({ state: "done", tenants: { done: 2, failed: 1 } });
    expect(done.failures).toEqual([{ tenant: "b", failure: "unavailable" }]);
    expect(Object.keys(await stateOf())).toEqual(["a", "c"]);
  });

  it("asks again whom it could not read, and leaves the one alone that never answers", async () => {
    let left = 2;
    await makeTenant("b");
    await makeTenant("c");
    await sendPart("one", "1/1", tenantsOf(["a", "b", "c"]));
    const stub = (id: string) => {
      if (id === "b") return { readProfile: down };
      if (id === "c" && left > 0) {
        left -= 1;
        return { readProfile: down };
      }
      return env.TENANT.getByName(id);
    };
    await swap({ TENANT: { getByName: stub } });
    await ring();
    expect(await readApply("one")).toMatchObject({ tenants: { planned: 1, failed: 0 } });
    // Not before its time.
    await ring();
    expect(left).toBe(1);
    for (const ms of [1000, 2000, 4000, 8000, 16_000]) {
      later(ms);
      // oxlint-disable-next-line no-await-in-loop -- one slice after the other
      await ring();
    }
    await evict();
    const done = await runToEnd("one");
    expect(done).toMatchObject({ state: "done", tenants: { planned: 2, done: 2, failed: 1 } });
    expect(done.failures).toEqual([{ tenant: "b", failure: "unavailable" }]);
    expect((await stateOf()).b.daily_neurons).toBe(10_000);
  });

  it("counts nobody who was to be suspended and is no more", async () => {
    await makeTenant("gone");
    await makeTenant("old");
    await sendPart("one", "1/1", { ...tenantsOf(["a"]), prune: true });
    await ring();
    expect(await readApply("one")).toMatchObject({ tenants: { total: 3 } });
    await admin("DELETE", "/admin/tenants/gone");
    const done = await runToEnd("one");
    expect(done).toMatchObject({ counts: { suspend: 1 }, tenants: { total: 2, done: 2 } });
    expect((await applyTenants("one")).map(({ tenant }) => tenant)).toEqual(["a", "old"]);
  });

  it("changes nothing as long as it is not known what there is", async () => {
    const old = await makeTenant("old");
    await sendPart("one", "1/1", { ...tenantsOf(["a"]), prune: true });
    await swap(account({ listTenants: down }));
    await ring();
    await swap(account({ listedAmong: down }));
    for (const ms of [5000, 5000]) {
      later(ms);
      // oxlint-disable-next-line no-await-in-loop -- one slice after the other
      await ring();
    }
    expect(await readApply("one")).toMatchObject({ state: "planning" });
    expect((await old.call("GET", "/v1/limits")).status).toBe(200);
    await evict();
    later(5000);
    expect(await runToEnd("one")).toMatchObject({ state: "done", counts: { suspend: 1 } });
  });

  it("is a bug that one tenant meets: the others are done", async () => {
    await sendPart("one", "1/1", tenantsOf(["a", "b"]));
    await ring();
    await ring();
    await swap(
      account({
        putTenant: (id: string, change: never, ifMatch: never) =>
          id === "a"
            ? Promise.reject(new TypeError("x"))
            : realAccount().putTenant(id, change, ifMatch),
      }),
    );
    const done = await runToEnd("one");
    expect(done.failures).toEqual([{ tenant: "a", failure: "internal" }]);
    expect(done.tenants.done).toBe(1);
  });
});

/** The account, where run "one" is stopped by the time it is asked. */
const stopAt = (name: "plannedChange" | "recordAll") =>
  account({
    [name]: async (argument: never) => {
      await admin("DELETE", "/admin/state/applies/one");
      return realAccount()[name](argument);
    },
  });

describe("a run that is stopped in the midst of a slice", () => {
  it("plans nothing more", async () => {
    await sendPart("one", "1/1", tenantsOf(["a"]));
    await swap(stopAt("plannedChange"));
    await ring();
    expect(await readApply("one")).toMatchObject({ state: "cancelled", tenants: { planned: 0 } });
    expect(await applyTenants("one", "&status=waiting")).toHaveLength(1);
    expect(await stateOf()).toEqual({});
  });

  it("logs and counts what was begun, and begins nothing more", async () => {
    await sendPart("one", "1/1", tenantsOf(names(101)));
    await ring();
    await ring();
    await swap(stopAt("recordAll"));
    await ring();
    await evict();
    await ring();
    expect(await readApply("one")).toMatchObject({ state: "cancelled", tenants: { done: 100 } });
    expect(await acts()).toHaveLength(100);
    expect(Object.keys(await stateOf())).toHaveLength(100);
  });
});

describe("an object that is nearly full", () => {
  it("takes no part, but for those that it has, and goes on with what is whole", async () => {
    await sendPart("whole", "1/1", tenantsOf(["a"]));
    await sendPart("one", "1/2", tenantsOf(["b"]));
    // A free Worker's object has 1 GB.
    await inApplies(({ sql }) =>
      Object.defineProperty(sql, "databaseSize", { value: 900_000_000, configurable: true }),
    );
    const full = await sendPart("one", "2/2", tenantsOf(["c"]));
    expect([full.status, full.body.kind]).toEqual([503, "storage_full"]);
    expect((await sendPart("one", "1/2", tenantsOf(["b"]))).status).toBe(200);
    expect((await readApply("one")).parts).toEqual({ total: 2, stored: 1, missing: [2] });
    expect(await runToEnd("whole")).toMatchObject({ tenants: { done: 1 } });
    await evict();
    expect((await sendPart("one", "2/2", tenantsOf(["c"]))).status).toBe(200);
  });
});

describe("an id", () => {
  it("lives for a day, and may then be used again", async () => {
    await sendPart("one", "1/2", tenantsOf(["a"]));
    later(86_400_000 - 1);
    expect((await readApply("one")).state).toBe("collecting");
    later(1);
    expect((await admin("GET", "/admin/state/applies/one")).status).toBe(404);
    await sendPart("one", "1/1", tenantsOf(["b"]));
    expect(await runToEnd("one")).toMatchObject({ counts: { create: 1 } });
    expect(Object.keys(await stateOf())).toEqual(["b"]);
  });

  it("is told of for an hour after a run that lasted into the next day", async () => {
    await sendPart("one", "1/1", tenantsOf(["a"]));
    later(86_400_000);
    await ring();
    expect(await readApply("one")).toMatchObject({ state: "expired", tenants: { done: 0 } });
    later(3_600_000);
    expect((await admin("GET", "/admin/state/applies/one")).status).toBe(404);
  });

  it("leaves no row behind", async () => {
    await sendPart("one", "1/2", tenantsOf(names(400, "a")));
    await sendPart("two", "1/1", tenantsOf(["b"]));
    await runToEnd("two");
    later(90_000_000);
    for (let round = 0; round < 4; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
      await ring();
    }
    const rows = await inApplies((storage) =>
      ["applies", "apply_parts", "apply_tenants"].map((table) =>
        storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
      ),
    );
    expect(rows).toEqual([[], [], []]);
    expect(await inApplies((storage) => storage.getAlarm())).toBeNull();
  });

  it("is one of four that are open, and of the last sixteen that have ended", async () => {
    for (const id of ["one", "two", "three", "four"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await sendPart(id, "1/2", tenantsOf(["a"]))).status).toBe(200);
    }
    const fifth = await sendPart("five", "1/2", tenantsOf(["a"]));
    expect([fifth.status, fifth.body.kind]).toEqual([409, "apply_conflict"]);
    await admin("DELETE", "/admin/state/applies/one");
    expect((await sendPart("five", "1/2", tenantsOf(["a"]))).status).toBe(200);
    for (let at = 0; at < 16; at += 1) {
      // oxlint-disable no-await-in-loop -- one after the other
      await admin("DELETE", "/admin/state/applies/five");
      await admin("DELETE", `/admin/state/applies/n${at - 1}`);
      await sendPart(`n${at}`, "1/2", tenantsOf(["a"]));
      // oxlint-enable no-await-in-loop
    }
    expect((await admin("GET", "/admin/state/applies/one")).status).toBe(404);
    expect((await admin("GET", "/admin/state/applies/n0")).status).toBe(200);
  });
});
