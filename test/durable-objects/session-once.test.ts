import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  env,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { readConfig } from "../../src/config.ts";
import { verifyKey } from "../../src/http/authenticate.ts";
import { fingerprint, utf8 } from "../../src/http/call-labels.ts";
import { admin, ask, makeKey, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { GEMMA, sessionStub } from "../routes/session-client.ts";
import { cleanUp, DAY_MS, HOUR, MINUTE, NOW, rows, SECOND, stopClock } from "./a-tenant.ts";

// A session begins once for an idempotency key.

let tenant: TestTenant;
let made = 0;
/** Sessions of other tests. */
let others: ReadonlySet<string>;
beforeEach(async () => {
  stopClock();
  others = new Set((await listDurableObjectIds(env.SESSION)).map(String));
  made += 1;
  tenant = await makeTenant(`session-once-${made}`);
});
afterEach(cleanUp);

const begin = (key = "one", terms: object = {}, as = tenant.key): Promise<Reply> =>
  ask("POST", "/v1/sessions", {
    key: as,
    body: { model: GEMMA, ...terms },
    headers: { "Idempotency-Key": key },
  });
const listed = async (): Promise<string[]> =>
  (await rows(tenant.id, "SELECT id FROM sessions")).map(({ id }) => id as string);
const isReplayed = ({ headers }: Reply): boolean => headers.get("idempotency-replayed") === "true";
const pathOf = (id: string): string => `/v1/sessions/${id}`;

/** Objects of this test's sessions in which something is stored. */
async function storedObjects(): Promise<number> {
  let stored = 0;
  for (const id of await listDurableObjectIds(env.SESSION)) {
    if (others.has(String(id))) continue;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    stored += await runInDurableObject(
      env.SESSION.get(id),
      (_, { storage }) =>
        storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'session'").toArray().length,
    );
  }
  return stored;
}

/** A session whose object never hears that the tenant's object lists it. */
async function cutOff(id: string): Promise<void> {
  const caller = await keyCaller();
  await runInDurableObject(sessionStub(tenant.id, id), async (instance) => {
    const object = instance as unknown as {
      env: Env;
      create: (asked: object) => Promise<object>;
    };
    const own = object.env;
    const stub = env.TENANT.getByName(tenant.id);
    const TENANT = {
      getByName: () => ({
        addSession: async (by: never, session: never) => {
          await stub.addSession(by, session);
          throw new Error("Network connection lost.");
        },
      }),
    };
    object.env = { ...own, TENANT } as unknown as Env;
    const asked = { tenant: tenant.id, id, caller, requestId: "req_1", terms: TERMS };
    const idempotency = { key: "one", fingerprint: await fingerprintOf({ model: GEMMA }) };
    await expect(object.create({ ...asked, idempotency })).rejects.toThrow();
    object.env = own;
  });
}

const TERMS = {
  system: null,
  model: GEMMA,
  userId: null,
  ttlS: 3600,
  maxTurns: 20,
  context: null,
  metadata: {},
};

const fingerprintOf = (body: object): Promise<string> => fingerprint(utf8(JSON.stringify(body)));

async function keyCaller() {
  const config = readConfig(env);
  if (config.kind !== "ready") throw new Error("misconfigured");
  const verified = await verifyKey(tenant.key, config.config.keySecrets);
  if (verified === null) throw new Error("not a key of this deployment");
  return { kind: "key", secretHash: verified.secretHash, roles: ["call"] } as const;
}

const CUT_OFF = "ses_01M8PP2J32FGHW848NE2ZQZ6TY";

describe("a repeat with an idempotency key", () => {
  it("gets the same session as it is now, and takes no rate", async () => {
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { rpm: { requests: 1 } });
    const first = await begin();
    const again = await begin();
    expect([first.status, isReplayed(first)]).toEqual([200, false]);
    expect([again.status, isReplayed(again)]).toEqual([200, true]);
    expect(again.body).toEqual(first.body);
    expect([await listed(), await storedObjects()]).toEqual([[first.body.id], 1]);
    // Under another key it is another request.
    expect((await begin("two")).status).toBe(429);
  });

  it("is refused with another body, and leaves nothing", async () => {
    const first = await begin();
    const other = await begin("one", { ttl_s: 60 });
    expect([other.status, other.body.kind]).toEqual([422, "idempotency_key_reused"]);
    expect([await listed(), await storedObjects()]).toEqual([[first.body.id], 1]);
  });

  it("that comes at the same time gets the same session", async () => {
    const replies = await Promise.all([begin(), begin(), begin(), begin()]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(replies.filter((reply) => !isReplayed(reply))).toHaveLength(1);
    const [id] = await listed();
    expect(new Set(replies.map(({ body }) => body.id))).toEqual(new Set([id]));
    expect([await listed(), await storedObjects()]).toEqual([[id], 1]);
  });

  it("gets it after both objects have restarted, and for 24 hours", async () => {
    const first = await begin("one", { ttl_s: 2_592_000 });
    const { id } = first.body;
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await evictDurableObject(sessionStub(tenant.id, id));
    vi.setSystemTime(NOW + DAY_MS - SECOND);
    expect((await begin("one", { ttl_s: 2_592_000 })).body.id).toBe(id);
    vi.setSystemTime(NOW + DAY_MS);
    const later = await begin("one", { ttl_s: 2_592_000 });
    expect([later.status, later.body.id === id]).toEqual([200, false]);
  });

  it("is told that the session was deleted, and begins no other", async () => {
    const { id } = (await begin()).body;
    await tenant.call("DELETE", pathOf(id));
    const again = await begin();
    expect([again.status, again.body]).toMatchObject([
      409,
      { kind: "idempotency_replay_unavailable", subject: id },
    ]);
    expect(again.body.detail).toBe(
      `The first request with this idempotency key made ${id}, which was deleted or has expired since. Use a new key to make another.`,
    );
    expect(again.headers.get("x-should-retry")).toBe("false");
    expect([await listed(), await storedObjects()]).toEqual([[], 0]);
  });

  it("is told that the session has expired, before and after its object is gone", async () => {
    const { id } = (await begin()).body;
    vi.setSystemTime(NOW + HOUR);
    const kinds = [(await begin()).body.kind];
    await runDurableObjectAlarm(sessionStub(tenant.id, id));
    kinds.push((await begin()).body.kind);
    expect(new Set(kinds)).toEqual(new Set(["idempotency_replay_unavailable"]));
    expect([await listed(), await storedObjects()]).toEqual([[], 0]);
  });

  it("of a refused request begins a session", async () => {
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { rpm: { requests: 1 } });
    await begin("first");
    expect((await begin()).status).toBe(429);
    vi.setSystemTime(NOW + 2 * MINUTE);
    const later = await begin();
    expect([later.status, isReplayed(later)]).toEqual([200, false]);
  });

  it("is refused if its header is not well formed", async () => {
    const reply = await begin("a b");
    expect([reply.status, reply.body.kind, await listed()]).toEqual([400, "invalid_request", []]);
  });

  it("is another request from a key that may not use the session", async () => {
    const mine = (await tenant.call("POST", "/v1/keys", { role: "call" })).body;
    const first = await begin("one", {}, mine.key);
    const stranger = await begin("one", {}, await makeKey(tenant.id, "call"));
    expect([stranger.status, stranger.body.kind]).toEqual([422, "idempotency_key_reused"]);
    expect(JSON.stringify(stranger.body)).not.toContain(first.body.id);
    const rotated = await tenant.call("POST", `/v1/keys/${mine.id}/rotate`, {});
    expect((await begin("one", {}, rotated.body.key)).body.id).toBe(first.body.id);
  });
});

describe("a repeat of a request that was cut off", () => {
  it("brings the session to its beginning", async () => {
    await cutOff(CUT_OFF);
    expect((await tenant.call("GET", pathOf(CUT_OFF))).status).toBe(404);
    const again = await begin();
    expect([again.status, again.body.id, isReplayed(again)]).toEqual([200, CUT_OFF, true]);
    vi.setSystemTime(NOW + MINUTE);
    await runDurableObjectAlarm(sessionStub(tenant.id, CUT_OFF));
    expect((await tenant.call("GET", pathOf(CUT_OFF))).status).toBe(200);
  });

  it("begins another once that one was given up", async () => {
    await cutOff(CUT_OFF);
    vi.setSystemTime(NOW + MINUTE);
    await runDurableObjectAlarm(sessionStub(tenant.id, CUT_OFF));
    const again = await begin();
    expect([again.status, isReplayed(again)]).toEqual([200, false]);
    expect(await listed()).toEqual([again.body.id]);
  });

  it("loses no session when the tenant's object refuses it", async () => {
    const { id } = (await begin()).body;
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { suspended: true });
    const caller = await keyCaller();
    const refused = await runInDurableObject(sessionStub(tenant.id, id), (instance) =>
      (instance as unknown as { create: (asked: object) => Promise<object> }).create({
        tenant: tenant.id,
        id,
        caller,
        requestId: "req_1",
        terms: TERMS,
        idempotency: null,
      }),
    );
    expect(refused).toEqual({ kind: "tenant_suspended" });
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { suspended: false });
    expect((await tenant.call("GET", pathOf(id))).status).toBe(200);
  });
});

/** The idempotency keys of the person's export. */
const exported = async (): Promise<Record<string, string>[]> => {
  const { body } = await tenant.call("GET", "/v1/export?user_id=ada");
  return (body as string)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ object }) => object === "idempotency_key");
};

describe("a person's idempotency key of a session", () => {
  it("is in the export, and goes with the person", async () => {
    const { id } = (await begin("adas", { user_id: "ada" })).body;
    await begin("bobs", { user_id: "bob" });
    expect(await exported()).toMatchObject([
      { route: "POST /v1/sessions", key: "adas", session_id: id },
    ]);
    await tenant.call("POST", "/v1/erasures", { user_id: "ada" });
    expect(await exported()).toEqual([]);
    expect(await rows(tenant.id, "SELECT key FROM idempotency")).toEqual([{ key: "bobs" }]);
    const again = await begin("adas", { user_id: "ada" });
    expect([again.status, isReplayed(again)]).toEqual([200, false]);
  });
});
