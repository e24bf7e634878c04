import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ask, makeKey, makeTenant, type TestTenant } from "../client.ts";
import { cleanUp, DAY_MS, inTenant, rows, SECOND, stopClock } from "../durable-objects/a-tenant.ts";
import { until } from "../until.ts";

// How documents are stored, given out and deleted. What is done with them: document-tasks.test.ts.

const path = "/v1/documents";
const REPORT = { type: "report", content: "The bridge was repaired in May.", tasks: [] };

let tenant: TestTenant;
beforeEach(async () => {
  stopClock();
  tenant = await makeTenant("papers");
});
afterEach(cleanUp);

const ring = () => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

const storedKeys = async (): Promise<string[]> =>
  (await env.IMAGES.list()).objects.map(({ key }) => key);

const filesOf = async (): Promise<number> =>
  (await storedKeys()).filter((key) => key.includes("/documents/")).length;

async function store(change: Record<string, unknown> = {}, headers = {}) {
  const reply = await tenant.call("POST", path, { ...REPORT, ...change }, headers);
  expect([reply.status, reply.body]).toEqual([200, expect.anything()]);
  return reply;
}

/** The bucket of the tenant's object, or another one. */
const swapBucket = (IMAGES: unknown) =>
  inTenant(tenant.id, (_, instance) => {
    const value = { ...env, IMAGES, USAGE: undefined };
    Object.defineProperty(instance, "env", { value, configurable: true });
  });

describe("POST /v1/documents", () => {
  it("stores the text and tells of it", async () => {
    const content = "Café \u{1f600} \r\nin Köln";
    const { body, headers } = await store({ content, user_id: "u_7", language: "de" });
    expect(body).toEqual({
      id: expect.stringMatching(/^doc_[0-9A-Z]{26}$/),
      object: "document",
      state: "ready",
      type: "report",
      user_id: "u_7",
      content_type: "text/plain",
      language: "de",
      bytes: new TextEncoder().encode(content).length,
      characters: content.length,
      hidden_passages: 0,
      tasks: [],
      results: {},
      micro_neurons: 0,
      neurons: 0,
      created_at: new Date().toISOString(),
      expires_at: new Date(Date.now() + 30 * DAY_MS).toISOString(),
    });
    expect(headers.get("x-neurogate-micro-neurons")).toBe("0");
    const read = await tenant.call("GET", `${path}/${body.id}?include=text`);
    expect(read.body).toEqual({ ...body, text: content });
    const [line] = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(line).toMatchObject({ route: "POST /v1/documents", micro_neurons: 0, items: [] });
  });

  it("takes the caller's own id, once until it is deleted", async () => {
    await store({ id: "doc_invoice-7" });
    const again = await tenant.call("POST", path, { ...REPORT, id: "doc_invoice-7" });
    expect([again.status, again.body.errors]).toMatchObject([400, [{ pointer: "#/id" }]]);
    expect((await tenant.call("DELETE", `${path}/doc_invoice-7`)).status).toBe(204);
    await store({ id: "doc_invoice-7", content: "Another text." });
    const read = await tenant.call("GET", `${path}/doc_invoice-7?include=text`);
    expect(read.body.text).toBe("Another text.");
    // The files of the first one go, those of the second stay.
    expect(await filesOf()).toBe(2);
    await ring();
    expect(await filesOf()).toBe(1);
    expect((await tenant.call("GET", `${path}/doc_invoice-7?include=text`)).body.text).toBe(
      "Another text.",
    );
  });

  it("is the same document for a repeated idempotency key", async () => {
    const first = await store({}, { "Idempotency-Key": "d1" });
    const again = await store({}, { "Idempotency-Key": "d1" });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await tenant.call("GET", path)).body.data).toHaveLength(1);
  });

  it.each([
    [{ type: "novel" }, "#/type"],
    [{ content: "" }, "#/content"],
    [{ categories: ["bill", "other", "bill"] }, "#/categories/2"],
    [{ content: "x".repeat(1_048_577) }, "#/content"],
    [{ content: undefined }, "#/content"],
    [{ id: "vrd_1" }, "#/id"],
    [{ id: `doc_${"x".repeat(61)}` }, "#/id"],
    [{ id: "doc_a/b" }, "#/id"],
    [{ retention_days: 0 }, "#/retention_days"],
    [{ retention_days: 3651 }, "#/retention_days"],
    [{ language: "English" }, "#/language"],
    [{ tasks: ["translate"] }, "#/tasks/0"],
    [{ metadata: {} }, "#/metadata"],
  ])("refuses %j, and keeps nothing", async (change, pointer) => {
    const reply = await tenant.call("POST", path, { ...REPORT, ...change });
    expect(reply.status).toBe(400);
    expect(reply.body.errors).toMatchObject([{ pointer }]);
    expect(await filesOf()).toBe(0);
  });

  it("keeps nothing when the bucket fails, and frees the id", async () => {
    const broken = {
      ...env.IMAGES,
      put: () => Promise.reject(new Error("internal error (10001)")),
    };
    const body = { ...REPORT, id: "doc_1" };
    const reply = await ask("POST", path, { key: tenant.key, body, env: { IMAGES: broken } });
    expect([reply.status, reply.body.kind]).toEqual([503, "unavailable"]);
    expect((await tenant.call("GET", `${path}/doc_1`)).status).toBe(404);
    await store({ id: "doc_1" });
  });

  it("says so where there is no bucket", async () => {
    const reply = await ask("POST", path, {
      key: tenant.key,
      body: REPORT,
      env: { IMAGES: undefined },
    });
    expect([reply.status, reply.body.kind]).toEqual([501, "engine_unsupported"]);
  });
});

describe("a call that died", () => {
  it("leaves a document in processing, which goes with its files", async () => {
    // The last word of the call never comes.
    const deaf = await inTenant(tenant.id, (_, instance) => {
      const settle = vi.spyOn(Object.getPrototypeOf(instance), "settle");
      return settle.mockImplementation(() => new Promise(() => {}));
    });
    void tenant.call("POST", path, { ...REPORT, id: "doc_1" }).catch(() => undefined);
    await until(() => deaf.mock.calls.length > 0);
    deaf.mockRestore();
    const { body } = await tenant.call("GET", `${path}/doc_1?include=text`);
    expect(body).toMatchObject({ state: "processing", results: null, text: null });
    vi.setSystemTime(Date.now() + 179 * SECOND);
    await ring();
    expect(await filesOf()).toBeGreaterThan(0);
    vi.setSystemTime(Date.now() + 2 * SECOND);
    await ring();
    expect(await filesOf()).toBe(0);
    expect((await tenant.call("GET", `${path}/doc_1`)).status).toBe(404);
  });
});

const idsIn = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id);

describe("GET /v1/documents", () => {
  it("lists the newest first, page by page, by type and by person", async () => {
    const ids: string[] = [];
    for (const [at, type] of ["email", "report", "email"].entries()) {
      vi.setSystemTime(Date.now() + SECOND);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { body } = await store({ type, id: `doc_${9 - at}`, user_id: at === 1 ? "a" : "b" });
      ids.unshift(body.id);
    }
    const listed = async (query: string) => (await tenant.call("GET", path + query)).body;
    expect(idsIn(await listed(""))).toEqual(ids);
    const first = await listed("?limit=2");
    expect([idsIn(first), first.has_more]).toEqual([ids.slice(0, 2), true]);
    const second = await listed(`?limit=2&cursor=${first.next_cursor}`);
    expect([idsIn(second), second.has_more]).toEqual([ids.slice(2), false]);
    expect(idsIn(await listed("?type=email"))).toEqual([ids[0], ids[2]]);
    expect(idsIn(await listed("?user_id=a"))).toEqual([ids[1]]);
    expect((await tenant.call("GET", `${path}?type=novel`)).status).toBe(400);
  });

  it("is of the caller's tenant alone, and not for reviewers", async () => {
    const { body } = await store({ id: "doc_1" });
    const other = await makeTenant("papers-other");
    expect((await other.call("GET", `${path}/${body.id}`)).status).toBe(404);
    expect((await other.call("DELETE", `${path}/${body.id}`)).status).toBe(404);
    expect((await other.call("GET", path)).body.data).toEqual([]);
    // Its id is another one of another tenant.
    expect((await other.call("POST", path, { ...REPORT, id: "doc_1" })).status).toBe(200);
    const key = await makeKey(tenant.id, "review");
    expect((await ask("GET", `${path}/${body.id}`, { key })).body.kind).toBe("role_required");
  });
});

describe("the end of a document", () => {
  it("may come while it is stored: then it is not said to be ready, and no reply is kept", async () => {
    const key = { "Idempotency-Key": "d1" };
    const wait = vi.spyOn(env.IMAGES, "put").mockImplementationOnce(async (...file) => {
      const gone = await tenant.call("DELETE", `${path}/doc_gone`);
      expect(gone.status).toBe(204);
      return env.IMAGES.put(...file);
    });
    const made = await tenant.call("POST", path, { ...REPORT, id: "doc_gone" }, key);
    wait.mockRestore();
    expect([made.status, made.body.kind]).toEqual([404, "not_found"]);
    expect(await rows(tenant.id, "SELECT * FROM replies")).toEqual([]);
    expect((await tenant.call("GET", path)).body.data).toEqual([]);
  });

  it("comes after its retention, to the day, with the files", async () => {
    await store({ retention_days: 400 });
    await store({ id: "doc_short", retention_days: 2 });
    expect(await filesOf()).toBe(2);
    const expiresMs = Date.now() + 2 * DAY_MS;
    await ring();
    const armed = await inTenant(tenant.id, ({ storage }) => storage.getAlarm());
    expect(armed ?? Infinity).toBeLessThanOrEqual(expiresMs);
    vi.setSystemTime(expiresMs - 1);
    expect((await tenant.call("GET", `${path}/doc_short`)).status).toBe(200);
    vi.setSystemTime(Date.now() + 1);
    expect((await tenant.call("GET", `${path}/doc_short`)).status).toBe(404);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await ring();
    expect(await filesOf()).toBe(1);
    expect(await rows(tenant.id, "SELECT id FROM documents")).toHaveLength(1);
    expect(await rows(tenant.id, "SELECT * FROM document_files")).toEqual([]);
  });

  it("is asked of a bucket that fails again", async () => {
    const { body } = await store();
    const broken = { delete: () => Promise.reject(new Error("internal error (10001)")) };
    await swapBucket(broken);
    expect((await tenant.call("DELETE", `${path}/${body.id}`)).status).toBe(204);
    expect((await tenant.call("GET", `${path}/${body.id}`)).status).toBe(404);
    await ring();
    expect(await filesOf()).toBe(1);
    await swapBucket(env.IMAGES);
    vi.setSystemTime(Date.now() + 10 * SECOND);
    await ring();
    expect(await filesOf()).toBe(0);
  });

  it("comes with the tenant's", async () => {
    await store();
    await ask("DELETE", `/admin/tenants/${tenant.id}`, { key: env.ADMIN_TOKEN });
    expect(await filesOf()).toBe(0);
  });
});
