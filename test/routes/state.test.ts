import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { reset } from "cloudflare:test";
import { ACCOUNT_NAME } from "../../durable-objects/account/account-protocol.ts";
import { admin, ask, makeKey, makeTenant, type Reply } from "../client.ts";

// The tenants as one document.

const FREE = { plan: "free", daily_neurons: 1000 };
const PAID = { plan: "paid", daily_neurons: 1000, overage_cap_neurons: 50, rpm: { requests: 60 } };

beforeEach(() => reset());

interface Ways {
  readonly dryRun?: boolean;
  readonly env?: Readonly<Record<string, unknown>>;
}

const put = (document: unknown, { dryRun = false, env: other }: Ways = {}): Promise<Reply> =>
  ask("PUT", `/admin/state${dryRun ? "?dry_run=true" : ""}`, {
    key: env.ADMIN_TOKEN,
    body: document,
    ...(other === undefined ? {} : { env: other }),
  });

const read = async (): Promise<Reply["body"]> => (await admin("GET", "/admin/state")).body;

const summary = ({ body }: Reply): unknown =>
  body.tenants.map(({ tenant, action, status }: Record<string, string>) =>
    [tenant, action, status].join(" "),
  );

const audit = async (): Promise<Reply["body"]> =>
  (await admin("GET", "/admin/audit")).body.data.filter(
    ({ action }: { action: string }) => action === "PUT /admin/state",
  );

/** Without what only the one that is carried out can say. */
const acts = ({ body }: Reply): unknown =>
  body.tenants.map((one: Record<string, unknown>) => ({ ...one, status: null, key: null }));

describe("PUT /admin/state", () => {
  it("makes tenants and changes them, and says which fields", async () => {
    const made = await put({ tenants: { beta: PAID, acme: FREE } });
    expect(made.status).toBe(200);
    expect(summary(made)).toEqual(["acme create done", "beta create done"]);
    expect(made.body).toMatchObject({
      object: "applied_state",
      dry_run: false,
      complete: true,
      counts: { create: 2, update: 0, unchanged: 0, suspend: 0, issue_keys: 0, failed: 0 },
    });
    const changed = await put({ tenants: { acme: { ...FREE, daily_neurons: 2000.5 } } });
    expect(changed.body.tenants).toEqual([
      {
        tenant: "acme",
        action: "update",
        changes: [{ field: "daily_neurons", from: 1000, to: 2000.5 }],
        issues_key: false,
        status: "done",
        failure: null,
        key: null,
      },
    ]);
    const acme = await admin("GET", "/admin/tenants/acme");
    expect(acme.body).toMatchObject({ daily_neurons: 2000.5, version: 2 });
    const beta = await admin("GET", "/admin/tenants/beta");
    expect(beta.body).toMatchObject({ plan: "paid", rpm: { requests: 60 }, version: 1 });
  });

  it("sent again changes nothing, and leaves no trace", async () => {
    const document = { tenants: { acme: FREE, beta: PAID } };
    await put(document);
    const before = await audit();
    const again = await put(document);
    expect(summary(again)).toEqual(["acme unchanged done", "beta unchanged done"]);
    expect(again.body.counts).toMatchObject({ unchanged: 2, create: 0, update: 0 });
    expect((await admin("GET", "/admin/tenants/acme")).body.version).toBe(1);
    expect(await audit()).toEqual(before);
  });

  it("gives a field that is left out its default again", async () => {
    await put({ tenants: { acme: { ...FREE, max_in_flight: 7 } } });
    const back = await put({ tenants: { acme: FREE } });
    expect(back.body.tenants[0].changes).toEqual([{ field: "max_in_flight", from: 7, to: 50 }]);
  });

  it("only plans with dry_run, to the letter what it then does", async () => {
    await put({ tenants: { acme: FREE } });
    const document = { tenants: { acme: PAID, beta: FREE }, prune: true, issue_keys: true };
    await put({ tenants: { gone: FREE } });
    const before = await read();
    const logged = await audit();
    const plan = await put(document, { dryRun: true });
    expect(plan.status).toBe(200);
    expect(plan.body).toMatchObject({ dry_run: true, complete: true });
    expect(summary(plan)).toEqual([
      "acme update planned",
      "beta create planned",
      "gone suspend planned",
    ]);
    expect(await read()).toEqual(before);
    expect(await audit()).toEqual(logged);
    expect((await admin("GET", "/admin/tenants/acme/keys")).body.data).toEqual([]);
    const done = await put(document);
    expect(acts(done)).toEqual(acts(plan));
    expect(done.body.counts).toEqual(plan.body.counts);
  });

  it("leaves tenants alone that are not named", async () => {
    await makeTenant("other");
    const reply = await put({ tenants: { acme: FREE } });
    expect(summary(reply)).toEqual(["acme create done"]);
    const other = await admin("GET", "/admin/tenants/other");
    expect(other.body).toMatchObject({ suspended: false, version: 1 });
  });

  it("with prune suspends them, deletes none, and wakes them when they are named again", async () => {
    const other = await makeTenant("other");
    const pruned = await put({ tenants: { acme: FREE }, prune: true });
    expect(summary(pruned)).toEqual(["acme create done", "other suspend done"]);
    expect((await other.call("GET", "/v1/limits")).body.kind).toBe("tenant_suspended");
    const again = await put({ tenants: { acme: FREE }, prune: true });
    expect(summary(again)).toEqual(["acme unchanged done", "other unchanged done"]);
    const named = await put({
      tenants: { acme: FREE, other: { plan: "free", daily_neurons: 10_000 } },
      prune: true,
    });
    expect(named.body.tenants[1].changes).toEqual([{ field: "suspended", from: true, to: false }]);
    expect((await other.call("GET", "/v1/limits")).status).toBe(200);
  });

  it("with prune refuses a document that names nobody, and suspends nobody", async () => {
    // Without tenants there is nobody to suspend, and GET's own document can be sent back.
    expect((await put({ ...(await read()), prune: true })).status).toBe(200);
    const other = await makeTenant("other");
    for (const dryRun of [true, false]) {
      // oxlint-disable-next-line no-await-in-loop -- the plan, then the act
      const refused = await put({ tenants: {}, prune: true }, { dryRun });
      expect(refused.status).toBe(400);
      expect(refused.body.errors).toEqual([
        { pointer: "#/prune", detail: expect.stringContaining("every tenant") },
      ]);
    }
    expect((await other.call("GET", "/v1/limits")).status).toBe(200);
  });

  it("names who did it in the audit log, change by change", async () => {
    await makeTenant("other");
    const reply = await put({ tenants: { acme: FREE }, prune: true, issue_keys: true });
    const entries = (await audit()).map(({ actor, tenant, detail, request_id }: never) => ({
      actor,
      tenant,
      detail,
      request_id,
    }));
    const request_id = reply.headers.get("x-request-id");
    const by = { actor: "admin_token", request_id };
    expect(entries).toHaveLength(3);
    expect(entries).toEqual(
      expect.arrayContaining([
        {
          ...by,
          tenant: "acme",
          detail: { act: "create", fields: ["daily_neurons", "plan"], version: 1 },
        },
        {
          ...by,
          tenant: "acme",
          detail: { act: "issue_key", key: reply.body.tenants[0].key.id, role: "call" },
        },
        { ...by, tenant: "other", detail: { act: "suspend", fields: ["suspended"], version: 2 } },
      ]),
    );
  });
});

describe("issue_keys", () => {
  it("issues one to each tenant that has none, shows it once, and it works", async () => {
    await makeTenant("has-one");
    const document = {
      tenants: { acme: FREE, "has-one": { plan: "free", daily_neurons: 10_000 } },
      issue_keys: true,
    };
    const first = await put(document);
    expect(first.body.counts).toMatchObject({ issue_keys: 1 });
    const [acme, other] = first.body.tenants;
    expect(acme).toMatchObject({ issues_key: true, key: { role: "call" } });
    expect(other).toMatchObject({ issues_key: false, key: null });
    expect((await ask("GET", "/v1/limits", { key: acme.key.key })).body.tenant).toBe("acme");
    const again = await put(document);
    expect(again.body.counts).toMatchObject({ issue_keys: 0 });
    expect(JSON.stringify(again.body)).not.toContain("ng_");
    const log = await admin("GET", "/admin/audit");
    expect(JSON.stringify(log.body)).not.toContain(acme.key.key);
  });

  it("counts keys that are in force alone", async () => {
    await put({ tenants: { acme: FREE } });
    const expires_at = new Date(Date.now() + 1000).toISOString();
    await admin("POST", "/admin/tenants/acme/keys", { expires_at });
    const ended = await admin("POST", "/admin/tenants/acme/keys", {});
    await admin("DELETE", `/admin/tenants/acme/keys/${ended.body.id}`);
    const plan = { tenants: { acme: FREE }, issue_keys: true };
    expect((await put(plan, { dryRun: true })).body.counts.issue_keys).toBe(0);
    vi.setSystemTime(Date.now() + 1001);
    const later = await put(plan, { dryRun: true });
    vi.useRealTimers();
    expect(later.body.counts.issue_keys).toBe(1);
  });

  it("issues none to a suspended tenant, nor without being told to", async () => {
    const suspended = await put({
      tenants: { acme: { ...FREE, suspended: true } },
      issue_keys: true,
    });
    expect(suspended.body.counts.issue_keys).toBe(0);
    expect((await put({ tenants: { beta: FREE } })).body.tenants[0].key).toBeNull();
  });
});

describe("GET /admin/state", () => {
  it("gives the document of which PUT changes nothing", async () => {
    await makeTenant("acme", { rpm: { requests: 7, text_generation: 3 }, models: [] });
    await makeTenant("beta", { plan: "paid", overage_usd_per_1000_neurons: "0.02" });
    await admin("PATCH", "/admin/tenants/beta", { suspended: true });
    const state = await read();
    expect(Object.keys(state.tenants)).toEqual(["acme", "beta"]);
    expect(state).toMatchObject({
      object: "state",
      prune: false,
      issue_keys: false,
      has_more: false,
      next_cursor: null,
    });
    const again = await put({ ...state, prune: true });
    expect(summary(again)).toEqual(["acme unchanged done", "beta unchanged done"]);
    expect(await read()).toEqual(state);
  });

  it("has no tenant that was deleted", async () => {
    await makeTenant("acme");
    await admin("DELETE", "/admin/tenants/acme");
    expect((await read()).tenants).toEqual({});
    expect(summary(await put({ tenants: { acme: FREE } }))).toEqual(["acme create done"]);
  });
});

/** The account's object as it is, but for what is given. */
function account(changed: Readonly<Record<string, (...given: never[]) => unknown>>) {
  const real = env.ACCOUNT.getByName(ACCOUNT_NAME);
  const stub = new Proxy(real, {
    get: (target, name) =>
      changed[String(name)] ?? ((...given: unknown[]) => Reflect.get(target, name)(...given)),
  });
  return { ACCOUNT: { getByName: () => stub } };
}

const down = () =>
  Promise.reject(Object.assign(new Error("gone"), { retryable: true, remote: true }));

const DAILY = "#/tenants/demo/daily_neurons";

describe("what fails", () => {
  it("is said, stops nothing else, and is done when the document is sent again", async () => {
    const real = env.ACCOUNT.getByName(ACCOUNT_NAME);
    const flaky = account({
      putTenant: (id: string, change: never, ifMatch: never) =>
        id === "beta" ? down() : real.putTenant(id, change, ifMatch),
    });
    const document = { tenants: { acme: FREE, beta: FREE, gamma: FREE }, issue_keys: true };
    const partly = await put(document, { env: flaky });
    expect(partly.status).toBe(207);
    expect(summary(partly)).toEqual([
      "acme create done",
      "beta create failed",
      "gamma create done",
    ]);
    expect(partly.body).toMatchObject({ complete: false, counts: { failed: 1 } });
    expect(partly.body.tenants[1]).toMatchObject({ failure: "unavailable", key: null });
    const again = await put(document);
    expect(again.status).toBe(200);
    expect(summary(again)).toEqual([
      "acme unchanged done",
      "beta create done",
      "gamma unchanged done",
    ]);
    expect(again.body.counts.issue_keys).toBe(1);
  });

  it("is a bug that one tenant meets: the others are done, and it is told as what it is", async () => {
    const real = env.ACCOUNT.getByName(ACCOUNT_NAME);
    const flawed = account({
      putTenant: (id: string, change: never, ifMatch: never) =>
        id === "beta" ? Promise.reject(new TypeError("x")) : real.putTenant(id, change, ifMatch),
      recordAll: (entries: never) => real.recordAll(entries),
    });
    const document = { tenants: { acme: FREE, beta: FREE, gamma: FREE } };
    const reply = await put(document, { env: flawed });
    expect(reply.status).toBe(207);
    expect(summary(reply)).toEqual(["acme create done", "beta create failed", "gamma create done"]);
    expect(reply.body.tenants[1]).toMatchObject({ failure: "internal" });
  });

  it("is a change that came in between: it is not undone", async () => {
    await makeTenant("acme");
    const real = env.ACCOUNT.getByName(ACCOUNT_NAME);
    const late = account({
      putTenant: async (id: string, change: never, ifMatch: never) => {
        await admin("PATCH", "/admin/tenants/acme", { max_in_flight: 9 });
        return real.putTenant(id, change, ifMatch);
      },
    });
    const reply = await put({ tenants: { acme: FREE } }, { env: late });
    expect(reply.status).toBe(207);
    expect(reply.body.tenants[0]).toMatchObject({ status: "failed", failure: "version_conflict" });
    const acme = await admin("GET", "/admin/tenants/acme");
    expect(acme.body).toMatchObject({ daily_neurons: 10_000, max_in_flight: 9 });
  });

  it.each([
    [`{"tenants":{"demo":FREE,"acme":FREE,"demo":PAID}}`, "#/tenants/demo"],
    [`{"tenants":{"demo":FREE,"\\u0064emo":FREE}}`, "#/tenants/demo"],
    [`{"tenants":{"demo":{"plan":"free","daily_neurons":1,"daily_neurons":7}}}`, DAILY],
    [`{"tenants":{"a":FREE},"tenants":{"b":FREE}}`, "#/tenants"],
    [`{"tenants":{"a":FREE},"prune":false,"prune":true}`, "#/prune"],
  ])("is a document that has something twice, and nothing is done: %s", async (form, pointer) => {
    const text = form
      .replaceAll("FREE", `{"plan":"free","daily_neurons":1}`)
      .replaceAll("PAID", `{"plan":"paid","daily_neurons":7,"overage_cap_neurons":1}`);
    for (const part of ["", "?apply=one&part=1/1"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await ask("PUT", `/admin/state${part}`, { key: env.ADMIN_TOKEN, body: text });
      expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
      expect(reply.body.errors).toEqual([{ pointer, detail: "must be given once" }]);
    }
    expect((await read()).tenants).toEqual({});
  });

  it("is a tenant that was made in between: it is not replaced", async () => {
    const real = env.ACCOUNT.getByName(ACCOUNT_NAME);
    const late = account({
      putTenant: async (id: string, change: never, ifMatch: never) => {
        await makeTenant("acme", { daily_neurons: 777 });
        return real.putTenant(id, change, ifMatch);
      },
    });
    const reply = await put({ tenants: { acme: FREE } }, { env: late });
    expect(reply.status).toBe(207);
    expect(reply.body.tenants[0]).toMatchObject({ status: "failed", failure: "version_conflict" });
    const acme = await admin("GET", "/admin/tenants/acme");
    expect(acme.body).toMatchObject({ daily_neurons: 777, version: 1 });
  });

  it("is a record that could not be made: the act is no success, and no key is shown", async () => {
    const deaf = account({ recordAll: down });
    const reply = await put({ tenants: { acme: FREE }, issue_keys: true }, { env: deaf });
    expect(reply.status).toBe(207);
    expect(reply.body.tenants[0]).toMatchObject({
      status: "failed",
      failure: "unavailable",
      key: null,
    });
  });

  it("is nothing done at all when what is there cannot be read", async () => {
    await makeTenant("acme");
    const silent = { TENANT: { getByName: () => ({ readProfile: down }) } };
    const document = { tenants: { acme: PAID, beta: FREE } };
    for (const other of [silent, account({ listedAmong: down })]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await put(document, { env: other });
      expect([reply.status, reply.body.kind]).toEqual([503, "unavailable"]);
    }
    const unlisted = await put(
      { ...document, prune: true },
      { env: account({ listTenants: down }) },
    );
    expect(unlisted.status).toBe(503);
    expect(Object.keys((await read()).tenants)).toEqual(["acme"]);
    expect((await read()).tenants.acme.plan).toBe("free");
  });

  it("is nothing done when it cannot be told who has keys", async () => {
    await makeTenant("acme");
    const real = env.TENANT.getByName("acme");
    const stub = { readProfile: (caller: never) => real.readProfile(caller), listKeys: down };
    const document = { tenants: { acme: PAID }, issue_keys: true };
    const reply = await put(document, { env: { TENANT: { getByName: () => stub } } });
    expect(reply.status).toBe(503);
    expect((await read()).tenants.acme.plan).toBe("free");
  });
});

describe("a document", () => {
  it.each<[string, unknown]>([
    ["#/tenants/acme/plan", { tenants: { acme: { daily_neurons: 1 } } }],
    ["#/tenants/acme/daily_neurons", { tenants: { acme: { plan: "free", daily_neurons: "1" } } }],
    ["#/tenants/acme/colour", { tenants: { acme: { ...FREE, colour: "red" } } }],
    ["#/tenants/Acme", { tenants: { Acme: FREE } }],
    ["#/tenants/constructor", { tenants: { constructor: FREE } }],
    ["#/tenants", {}],
    ["#/prune", { tenants: {}, prune: "yes" }],
    ["#/delete", { tenants: {}, delete: true }],
  ])("is refused whole for %s", async (pointer, document) => {
    const reply = await put(document);
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
    expect(reply.body.errors[0].pointer).toBe(pointer);
    expect((await read()).tenants).toEqual({});
  });

  it("is refused whole when one tenant of several is wrong", async () => {
    const reply = await put({ tenants: { acme: FREE, beta: { plan: "gold" } } });
    expect(reply.status).toBe(400);
    expect((await read()).tenants).toEqual({});
  });

  it("names at most 500 tenants and has at most a megabyte", async () => {
    const tenants = Object.fromEntries(
      Array.from({ length: 501 }, (_, at) => [`t${at}`, FREE] as const),
    );
    expect((await put({ tenants })).body.errors[0].pointer).toBe("#/tenants");
    const aliases = Object.fromEntries(
      Array.from({ length: 5000 }, (_, at) => [`${at}`.padStart(120, "a"), "auto"] as const),
    );
    const large = await put({ tenants: { a: { ...FREE, aliases }, b: { ...FREE, aliases } } });
    expect(large.status).toBe(413);
  });

  it("asks for a plan in no other words than true and false", async () => {
    const reply = await ask("PUT", "/admin/state?dry_run=yes", {
      key: env.ADMIN_TOKEN,
      body: { tenants: { acme: FREE } },
    });
    expect(reply.status).toBe(400);
    expect((await read()).tenants).toEqual({});
  });
});

const get = (query: string, more: Parameters<typeof ask>[2] = {}): Promise<Reply> =>
  ask("GET", `/admin/state${query}`, { key: env.ADMIN_TOKEN, ...more });
const names = ({ body }: Reply): string[] => Object.keys(body.tenants);
const NDJSON = { headers: { Accept: "application/x-ndjson" } };
const linesOf = ({ body }: Reply): { tenant: string; settings: object }[] =>
  body
    .split("\n")
    .slice(0, -1)
    .map((line: string) => JSON.parse(line));

describe("GET /admin/state by page", () => {
  it("goes on behind its cursor until the last tenant", async () => {
    for (const id of ["a", "b", "c", "d", "e"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await makeTenant(id);
    }
    const first = await get("?limit=2");
    expect([names(first), first.body.has_more]).toEqual([["a", "b"], true]);
    await admin("DELETE", "/admin/tenants/c");
    const second = await get(`?limit=2&cursor=${first.body.next_cursor}`);
    expect([names(second), second.body.has_more]).toEqual([["d", "e"], false]);
    expect(second.body.next_cursor).toBeNull();
    // An empty cursor is the first page.
    expect(names(await get("?cursor=&limit=1"))).toEqual(["a"]);
  });

  it("asks the objects of its own tenants alone", async () => {
    for (const id of ["a", "b", "c"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await makeTenant(id);
    }
    const woken: string[] = [];
    const TENANT = {
      getByName: (id: string) => {
        woken.push(id);
        return env.TENANT.getByName(id);
      },
    };
    await get("?limit=2", { env: { TENANT } });
    expect(woken).toEqual(["a", "b"]);
  });

  it("cannot be sent back so as to suspend the tenants of other pages", async () => {
    await makeTenant("a");
    await makeTenant("b");
    const { body: page } = await get("?limit=1");
    const refused = await put({ ...page, prune: true });
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, "#/prune"]);
    expect(summary(await put(page))).toEqual(["a unchanged done"]);
  });

  it.each(["a", "e30", "WyJzcGVudCIsMCwiYSJd", "%00", "x".repeat(256)])(
    "takes no cursor but its own: %s",
    async (cursor) => {
      const reply = await get(`?cursor=${cursor}`);
      expect([reply.status, reply.body.errors[0].pointer]).toEqual([400, "#/cursor"]);
    },
  );

  it.each(["0", "501", "-1", "x"])("takes no limit of %s", async (limit) => {
    expect((await get(`?limit=${limit}`)).body.errors[0].pointer).toBe("#/limit");
  });

  it("comes as one stream, tenant by tenant, from a cursor on", async () => {
    const ids = Array.from({ length: 70 }, (_, at) => `t${at + 10}`);
    await put({ tenants: Object.fromEntries(ids.map((id) => [id, FREE] as const)) });
    const all = await get("", NDJSON);
    expect(all.headers.get("Content-Type")).toBe("application/x-ndjson");
    const { tenants, next_cursor } = (await get("?limit=60")).body;
    expect(linesOf(all).map(({ tenant }) => tenant)).toEqual(ids);
    expect(linesOf(all)[7]).toEqual({ tenant: "t17", settings: tenants["t17"] });
    const rest = await get(`?cursor=${next_cursor}`, NDJSON);
    expect(linesOf(rest).map(({ tenant }) => tenant)).toEqual(ids.slice(60));
  });

  it("breaks off, and does not end, where a later page cannot be read", async () => {
    const ids = Array.from({ length: 60 }, (_, at) => `t${at + 10}`);
    await put({ tenants: Object.fromEntries(ids.map((id) => [id, FREE] as const)) });
    const TENANT = {
      getByName: (id: string) => (id === "t65" ? { readProfile: down } : env.TENANT.getByName(id)),
    };
    await expect(async () => get("", { ...NDJSON, env: { TENANT } })).rejects.toThrow();
    expect((await get("?limit=50", { env: { TENANT } })).status).toBe(200);
    expect((await get("", { env: { TENANT } })).body.kind).toBe("unavailable");
  });
});

describe("more tenants than a document can name", () => {
  it("are not pruned", async () => {
    const crowd = account({ listTenants: () => Promise.resolve({ ids: [], more: true }) });
    const pruned = await put({ tenants: {}, prune: true }, { env: crowd });
    expect([pruned.status, pruned.body.errors[0].pointer]).toEqual([400, "#/prune"]);
    expect(pruned.body.detail).toBe(
      "prune needs a document in parts (apply, part): there are more than 500 tenants, and one body can name no more.",
    );
    expect((await put({ tenants: { acme: FREE } }, { env: crowd })).status).toBe(200);
  });
});

describe("forty tenants", () => {
  it("are made in one go", async () => {
    const ids = Array.from({ length: 40 }, (_, at) => `t${at}`);
    const tenants = Object.fromEntries(ids.map((id) => [id, FREE] as const));
    const made = await put({ tenants, issue_keys: true });
    expect(made.body.counts).toMatchObject({ create: 40, issue_keys: 40, failed: 0 });
    const keys = new Set(made.body.tenants.map(({ key }: { key: { key: string } }) => key.key));
    expect(keys.size).toBe(40);
    expect(await makeKey("t39", "call")).toMatch(/^ng_t39_/);
  });
});
