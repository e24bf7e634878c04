import {
  env,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ask, admin, makeKey, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { cleanUp, inTenant, rows, SECOND, stopClock } from "../durable-objects/a-tenant.ts";
import { storedKeys } from "./stored-pictures.ts";

// One person's data, filled in through the routes: given out, and erased from everywhere.

const PERSON = "person-zqx-1 \u{1f600}";
const OTHER = "person-other-2";
/** Stands in everything that the person wrote, or that was written about that person. */
const MARK = "zqxmark";
/** No word of the other person may go. */
const OTHERS = "wvymark";

let webhook: string;
let tenant: TestTenant;
beforeEach(async () => {
  stopClock();
  tenant = await makeTenant("personal", { cache_ttl_s: 600 });
  const made = await tenant.call("POST", "/v1/webhooks", {
    url: "https://hooks.acme.dev/",
    events: ["moderation.verdict"],
    enabled: false,
  });
  webhook = made.body.id;
});
afterEach(cleanUp);

/** Every kind of call that holds a person, and every table that it leaves something in. */
async function fill(person: string, mark: string): Promise<string> {
  const key = (n: number) => ({ "Idempotency-Key": `${mark}-${n}` });
  const call = async (...asked: Parameters<TestTenant["call"]>): Promise<Reply> => {
    const reply = await tenant.call(...asked);
    expect([asked[1], reply.status]).toEqual([asked[1], 200]);
    return reply;
  };
  const verdict = await call(
    "POST",
    "/v1/verdicts",
    {
      text: `Nice to meet you, ${mark}`,
      user_id: person,
      content_id: `${mark}-post`,
      metadata: { thread: mark },
    },
    key(1),
  );
  await call("POST", "/v1/verdicts", { text: "neurogate:test:flag", user_id: person });
  await call("POST", "/v1/moderations", {
    input: [`You useless idiot ${mark}`, `Good morning ${mark}`],
    safety_identifier: person,
  });
  await call(
    "POST",
    "/v1/chat/completions",
    {
      model: "@cf/meta/llama-3.1-8b-instruct-fp8",
      messages: [{ role: "user", content: `Please say ${mark}` }],
      safety_identifier: person,
      temperature: 0,
    },
    key(2),
  );
  await call("POST", "/v1/images", {
    prompt: `A boat named ${mark}`,
    n: 2,
    user_id: person,
    metadata: { thread: mark },
  });
  await call(
    "POST",
    "/v1/images/generations",
    { prompt: `A house, ${mark}`, user: person },
    key(3),
  );
  const session = await call("POST", "/v1/sessions", {
    model: "@cf/meta/llama-3.1-8b-instruct-fp8",
    system: `You help ${mark}`,
    user_id: person,
    metadata: { thread: mark },
  });
  await call("POST", `/v1/sessions/${session.body.id}/messages`, {
    messages: [{ role: "user", content: `Please write about ${mark}` }],
  });
  const model = "@cf/meta/llama-3.1-8b-instruct-fp8";
  const first = await call("POST", "/v1/responses", {
    model,
    input: `Please write ${mark}`,
    user: person,
  });
  await call("POST", "/v1/responses", {
    model,
    input: "And again",
    previous_response_id: first.body.id,
    safety_identifier: person,
  });
  await call(
    "POST",
    "/v1/documents",
    {
      type: "email",
      content: `Dear ${mark}`,
      user_id: person,
      id: `doc_${mark}`,
      tasks: [],
      search: true,
    },
    key(4),
  );
  const event = await rows(
    tenant.id,
    "SELECT id FROM events WHERE subject = ?",
    verdict.body.id as string,
  );
  await rows(
    tenant.id,
    `INSERT INTO deliveries (webhook_id, id, state, attempts)
      VALUES (?, 'dlv_' || substr(?, 5, 25) || '1', 'failed', '[]')`,
    webhook,
    event[0]?.["id"] as string,
  );
  return verdict.body.id;
}

const storedIn = ({ storage }: DurableObjectState): string =>
  storage.sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
    .toArray()
    .filter(({ name }) => !name.startsWith("_cf"))
    .flatMap(({ name }) =>
      storage.sql
        .exec(`SELECT * FROM ${name}`)
        .toArray()
        .flatMap((row) => Object.values(row).map((value) => `${name}: ${asText(value)}`)),
    )
    .join("\n");

/** Whatever lies in the object, those of its sessions and vectors, the bucket and the cache, as text. */
async function everything(): Promise<string> {
  const inObject = await inTenant(tenant.id, storedIn);
  const sessions = await listDurableObjectIds(env.SESSION);
  const inSessions = await Promise.all(
    sessions.map((id) => runInDurableObject(env.SESSION.get(id), (_, state) => storedIn(state))),
  );
  const shard = env.VECTORS.getByName(`${tenant.id}/1/0`);
  const inShard = await runInDurableObject(shard, (_, state) => storedIn(state));
  const { objects } = await env.IMAGES.list({ include: ["customMetadata"] });
  const inBucket = await Promise.all(
    objects.map(async ({ key, customMetadata }) => {
      const text = await (await env.IMAGES.get(key))?.text();
      return `${key} ${JSON.stringify(customMetadata)} ${text}`;
    }),
  );
  const { keys } = await env.CACHE.list();
  const inCache = await Promise.all(keys.map(async ({ name }) => `${await env.CACHE.get(name)}`));
  return [inObject, ...inSessions, inShard, ...inBucket, ...inCache].join("\n");
}

const asText = (value: unknown): string =>
  value instanceof ArrayBuffer ? new TextDecoder().decode(value) : String(value);

const ring = () => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

/** The bucket's part and the sessions are the alarm's. After a session it looks once more for its calls. */
async function ringTwice(): Promise<void> {
  await ring();
  await ring();
}

/** What no erasure may change. */
async function sums() {
  const lines = await rows(
    tenant.id,
    `SELECT id, day, outcome, request_id, route, key_id, verdict_id, admitted_at_ms, settled_at_ms,
      held, quota, granted, overage, overrun, items FROM journal ORDER BY id`,
  );
  return { lines, periods: await rows(tenant.id, "SELECT * FROM periods") };
}

const erase = (user_id: string) => tenant.call("POST", "/v1/erasures", { user_id });

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into replies freely
async function exported(person: string): Promise<Record<string, any>[]> {
  const reply = await tenant.call("GET", `/v1/export?user_id=${encodeURIComponent(person)}`);
  expect(reply.status).toBe(200);
  expect(reply.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = (reply.body as unknown as string).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

const countsOf = (lines: readonly Record<string, unknown>[]): unknown => lines.at(-1)?.["counts"];

describe("GET /v1/export", () => {
  it("gives all that is held of the person and nothing of another, with a summary", async () => {
    const id = await fill(PERSON, MARK);
    await fill(OTHER, OTHERS);
    const lines = await exported(PERSON);
    expect(lines.at(-1)).toEqual({
      object: "export_summary",
      user_id: PERSON,
      counts: {
        delivery: 1,
        event: 4,
        verdict: 4,
        document: 1,
        document_content: 1,
        document_vectors: 1,
        idempotency_key: 4,
        reply: 3,
        kept_response: 2,
        response_content: 2,
        journal_line: 11,
        images: 2,
        user_pictures: 1,
        listed_session: 1,
        session: 1,
        session_message: 2,
      },
    });
    const text = JSON.stringify(lines);
    expect(text).not.toContain(OTHERS);
    expect(text).not.toContain(OTHER);
    const find = (object: string) => lines.filter((line) => line["object"] === object);
    // The keys that were sent, and not the claim of the document's embedding.
    const sent = find("idempotency_key").map(({ route }) => String(route));
    expect(sent.every((route) => route.startsWith("POST /v1/"))).toBe(true);
    expect(find("session")).toMatchObject([
      { system: `You help ${MARK}`, metadata: { thread: MARK }, user_id: PERSON },
    ]);
    const [message] = find("session_message");
    expect(message).toMatchObject({ role: "user", content: `Please write about ${MARK}` });
    expect(message?.["session_id"]).toBe(find("listed_session")[0]?.["id"]);
    const verdict = await tenant.call("GET", `/v1/verdicts/${id}`);
    expect(find("verdict")).toContainEqual(verdict.body);
    const prompts = find("images").map((one) => String(one["prompt"]));
    const said = find("response_content").map((one) => [
      one["response_id"],
      one["input"][0].content[0].text,
    ]);
    const ids = find("kept_response").map((one) => one["id"]);
    expect(said.map(([of]) => of)).toEqual(ids);
    expect(said.map(([, words]) => words)).toContain(`Please write ${MARK}`);
    expect(prompts.toSorted()).toEqual([`A boat named ${MARK}`, `A house, ${MARK}`]);
    const line = (await tenant.call("GET", "/v1/ledger")).body.data.find(
      ({ verdict_id }: { verdict_id: string }) => verdict_id === id,
    );
    expect(find("journal_line")).toContainEqual(line);
    const replies = find("reply").map((one) => asText(Uint8Array.fromBase64(one["base64"]).buffer));
    expect(replies.join("\n")).toContain(MARK);
  });

  it("is a summary alone for a person of whom nothing is held", async () => {
    await fill(OTHER, OTHERS);
    expect(await exported("person-nobody")).toEqual([
      { object: "export_summary", user_id: "person-nobody", counts: {} },
    ]);
  });

  it("needs a person, and a key that manages", async () => {
    const none = await tenant.call("GET", "/v1/export");
    expect([none.status, none.body.kind]).toEqual([400, "invalid_request"]);
    const review = await makeKey(tenant.id, "review");
    const refused = await ask("GET", "/v1/export?user_id=x", { key: review });
    expect(refused.body.kind).toBe("role_required");
  });

  it("is recorded when the platform asks, without the person", async () => {
    await fill(PERSON, MARK);
    const path = `/admin/tenants/${tenant.id}/export?user_id=${encodeURIComponent(PERSON)}`;
    const { status, body } = await admin("GET", path);
    expect([status, String(body).includes(MARK)]).toEqual([200, true]);
    const audit = await admin("GET", `/admin/audit?tenant=${tenant.id}`);
    const acts = audit.body.data.map(({ action }: { action: string }) => action);
    expect(acts).toContain("GET /admin/tenants/{tenant}/export");
    expect(JSON.stringify(audit.body)).not.toContain("person-zqx");
  });
});

describe("a kept answer of another person", () => {
  const question = { query: "What is the code of the safe?", top_k: 10 };
  const ask1 = (key: string, filter: object = {}) =>
    tenant.call(
      "POST",
      "/v1/documents/answer",
      { ...question, user_id: OTHER, filter },
      { "Idempotency-Key": key },
    );

  beforeEach(async () => {
    for (const [person, mark] of [
      [PERSON, MARK],
      [OTHER, OTHERS],
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const stored = await tenant.call("POST", "/v1/documents", {
        type: "report",
        content: `The code of the safe is ${mark} since May.`,
        user_id: person,
        id: `doc_of-${mark}`,
        tasks: [],
        search: true,
      });
      expect(stored.body.search).toMatchObject({ state: "ready" });
    }
    const both = await ask1("both");
    expect(both.body.passages).toBe(2);
    expect(JSON.stringify(both.body)).toContain(MARK);
    const own = await ask1("own", { user_id: OTHER });
    expect(JSON.stringify(own.body)).not.toContain(MARK);
    expect(JSON.stringify(own.body)).toContain(OTHERS);
  });

  it("goes with the erasure of a person whose documents it may quote; others stay", async () => {
    expect(await everything()).toContain(MARK);
    await erase(PERSON);
    await ring();
    const left = await everything();
    expect(left).not.toContain(MARK);
    expect(left).not.toContain("person-zqx");
    expect((await ask1("own", { user_id: OTHER })).headers.get("idempotency-replayed")).toBe(
      "true",
    );
    const again = await ask1("both");
    expect([again.status, again.body.kind]).toEqual([409, "idempotency_replay_unavailable"]);
  });

  it("goes with a document that is deleted by itself", async () => {
    expect((await tenant.call("DELETE", `/v1/documents/doc_of-${MARK}`)).status).toBe(204);
    expect(await rows(tenant.id, "SELECT document_id FROM quoted_documents")).toEqual([
      { document_id: `doc_of-${OTHERS}` },
      { document_id: `doc_of-${OTHERS}` },
    ]);
    await ring();
    const kept = await rows(tenant.id, "SELECT body FROM replies");
    expect(kept.map(({ body }) => asText(body)).join()).not.toContain(MARK);
  });
});

describe("POST /v1/erasures", () => {
  it("leaves nothing of the person anywhere, and every sum as it was", async () => {
    const id = await fill(PERSON, MARK);
    const kept = await fill(OTHER, OTHERS);
    expect(await everything()).toContain(PERSON);
    expect(await everything()).toContain(MARK);
    const before = await sums();
    const others = await exported(OTHER);

    const { status, body } = await erase(PERSON);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^era_/),
      object: "erasure",
      state: "running",
      counts: { verdicts: 4, events: 4, deliveries: 1, images: 0 },
      finished_at: null,
    });
    await ringTwice();
    const done = await tenant.call("GET", `/v1/erasures/${body.id}`);
    expect(done.body).toMatchObject({
      id: body.id,
      state: "done",
      counts: {
        deliveries: 1,
        events: 4,
        verdicts: 4,
        responses: 2,
        documents: 1,
        vectors: 1,
        idempotency_keys: 4,
        replies: 3,
        journal_lines: 11,
        user_pictures: 1,
        sessions: 1,
        images: 3,
      },
      finished_at: expect.any(String),
    });

    const left = await everything();
    expect(left).not.toContain(PERSON);
    expect(left).not.toContain("person-zqx");
    expect(left).not.toContain(MARK);
    expect(countsOf(await exported(PERSON))).toEqual({});
    expect((await tenant.call("GET", `/v1/verdicts/${id}`)).status).toBe(404);
    const listed = await tenant.call("GET", `/v1/verdicts?user_id=${encodeURIComponent(PERSON)}`);
    expect(listed.body.data).toEqual([]);

    expect(await sums()).toEqual(before);
    expect((await tenant.call("GET", "/v1/invariants")).body.holds).toBe(true);
    // What is another's is all there.
    expect(await exported(OTHER)).toEqual(others);
    expect((await tenant.call("GET", `/v1/verdicts/${kept}`)).status).toBe(200);
    expect(await storedKeys()).toHaveLength(8);
  });

  it("goes on after a crash between any two of its steps", async () => {
    await fill(PERSON, MARK);
    const before = await sums();
    const { body } = await erase(PERSON);
    for (let step = 0; step < 2; step += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      await evictDurableObject(env.TENANT.getByName(tenant.id));
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await ring()).toBe(true);
    }
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect((await tenant.call("GET", `/v1/erasures/${body.id}`)).body.state).toBe("done");
    expect(await everything()).not.toContain(MARK);
    expect(await sums()).toEqual(before);
  });

  it("asks a bucket that fails again, and is not done before", async () => {
    await fill(PERSON, MARK);
    const { body } = await erase(PERSON);
    const broken = { get: () => Promise.reject(new Error("internal error (10001)")) };
    const swap = (IMAGES: unknown) =>
      inTenant(tenant.id, (_, instance) => {
        const value = { ...env, IMAGES, USAGE: undefined };
        Object.defineProperty(instance, "env", { value, configurable: true });
      });
    await swap(broken);
    vi.setSystemTime(Date.now() + 1);
    await ringTwice();
    const state = async () => (await tenant.call("GET", `/v1/erasures/${body.id}`)).body;
    expect(await state()).toMatchObject({ state: "running", counts: { images: 0 } });
    const next = await inTenant(tenant.id, ({ storage }) => storage.getAlarm());
    expect(next).toBe(Date.now() + 10 * SECOND);
    await swap(env.IMAGES);
    vi.setSystemTime(Date.now() + 10 * SECOND);
    await ringTwice();
    expect(await state()).toMatchObject({ state: "done", counts: { images: 3 } });
    expect(await storedKeys()).toEqual([]);
  });

  it("is the same one while it runs, and another afterwards", async () => {
    await fill(PERSON, MARK);
    const first = await erase(PERSON);
    expect((await erase(PERSON)).body.id).toBe(first.body.id);
    await ringTwice();
    const again = await erase(PERSON);
    expect(again.body.id).not.toBe(first.body.id);
    expect(again.body).toMatchObject({ state: "done", counts: { verdicts: 0, journal_lines: 0 } });
  });

  it("keeps of the person a hash that is the tenant's own", async () => {
    await erase(PERSON);
    const other = await makeTenant("personal-other");
    await other.call("POST", "/v1/erasures", { user_id: PERSON });
    const [kept] = await rows(tenant.id, "SELECT * FROM erasures");
    const [others] = await rows(other.id, "SELECT * FROM erasures");
    expect(kept?.["user_id"]).toBeNull();
    expect(kept?.["person"]).toMatch(/^[0-9a-f]{64}$/);
    expect(others?.["person"]).not.toBe(kept?.["person"]);
  });

  it("does what is repeated afterwards anew: its name is gone", async () => {
    await fill(PERSON, MARK);
    await erase(PERSON);
    await ring();
    const body = { text: `Nice to meet you, ${MARK}`, user_id: PERSON };
    const reply = await tenant.call("POST", "/v1/verdicts", body, {
      "Idempotency-Key": `${MARK}-1`,
    });
    expect(reply.status).toBe(200);
    expect(reply.headers.get("idempotency-replayed")).toBeNull();
    expect(countsOf(await exported(PERSON))).toMatchObject({ verdict: 1, journal_line: 1 });
  });

  it("is recorded when the platform asks, by its id alone", async () => {
    const path = `/admin/tenants/${tenant.id}/erasures`;
    const { status, body } = await admin("POST", path, { user_id: PERSON });
    expect(status).toBe(202);
    expect((await admin("GET", `${path}/${body.id}`)).body).toEqual(body);
    const audit = await admin("GET", `/admin/audit?tenant=${tenant.id}`);
    expect(audit.body.data).toContainEqual(
      expect.objectContaining({
        action: "POST /admin/tenants/{tenant}/erasures",
        detail: { erasure: body.id },
      }),
    );
    expect(JSON.stringify(audit.body)).not.toContain("person-zqx");
  });

  it.each([{}, { user_id: "" }, { user_id: "x".repeat(257) }, { user_id: "x", more: 1 }])(
    "takes one person and nothing else: %j",
    async (body) => {
      const reply = await tenant.call("POST", "/v1/erasures", body);
      expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
    },
  );
});

const unreachable = () => Promise.reject(new Error("Network connection lost."));

/** The sessions' objects, as the tenant's object has them. */
const swap = (SESSION: unknown) =>
  inTenant(tenant.id, (_, instance) => {
    const value = { ...env, SESSION, USAGE: undefined };
    Object.defineProperty(instance, "env", { value, configurable: true });
  });

describe("a person's chat sessions", () => {
  it("are asked for again where their objects do not answer, and the erasure is not done before", async () => {
    await fill(PERSON, MARK);
    await swap({ getByName: () => ({ erase: unreachable }) });
    const { body } = await erase(PERSON);
    await ring();
    const state = async () => (await tenant.call("GET", `/v1/erasures/${body.id}`)).body;
    expect(await state()).toMatchObject({ state: "running", counts: { sessions: 1, images: 3 } });
    expect(await everything()).toContain(MARK);
    await swap(env.SESSION);
    vi.setSystemTime(Date.now() + 10 * SECOND);
    await ringTwice();
    expect(await state()).toMatchObject({ state: "done" });
    expect(await everything()).not.toContain(MARK);
  });
});
