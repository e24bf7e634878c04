import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  env,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { READ_ON_MS } from "../../src/generation/pump-stream.ts";
import { admin, ask, makeTenant, type TestTenant } from "../client.ts";
import {
  answeredWith,
  GEMMA,
  makeSession,
  onWorkersAi,
  sessionStub,
  type TestSession,
} from "../routes/session-client.ts";
import { openStream, readStream } from "../routes/streams.ts";
import {
  cleanUp,
  HOUR,
  inTenant,
  MINUTE,
  NOW,
  ringAccount,
  rows,
  SECOND,
  stopClock,
} from "./a-tenant.ts";
import { until } from "../until.ts";

// How a session begins and ends, and what is left of one whose object, server or client dies.

let tenant: TestTenant;
let made = 0;
beforeEach(async () => {
  stopClock();
  made += 1;
  tenant = await makeTenant(`session-life-${made}`);
});
afterEach(cleanUp);

const inSession = <Result>(
  id: string,
  look: (state: DurableObjectState, instance: object) => Result | Promise<Result>,
): Promise<Result> =>
  runInDurableObject(sessionStub(tenant.id, id), (instance, state) => look(state, instance));

const alarmOf = (id: string) => inSession(id, ({ storage }) => storage.getAlarm());
const ring = (id: string) => runDurableObjectAlarm(sessionStub(tenant.id, id));
const tablesOf = (id: string): Promise<string[]> =>
  inSession(id, ({ storage }) =>
    storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .toArray()
      .map(({ name }) => name)
      .filter((name) => !name.startsWith("_cf")),
  );
const listed = async (): Promise<string[]> =>
  (await rows(tenant.id, "SELECT id FROM sessions")).map(({ id }) => id as string);

/** The tenant's object answers to sessions with what `change` makes of it. */
const withTenant = (id: string, change: (stub: object) => object): Promise<void> =>
  inSession(id, (_, instance) => {
    const object = instance as { env: Env };
    const TENANT = { getByName: (name: string) => change(env.TENANT.getByName(name)) };
    Object.defineProperty(instance, "env", {
      value: { ...object.env, TENANT },
      configurable: true,
      writable: true,
    });
  });

const TERMS = {
  system: "Keep it",
  model: GEMMA,
  userId: "ada",
  ttlS: 3600,
  maxTurns: 20,
  context: null,
  metadata: {},
};

const unreachable = () => Promise.reject(new Error("Network connection lost."));

const stream = async (session: TestSession, behaviour: string) =>
  openStream(
    tenant.key,
    { messages: [{ role: "user", content: await answeredWith(behaviour) }] },
    { path: `${session.path}/messages` },
  );
/** In the object, whose timers they are. */
const advance = (session: TestSession, ms: number) =>
  inSession(session.id, () => void vi.advanceTimersByTime(ms));
const inLine = async (session: TestSession) =>
  (await tenant.call("GET", session.path)).body.in_line;

describe("a session's end", () => {
  it("comes its time after the last message, and leaves nothing", async () => {
    const session = await makeSession(tenant, { ttl_s: 600 });
    expect(await alarmOf(session.id)).toBe(NOW + 10 * MINUTE);
    vi.setSystemTime(NOW + 9 * MINUTE);
    await session.send(await answeredWith("text=Yes"));
    vi.setSystemTime(NOW + 10 * MINUTE);
    await ring(session.id);
    expect(await alarmOf(session.id)).toBe(NOW + 19 * MINUTE);
    expect((await tenant.call("GET", session.path)).status).toBe(200);
    vi.setSystemTime(NOW + 19 * MINUTE);
    expect((await tenant.call("GET", session.path)).status).toBe(404);
    expect((await session.send("Hello")).status).toBe(404);
    await ring(session.id);
    expect(await tablesOf(session.id)).toEqual([]);
    expect(await alarmOf(session.id)).toBeNull();
    expect(await listed()).toEqual([]);
  });

  it("waits until the tenant's object has struck it off its list", async () => {
    const session = await makeSession(tenant);
    await withTenant(session.id, () => ({ endSession: unreachable }));
    vi.setSystemTime(NOW + HOUR);
    await ring(session.id);
    expect(await listed()).toEqual([session.id]);
    expect(await tablesOf(session.id)).not.toEqual([]);
    expect(await alarmOf(session.id)).toBe(NOW + HOUR + 30 * SECOND);
    await withTenant(session.id, (stub) => stub);
    vi.setSystemTime(NOW + HOUR + 30 * SECOND);
    await ring(session.id);
    expect([await listed(), await tablesOf(session.id)]).toEqual([[], []]);
  });

  it("is its tenant's, too", async () => {
    const { id } = await makeSession(tenant, { system: "Keep it" });
    expect((await admin("DELETE", `/admin/tenants/${tenant.id}`)).status).toBe(204);
    expect(await tablesOf(id)).toEqual([]);
    expect(await alarmOf(id)).toBeNull();
  });

  it("is waited for by the deletion of its tenant, which is tried again", async () => {
    const [first, second] = [await makeSession(tenant), await makeSession(tenant)];
    const instanceEnv = (own: Partial<Env>) =>
      inTenant(tenant.id, (_, instance) => {
        const value = { ...(instance as { env: Env }).env, ...own };
        Object.defineProperty(instance, "env", { value, configurable: true });
      });
    const getByName = (name: string) =>
      name.endsWith(first.id) ? env.SESSION.getByName(name) : { erase: unreachable };
    await instanceEnv({ SESSION: { getByName } as unknown as Env["SESSION"] });
    expect((await admin("DELETE", `/admin/tenants/${tenant.id}`)).status).toBe(204);
    expect((await tenant.call("GET", first.path)).status).toBe(401);
    expect(await tablesOf(first.id)).toEqual([]);
    expect(await tablesOf(second.id)).not.toEqual([]);
    expect(await listed()).toEqual([second.id]);
    await instanceEnv({ SESSION: env.SESSION });
    vi.setSystemTime(NOW + MINUTE);
    await ringAccount();
    expect(await tablesOf(second.id)).toEqual([]);
    expect((await admin("DELETE", `/admin/tenants/${tenant.id}`)).status).toBe(404);
  });

  it("is asked for again where its object did not answer", async () => {
    const session = await makeSession(tenant);
    await inTenant(tenant.id, (_, instance) => {
      const object = instance as { env: Env };
      const SESSION = { getByName: () => ({ erase: unreachable }) };
      const value = { ...object.env, SESSION, USAGE: undefined };
      Object.defineProperty(instance, "env", { value, configurable: true });
    });
    expect((await tenant.call("DELETE", session.path)).status).toBe(204);
    expect((await tenant.call("GET", session.path)).status).toBe(404);
    expect((await tenant.call("GET", "/v1/sessions")).body.data).toEqual([]);
    expect(await tablesOf(session.id)).not.toEqual([]);
    expect(await inTenant(tenant.id, ({ storage }) => storage.getAlarm())).toBe(NOW + 10 * SECOND);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    vi.setSystemTime(NOW + 10 * SECOND);
    await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
    expect([await tablesOf(session.id), await listed()]).toEqual([[], []]);
  });
});

it("the erasure of a person finds what messages in line left that were admitted after it began", async () => {
  await makeSession(tenant, { user_id: "ada" });
  let isIdle = false;
  await inTenant(tenant.id, (_, instance) => {
    const object = instance as { env: Env };
    const SESSION = { getByName: () => ({ erase: () => Promise.resolve(isIdle) }) };
    const value = { ...object.env, SESSION, USAGE: undefined };
    Object.defineProperty(instance, "env", { value, configurable: true });
  });
  const ringTenant = () => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
  const { id } = (await tenant.call("POST", "/v1/erasures", { user_id: "ada" })).body;
  const state = async () => (await tenant.call("GET", `/v1/erasures/${id}`)).body.state;
  for (const seconds of [0, 10, 20]) {
    vi.setSystemTime(NOW + seconds * SECOND);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await ringTenant();
  }
  expect(await state()).toBe("running");
  // As the message does whose turn it is.
  const said = { text: "Good morning", user_id: "ada" };
  expect((await tenant.call("POST", "/v1/verdicts", said)).status).toBe(200);
  isIdle = true;
  vi.setSystemTime(NOW + 30 * SECOND);
  await ringTenant();
  await until(async () => {
    if ((await state()) === "done") return true;
    await ringTenant();
    return false;
  });
  const { body } = await tenant.call("GET", "/v1/ledger");
  expect(body.data.map((line: { user_id: string | null }) => line.user_id)).toEqual([null]);
  expect((await tenant.call("GET", "/v1/verdicts")).body.data).toEqual([]);
});

describe("a session's beginning", () => {
  it("that the tenant's object refuses leaves nothing", async () => {
    const before = new Set((await listDurableObjectIds(env.SESSION)).map(String));
    const refused = await tenant.call("POST", "/v1/sessions", { model: GEMMA, ttl_s: 59 });
    expect(refused.status).toBe(400);
    const score = (await tenant.call("POST", "/v1/keys", { role: "score" })).body.key;
    const denied = await ask("POST", "/v1/sessions", { key: score, body: { model: GEMMA } });
    expect(denied.status).toBe(403);
    const ids = await listDurableObjectIds(env.SESSION);
    for (const id of ids.filter((each) => !before.has(String(each)))) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const stored = await runInDurableObject(env.SESSION.get(id), async (_, { storage }) => [
        storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'session'").toArray(),
        await storage.getAlarm(),
      ]);
      expect(stored).toEqual([[], null]);
    }
  });

  it("that was cut off before it was listed is erased, and found by nobody", async () => {
    const id = "ses_01M8PP2J32FGHW848NE2ZQZ6TW";
    await withTenant(id, () => ({ addSession: unreachable, endSession: () => Promise.resolve() }));
    const caller = { kind: "platform" } as const;
    await expect(
      inSession(id, (_, instance) =>
        (instance as { create: (asked: object) => Promise<object> }).create({
          tenant: tenant.id,
          id,
          caller,
          requestId: "req_1",
          terms: TERMS,
          idempotency: null,
        }),
      ),
    ).rejects.toThrow();
    expect((await tenant.call("GET", `/v1/sessions/${id}`)).status).toBe(404);
    expect(await alarmOf(id)).toBe(NOW + MINUTE);
    vi.setSystemTime(NOW + MINUTE);
    await ring(id);
    expect(await tablesOf(id)).toEqual([]);
  });

  it("that is given up while the tenant's object lists it is struck off again", async () => {
    const id = "ses_01M8PP2J32FGHW848NE2ZQZ6TX";
    const asked: unknown[] = [];
    await withTenant(id, () => ({
      // As if the alarm had rung while this was on its way.
      addSession: async () => {
        await inSession(id, ({ storage }) => storage.deleteAll());
        return { kind: "listed", repeated: false };
      },
      endSession: async (...ended: unknown[]) => void asked.push(ended),
    }));
    const begun = await inSession(id, (_, instance) =>
      (instance as { create: (asked: object) => Promise<object> }).create({
        tenant: tenant.id,
        id,
        caller: { kind: "platform" },
        requestId: "req_1",
        terms: TERMS,
        idempotency: null,
      }),
    );
    expect([begun, asked]).toEqual([{ kind: "not_found", what: "session" }, [[id, false]]]);
    expect(await tablesOf(id)).toEqual([]);
  });

  it("is refused where the tenant has too many", async () => {
    await makeSession(tenant);
    await inTenant(tenant.id, ({ storage }) => {
      storage.sql
        .exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
        INSERT INTO sessions (id, model, created_at_ms) SELECT 'ses_' || i, 'm', 1 FROM n`);
    });
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const refused = await tenant.call("POST", "/v1/sessions", { model: GEMMA });
    expect([refused.status, refused.body.kind]).toEqual([400, "over_limit"]);
    const first = (await tenant.call("GET", "/v1/sessions?limit=1")).body;
    expect(first).toMatchObject({ has_more: true });
    await tenant.call("DELETE", `/v1/sessions/${(await listed()).find((id) => id.length > 20)}`);
    expect((await tenant.call("POST", "/v1/sessions", { model: GEMMA })).status).toBe(200);
  });
});

describe("a message in progress", () => {
  it("is lost with its object: the history is as it was, and the line of messages is empty", async () => {
    const session = await makeSession(tenant);
    await session.send(await answeredWith("text=Yes"));
    const before = await session.said();
    const open = await stream(session, "stall=2");
    const waiting = session.send("Are you there?");
    await until(async () => (await inLine(session)) === 2);
    await inSession(session.id, (state) => state.abort("killed")).catch(() => undefined);
    expect((await waiting).status).toBe(503);
    await expect(readStream(open)).rejects.toThrow();
    expect([await session.said(), await inLine(session)]).toEqual([before, 0]);
    await onWorkersAi(tenant.id, session.id);
    expect((await session.send(await answeredWith("text=Again"))).status).toBe(200);
    expect(await session.said()).toHaveLength(4);
    // Its hold is charged at its end.
    vi.setSystemTime(NOW + HOUR / 2);
    const lines = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(lines.map((line: { outcome: string }) => line.outcome).toSorted()).toEqual([
      "expired",
      "posted",
      "posted",
    ]);
  });

  it("whose client leaves is kept once, if the engine ends soon", async () => {
    const session = await makeSession(tenant);
    const { response } = await stream(session, "words=60&pace=5");
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await until(async () => (await inLine(session)) === 0);
    const said = await session.said();
    expect(said).toHaveLength(2);
    expect(said[1]).toMatch(/ w59$/);
    expect((await tenant.call("GET", "/v1/ledger")).body.data).toMatchObject([
      { outcome: "posted", session_id: session.id },
    ]);
  });

  it("whose client leaves an engine that goes on for long is not kept, and others have their turn", async () => {
    const session = await makeSession(tenant);
    vi.useRealTimers();
    vi.useFakeTimers({ now: NOW, toFake: ["Date", "setTimeout", "clearTimeout"] });
    const { response } = await stream(session, "endless");
    await response.body?.cancel();
    const next = session.send(await answeredWith("text=Next"));
    await until(async () => (await inLine(session)) === 2);
    await scheduler.wait(50);
    await advance(session, READ_ON_MS);
    expect((await next).status).toBe(200);
    const said = await session.said();
    expect(said).toEqual([expect.stringMatching(/^user: /), "assistant: Next"]);
  });

  it("is not kept in a session that was deleted meanwhile", async () => {
    const session = await makeSession(tenant, { user_id: "ada" });
    const open = await stream(session, "words=40&pace=10");
    expect((await tenant.call("DELETE", session.path)).status).toBe(204);
    expect((await readStream(open)).done).toBe(true);
    expect(await tablesOf(session.id)).toEqual([]);
  });
});
