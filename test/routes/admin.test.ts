import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { admin, ask, makeKey, makeTenant, type Reply, type TestTenant } from "../client.ts";

// What the platform and a tenant's `manage` key change: settings, keys, policies, and the record
// of it.

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("managed");
});

const pointers = ({ body }: Reply): string[] =>
  body.errors.map(({ pointer }: { pointer: string }) => pointer);

describe("settings", () => {
  it.each([
    ["aliases", "auto"],
    ["fallbacks", ["@cf/microsoft/resnet-50"]],
  ])("holds %s to their limit once a PATCH is merged", async (field, value) => {
    const path = "/admin/tenants/named";
    await admin("PUT", path, { plan: "free", daily_neurons: 1 });
    const names = (from: number, to: number) =>
      Object.fromEntries(Array.from({ length: to - from }, (_, at) => [`n${from + at}`, value]));
    expect((await admin("PATCH", path, { [field]: names(0, 60) })).status).toBe(200);
    const refused = await admin("PATCH", path, { [field]: names(60, 101) });
    expect([refused.status, pointers(refused)]).toEqual([400, [`#/${field}`]]);
    const fits = await admin("PATCH", path, { [field]: { ...names(60, 101), n0: null } });
    expect(Object.keys(fits.body[field])).toHaveLength(100);
    // So the document of all tenants can always be sent back.
    expect(
      (await admin("PUT", "/admin/state", (await admin("GET", "/admin/state")).body)).status,
    ).toBe(200);
  });

  it("takes defaults with PUT and keeps the rest with PATCH", async () => {
    const put = await admin("PUT", "/admin/tenants/settings", {
      plan: "paid",
      daily_neurons: 12.345678,
      overage_cap_neurons: 3.5,
      rpm: { text_generation: 7 },
    });
    expect(put.status).toBe(201);
    expect(put.headers.get("ETag")).toBe('"1"');
    expect(put.body).toMatchObject({
      plan: "paid",
      daily_neurons: 12.345678,
      rpm: { requests: 300, text_generation: 7 },
      max_in_flight: 50,
      models: null,
      version: 1,
    });
    const patched = await admin("PATCH", "/admin/tenants/settings", {
      rpm: { text_generation: null, text_embeddings: 3 },
      max_in_flight: 4,
    });
    expect(patched.body).toMatchObject({
      daily_neurons: 12.345678,
      rpm: { requests: 300, text_embeddings: 3 },
      max_in_flight: 4,
      version: 2,
    });
    expect(patched.body.rpm.text_generation).toBeUndefined();
    const back = await admin("PATCH", "/admin/tenants/settings", { max_in_flight: null });
    expect(back.body.max_in_flight).toBe(50);
    const again = await admin("PUT", "/admin/tenants/settings", { plan: "free", daily_neurons: 1 });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ plan: "free", rpm: { requests: 300 }, version: 4 });
  });

  it("honours If-Match", async () => {
    const path = "/admin/tenants/managed";
    const change = (ifMatch: string) =>
      ask("PATCH", path, {
        key: env.ADMIN_TOKEN,
        body: { max_in_flight: 49 },
        headers: { "If-Match": ifMatch },
      });
    const { version } = (await admin("GET", path)).body;
    const stale = await change(`"${version - 1}"`);
    expect(stale.status).toBe(412);
    expect(stale.body).toMatchObject({ kind: "version_conflict", version });
    expect((await change(`"${version}"`)).status).toBe(200);
    expect((await change("*")).status).toBe(200);
    expect((await change("yesterday")).status).toBe(400);
  });

  it("makes a tenant with If-Match of version 0, and replaces none", async () => {
    const request = {
      key: env.ADMIN_TOKEN,
      body: { plan: "free", daily_neurons: 1 },
      headers: { "If-Match": '"0"' },
    };
    expect((await ask("PUT", "/admin/tenants/new-or-none", request)).status).toBe(201);
    const { status, body } = await ask("PUT", "/admin/tenants/new-or-none", request);
    expect([status, body.kind, body.version]).toEqual([412, "version_conflict", 1]);
  });

  it.each([
    [{ plan: "free" }, "#/daily_neurons"],
    [{ plan: "gold", daily_neurons: 1 }, "#/plan"],
    [{ plan: "free", daily_neurons: -1 }, "#/daily_neurons"],
    [{ plan: "free", daily_neurons: 0.0000001 }, "#/daily_neurons"],
    [{ plan: "free", daily_neurons: 1, colour: "red" }, "#/colour"],
    [{ plan: "free", daily_neurons: 1, rpm: { everything: 5 } }, "#/rpm/everything"],
    [{ plan: "free", daily_neurons: 1, rpm: { requests: 0 } }, "#/rpm/requests"],
    [{ plan: "free", daily_neurons: 1, models: ["@cf/no/such"] }, "#/models/0"],
    [
      { plan: "free", daily_neurons: 1, overage_usd_per_1000_neurons: "x" },
      "#/overage_usd_per_1000_neurons",
    ],
    [{ plan: "free", daily_neurons: 1, max_in_flight: 1.5 }, "#/max_in_flight"],
  ])("refuses %j by name", async (body, pointer) => {
    const reply = await admin("PUT", "/admin/tenants/wrong", body);
    expect(reply.status).toBe(400);
    expect(pointers(reply)).toContain(pointer);
    expect((await admin("GET", "/admin/tenants/wrong")).status).toBe(404);
  });

  it.each(["UPPER", "-x", "a_b", "x".repeat(40), "a%2Fb", "%00"])(
    "refuses the id %s",
    async (id) => {
      const body = { plan: "free", daily_neurons: 1 };
      expect((await admin("PUT", `/admin/tenants/${id}`, body)).status).toBe(400);
    },
  );

  it("ends with DELETE: keys at once, and nothing of it is left to read", async () => {
    const ended = await makeTenant("short-lived");
    await ended.call("POST", "/v1/verdicts", { text: "Nice to meet you all here today" });
    expect((await admin("DELETE", "/admin/tenants/short-lived")).status).toBe(204);
    expect((await ended.call("GET", "/v1/limits")).status).toBe(401);
    expect((await admin("GET", "/admin/tenants/short-lived")).status).toBe(404);
    expect((await admin("DELETE", "/admin/tenants/short-lived")).status).toBe(404);
    const anew = await makeTenant("short-lived");
    expect((await ended.call("GET", "/v1/limits")).status).toBe(401);
    expect((await anew.call("GET", "/v1/verdicts")).body.data).toEqual([]);
  });
});

describe("keys", () => {
  it("are shown once, rotate and end", async () => {
    const issued = await tenant.call("POST", "/v1/keys", { name: "web", role: "review" });
    expect(issued.status).toBe(201);
    expect(issued.body).toMatchObject({ name: "web", role: "review", replaces: null });
    expect(issued.body.key).toMatch(/^ng_managed_[0-9A-Za-z]{43}$/);
    expect(issued.body.prefix).toBe(issued.body.key.slice(11, 15));
    const rotated = await tenant.call("POST", `/v1/keys/${issued.body.id}/rotate`, {
      overlap_s: 0,
    });
    expect(rotated.body).toMatchObject({ name: "web", role: "review", replaces: issued.body.id });
    expect((await ask("GET", "/v1/verdicts", { key: issued.body.key })).status).toBe(401);
    expect((await ask("GET", "/v1/verdicts", { key: rotated.body.key })).status).toBe(200);
    const listed = JSON.stringify((await tenant.call("GET", "/v1/keys")).body);
    expect(listed).not.toContain(rotated.body.key.slice(16));
    expect((await tenant.call("DELETE", `/v1/keys/${rotated.body.id}`)).status).toBe(204);
    expect((await ask("GET", "/v1/verdicts", { key: rotated.body.key })).status).toBe(401);
    expect((await tenant.call("DELETE", `/v1/keys/${rotated.body.id}`)).status).toBe(404);
  });

  it("go on beside the new one for the overlap", async () => {
    const old = await tenant.call("POST", "/v1/keys", {});
    await tenant.call("POST", `/v1/keys/${old.body.id}/rotate`);
    expect((await ask("GET", "/v1/limits", { key: old.body.key })).status).toBe(200);
  });

  it("give the same id and no key to a repeated idempotency key", async () => {
    const key = { "Idempotency-Key": "make-a-key" };
    const first = await tenant.call("POST", "/v1/keys", { name: "one" }, key);
    const again = await tenant.call("POST", "/v1/keys", { name: "one" }, key);
    expect(again.body).toMatchObject({ id: first.body.id, key: null });
    const other = await tenant.call("POST", "/v1/keys", { name: "two" }, key);
    expect(other.status).toBe(422);
  });

  it.each([
    [{ role: "root" }, "#/role"],
    [{ name: "" }, "#/name"],
    [{ name: "x".repeat(257) }, "#/name"],
    [{ expires_at: "soon" }, "#/expires_at"],
    [{ expires_at: "2020-01-01T00:00:00Z" }, "#/expires_at"],
    [{ tenant: "other" }, "#/tenant"],
  ])("refuses %j by name", async (body, pointer) => {
    const reply = await tenant.call("POST", "/v1/keys", body);
    expect(reply.status).toBe(400);
    expect(pointers(reply)).toEqual([pointer]);
  });
});

describe("PUT /v1/policies/:name", () => {
  const rule = { inputs: ["text"], required: false, flag: null, block: null, ban: null };
  const image = { ...rule, inputs: ["image"] };

  it("makes versions, of which the old ones can be read", async () => {
    const own = await makeTenant("versioned");
    const first = await own.call("PUT", "/v1/policies/house", { spam_phrases: ["one"] });
    const second = await own.call("PUT", "/v1/policies/house", { spam_phrases: ["two"] });
    expect([first.body.version, second.body.version]).toEqual([1, 2]);
    expect((await own.call("GET", "/v1/policies/house")).body).toEqual(second.body);
    expect((await own.call("GET", "/v1/policies/house?version=1")).body).toEqual(first.body);
    expect((await own.call("GET", "/v1/policies/house?version=3")).status).toBe(404);
    const listed = await own.call("GET", "/v1/policies");
    expect(listed.body.data.map((one: { name: string }) => one.name)).toEqual(["default", "house"]);
  });

  it.each([
    [{ categories: { negativity: { ...rule, block: 0.5 } } }, "#/categories/negativity"],
    [{ categories: { negativity: { ...rule, ban: 0.5 } } }, "#/categories/negativity"],
    [{ categories: { weapons: { ...image, block: 0.5 } } }, "#/categories/weapons"],
    [{ categories: { alcohol: { ...image, ban: 0.5 } } }, "#/categories/alcohol"],
    [{ categories: { swimwear: { ...image, block: 0 } } }, "#/categories/swimwear"],
    [{ categories: { spam: { ...rule, flag: 1.1 } } }, "#/categories/spam/flag"],
    [{ categories: { spam: { ...rule, flag: -0.1 } } }, "#/categories/spam/flag"],
    [{ categories: { spam: { ...rule, inputs: ["video"] } } }, "#/categories/spam/inputs/0"],
    [{ categories: { spam: { colour: "red" } } }, "#/categories/spam/colour"],
    [{ name: "other" }, "#/name"],
    [{ object: "verdict" }, "#/object"],
    [{ unevaluated: "approve" }, "#/unevaluated"],
    [{ language: "english" }, "#/language"],
    [{ categories: { evil: rule } }, "#/categories/evil"],
    [{ models: { judge: "@cf/no/such" } }, "#/models/judge"],
    [{ models: { judge: "@cf/defog/sqlcoder-7b-2" } }, "#/models/judge"],
    [{ models: { judge: "@cf/google/gemma-2b-it-lora" } }, "#/models/judge"],
    [{ models: { judge: "@cf/deepseek-ai/deepseek-v4-pro-0813" } }, "#/models/judge"],
    [{ models: { judge_fallback: "@cf/no/such" } }, "#/models/judge_fallback"],
    [{ models: { vision: "@cf/meta/llama-3.1-8b-instruct-fp8" } }, "#/models"],
    [{ models: { eye: null } }, "#/models/eye"],
    [{ on_unavailable: "approve" }, "#/on_unavailable"],
    [{ evaluate_all: "yes" }, "#/evaluate_all"],
    [{ terms: { block: [""] } }, "#/terms/block/0"],
    [{ terms: { block: ["x".repeat(201)] } }, "#/terms/block/0"],
    [{ terms: { block: Array.from({ length: 2001 }, () => "x") } }, "#/terms/block"],
    [{ version: 7 }, "#/version"],
  ])("refuses %j by name", async (body, pointer) => {
    const reply = await tenant.call("PUT", "/v1/policies/wrong", body);
    expect(reply.status).toBe(400);
    expect(pointers(reply)).toContain(pointer);
  });

  it("has a limit in bytes", async () => {
    const block = Array.from({ length: 3000 }, (_, at) => `${at}`.padEnd(190, "x"));
    const reply = await tenant.call("PUT", "/v1/policies/wrong", { terms: { block } });
    expect(reply.status).toBe(413);
    expect(reply.body.limit_bytes).toBe(524_288);
  });

  it("refuses names that are no names", async () => {
    for (const name of ["A", "..%2F", "x".repeat(65), "a%20b"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await tenant.call("PUT", `/v1/policies/${name}`, {})).status).toBe(400);
    }
  });
});

/** A request with eight metadata values. */
const eightTimes = (value: string) => ({
  text: "hi",
  metadata: Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`k${at}`, value])),
});

describe("what a body may be", () => {
  it.each([
    { body: '{"text":"hi","colour":"a secret word"}', pointer: "#/colour" },
    { body: '{"text":"hi","metadata":{"a":1}}', pointer: "#/metadata/a" },
    { body: '{"text":"hi","metadata":{"a secret word":1}}', pointer: "#/metadata/*" },
    { body: '{"text":7}', pointer: "#/text" },
    { body: '{"text":"hi","user_id":""}', pointer: "#/user_id" },
    { body: "[1]", pointer: "#" },
    { body: '"a secret word"', pointer: "#" },
    { body: '{"text":"a secret word"', pointer: "#" },
    { body: '{"text":"hi","__proto__":{"a":1}}', pointer: "#" },
    { body: '{"text":"hi","metadata":{"\\u005f_proto__":"x"}}', pointer: "#" },
    { body: "[".repeat(100) + "]".repeat(100), pointer: "#" },
    { body: `{"text":"hi","metadata":{${metadataOf(17)}}}`, pointer: "#/metadata" },
  ])("names $pointer and repeats nothing", async ({ body, pointer }) => {
    const reply = await tenant.call("POST", "/v1/verdicts", body);
    expect(reply.status).toBe(400);
    expect(pointers(reply)).toEqual([pointer]);
    expect(JSON.stringify(reply.body)).not.toContain("secret word");
  });

  it("bounds metadata in bytes, not in characters", async () => {
    expect((await tenant.call("POST", "/v1/verdicts", eightTimes("x".repeat(500)))).status).toBe(
      200,
    );
    const wide = await tenant.call("POST", "/v1/verdicts", eightTimes("語".repeat(500)));
    expect(wide.status).toBe(400);
    expect(pointers(wide)).toEqual(["#/metadata"]);
  });

  it.each(["toString", "hasOwnProperty", "valueOf"])("takes %s for a key like any", async (key) => {
    const metadata = { [key]: "x" };
    const { body } = await tenant.call("POST", "/v1/verdicts", { text: "hi", metadata });
    expect(body.metadata).toEqual(metadata);
  });
});

function metadataOf(count: number): string {
  return Array.from({ length: count }, (_, at) => `"k${at}":"v"`).join(",");
}

describe("GET /admin/audit", () => {
  it("records every act of the platform: who, what, on whom; no secret", async () => {
    const id = "audited";
    const requests: Reply[] = [];
    const act = async (method: string, path: string, body?: unknown) => {
      const reply = await admin(method, path, body);
      expect(reply.status).toBeLessThan(300);
      requests.push(reply);
      // oxlint-disable-next-line no-await-in-loop -- ids of one millisecond are in no order
      await scheduler.wait(2);
      return reply;
    };
    await act("PUT", `/admin/tenants/${id}`, { plan: "free", daily_neurons: 5 });
    await act("PATCH", `/admin/tenants/${id}`, { daily_neurons: 6, suspended: false });
    const key = await act("POST", `/admin/tenants/${id}/keys`, { role: "manage", name: "private" });
    const next = await act("POST", `/admin/tenants/${id}/keys/${key.body.id}/rotate`, {});
    await act("PUT", `/admin/tenants/${id}/policies/house`, { terms: { block: ["zyzzyva"] } });
    await act("PATCH", `/admin/tenants/${id}/policies/house`, { terms: { allow: ["zyzzyva"] } });
    await act("DELETE", `/admin/tenants/${id}/policies/house`);
    await act("DELETE", `/admin/tenants/${id}/keys/${key.body.id}`);
    await act("DELETE", `/admin/tenants/${id}`);

    const { body } = await admin("GET", `/admin/audit?tenant=${id}`);
    const entries = body.data.toReversed();
    expect(entries.map(({ action }: { action: string }) => action)).toEqual([
      "PUT /admin/tenants/{tenant}",
      "PATCH /admin/tenants/{tenant}",
      "POST /admin/tenants/{tenant}/keys",
      "POST /admin/tenants/{tenant}/keys/{id}/rotate",
      "PUT /admin/tenants/{tenant}/policies/{name}",
      "PATCH /admin/tenants/{tenant}/policies/{name}",
      "DELETE /admin/tenants/{tenant}/policies/{name}",
      "DELETE /admin/tenants/{tenant}/keys/{id}",
      "DELETE /admin/tenants/{tenant}",
    ]);
    expect(entries.map((entry: { request_id: string }) => entry.request_id)).toEqual(
      requests.map(({ headers }) => headers.get("x-request-id")),
    );
    for (const entry of entries) {
      expect(Object.keys(entry).toSorted()).toEqual(
        ["id", "object", "at", "actor", "action", "tenant", "request_id", "detail"].toSorted(),
      );
      expect(entry).toMatchObject({ actor: "admin_token", tenant: id });
    }
    expect(entries[1].detail).toEqual({ fields: ["daily_neurons", "suspended"], version: 2 });
    const told = JSON.stringify(body);
    for (const secret of [key.body.key, next.body.key, env.ADMIN_TOKEN, "zyzzyva"]) {
      expect(told).not.toContain(secret);
    }
    const reopened = await admin("POST", "/admin/account/reopen");
    const [newest] = (await admin("GET", "/admin/audit?limit=1")).body.data;
    expect(newest).toMatchObject({
      action: "POST /admin/account/reopen",
      tenant: null,
      request_id: reopened.headers.get("x-request-id"),
    });
  });

  it("records nothing of what a tenant does itself, nor of what only reads", async () => {
    const before = (await admin("GET", "/admin/audit")).body.data[0].id;
    await tenant.call("POST", "/v1/keys", {});
    await tenant.call("PUT", "/v1/policies/own", {});
    await admin("GET", "/admin/tenants/managed");
    expect((await admin("GET", "/admin/audit")).body.data[0].id).toBe(before);
  });

  it("is no success when the record could not be made", async () => {
    const lost = Object.assign(new Error("gone"), { retryable: true, remote: true });
    const deaf = { ACCOUNT: { getByName: () => ({ record: () => Promise.reject(lost) }) } };
    const reply = await ask("PATCH", "/admin/tenants/managed", {
      key: env.ADMIN_TOKEN,
      body: { max_in_flight: 48 },
      env: deaf,
    });
    expect(reply.status).toBe(503);
    expect(reply.body.kind).toBe("unavailable");
  });
});

describe("the list of tenants", () => {
  it("is by id, page by page", async () => {
    const seen: string[] = [];
    let cursor = "";
    do {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const { body } = await admin("GET", `/admin/tenants?limit=2${cursor}`);
      expect(body.data.length).toBeLessThanOrEqual(2);
      seen.push(...body.data.map((one: { id: string }) => one.id));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(seen.toSorted());
    expect(seen).toContain("managed");
    expect(seen).not.toContain("audited");
  });
});

describe("a tenant's keys", () => {
  it("open nothing of the platform's, whatever their role", async () => {
    for (const role of ["call", "review", "manage"] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const key = await makeKey("managed", role);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await ask("GET", "/admin/tenants/managed", { key })).status).toBe(401);
    }
  });
});
