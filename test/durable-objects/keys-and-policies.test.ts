import { env, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Key } from "../../src/domain/tenant/key.ts";
import type { RotateKey } from "../../durable-objects/tenant/keys/keys.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import { ask, makeTenant } from "../client.ts";
import {
  aKey,
  aNewKey,
  aTenant,
  type ATenant,
  aVerdict,
  cleanUp,
  DAY,
  DAY_MS,
  expectKind,
  HOUR,
  idempotency,
  MIDNIGHT,
  NOW,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
  TEXT,
  tenantStub,
} from "./a-tenant.ts";

beforeEach(() => stopClock());
afterEach(cleanUp);

const keysOf = async (tenant: ATenant): Promise<readonly Key[]> =>
  expectKind(await tenant.stub().listKeys(PLATFORM, "~", 50), "page").data;

/** A key by its id, and the caller that has it. */
async function namedKey(tenant: ATenant, expiresAtMs: number | null = null) {
  const newKey = aNewKey();
  const caller = await aKey(tenant.id, "call", { newKey, expiresAtMs, name: "named" });
  return { id: newKey.id, caller };
}

async function rotated(tenant: ATenant, id: string, overlapMs: number) {
  const newKey = aNewKey();
  const request: RotateKey = { route: "rotate", id, newKey, overlapMs, idempotency: null };
  const { key } = expectKind(await tenant.stub().rotateKey(PLATFORM, request), "issued");
  return { key, caller: { kind: "key", secretHash: newKey.secretHash, roles: ["call"] } as const };
}

describe("keys", () => {
  it("know the first of their rotations, which is their own where they are the first", async () => {
    const tenant = await aTenant();
    const first = await namedKey(tenant);
    const second = await rotated(tenant, first.id, HOUR);
    const third = await rotated(tenant, second.key.id, HOUR);
    const found = await rows(tenant.id, "SELECT id, lineage FROM keys WHERE name = 'named'");
    expect(new Map(found.map(({ id, lineage }) => [id, lineage]))).toEqual(
      new Map([
        [first.id, null],
        [second.key.id, first.id],
        [third.key.id, first.id],
      ]),
    );
  });

  it("go on beside their successor for the overlap", async () => {
    const tenant = await aTenant();
    const old = await namedKey(tenant);
    const next = await rotated(tenant, old.id, HOUR);
    expect(next.key).toMatchObject({ name: "named", role: "call", expiresAtMs: null });
    vi.setSystemTime(NOW + HOUR - 1);
    expect((await tenant.admit({ caller: old.caller })).kind).toBe("admitted");
    vi.setSystemTime(NOW + HOUR);
    expect((await tenant.admit({ caller: old.caller })).kind).toBe("invalid_key");
    expect((await tenant.admit({ caller: next.caller })).kind).toBe("admitted");
  });

  it("end at once with an overlap of 0", async () => {
    const tenant = await aTenant();
    const old = await namedKey(tenant);
    const next = await rotated(tenant, old.id, 0);
    expect((await tenant.admit({ caller: old.caller })).kind).toBe("invalid_key");
    expect((await tenant.admit({ caller: next.caller })).kind).toBe("admitted");
    expect((await keysOf(tenant)).map(({ id }) => id)).not.toContain(old.id);
  });

  it("are not prolonged by an overlap", async () => {
    const tenant = await aTenant();
    const old = await namedKey(tenant, NOW + SECOND);
    await rotated(tenant, old.id, HOUR);
    vi.setSystemTime(NOW + SECOND);
    expect((await tenant.admit({ caller: old.caller })).kind).toBe("invalid_key");
    // Nor brought back by another rotation.
    const request = { route: "r", id: old.id, newKey: aNewKey(), overlapMs: 0, idempotency: null };
    expect(await tenant.stub().rotateKey(PLATFORM, request)).toEqual({
      kind: "not_found",
      what: "key",
    });
  });

  it("expire by themselves and end with the next call", async () => {
    const tenant = await aTenant();
    const expiring = await namedKey(tenant, NOW + SECOND);
    const ending = await namedKey(tenant);
    expect((await tenant.admit({ caller: expiring.caller })).kind).toBe("admitted");
    vi.setSystemTime(NOW + SECOND);
    expect((await tenant.admit({ caller: expiring.caller })).kind).toBe("invalid_key");

    expect((await tenant.admit({ caller: ending.caller })).kind).toBe("admitted");
    expect(await tenant.stub().endKey(PLATFORM, ending.id)).toEqual({ kind: "ended" });
    expect((await tenant.admit({ caller: ending.caller })).kind).toBe("invalid_key");
    const again = await tenant.stub().endKey(PLATFORM, ending.id);
    expect(again).toEqual({ kind: "not_found", what: "key" });
    // An expired key is still listed, so it can be taken off the list.
    expect(await tenant.stub().endKey(PLATFORM, expiring.id)).toEqual({ kind: "ended" });
    expect((await keysOf(tenant)).map(({ id }) => id)).not.toContain(expiring.id);
  });

  it("are a thousand at most, without those that rotations left behind", async () => {
    const tenant = await aTenant();
    const insert = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO keys (id, secret_hash, role, prefix, created_at_ms, expires_at_ms)
      SELECT 'key_' || ? || i, ? || i, 'call', 'abcd', 0, ? FROM n`;
    await rows(tenant.id, insert, 1000, "old", "old", NOW);
    await aKey(tenant.id);
    await rows(tenant.id, insert, 998, "new", "new", NOW + HOUR);
    const issue = {
      route: "POST /v1/keys",
      newKey: aNewKey(),
      name: null,
      role: "call",
      expiresAtMs: null,
      idempotency: null,
    } as const;
    expect((await tenant.stub().issueKey(PLATFORM, issue)).kind).toBe("over_limit");
    vi.setSystemTime(NOW + HOUR);
    expect((await tenant.stub().issueKey(PLATFORM, issue)).kind).toBe("issued");
  });

  it("say on which day they were last used, written once a day", async () => {
    const tenant = await aTenant();
    const { id, caller } = await namedKey(tenant);
    const lastUsed = async () => (await keysOf(tenant)).find((key) => key.id === id)?.lastUsedDay;
    expect(await lastUsed()).toBeNull();
    await rows(tenant.id, "CREATE TABLE uses (n INTEGER)");
    await rows(
      tenant.id,
      "CREATE TRIGGER used AFTER UPDATE ON keys BEGIN INSERT INTO uses VALUES (1); END",
    );
    await tenant.admit({ caller });
    await tenant.admit({ caller });
    await tenant.stub().readLimits(caller);
    expect(await lastUsed()).toBe(DAY);
    vi.setSystemTime(MIDNIGHT);
    await tenant.admit({ caller });
    await tenant.admit({ caller });
    expect(await lastUsed()).toBe(DAY + 1);
    expect(await rows(tenant.id, "SELECT COUNT(*) AS n FROM uses")).toEqual([{ n: 2 }]);
  });

  it("are issued once for one idempotency key: the same id, and its text is gone", async () => {
    const tenant = await makeTenant("issue-once");
    const issue = (body: unknown = {}) =>
      ask("POST", "/v1/keys", {
        key: tenant.key,
        body,
        headers: { "Idempotency-Key": "make-one" },
      });
    const first = await issue();
    const second = await issue();
    expect(first.body.key).toMatch(/^ng_issue-once_/);
    expect(second.body).toEqual({ ...first.body, key: null });
    expect((await issue({ name: "another" })).body.kind).toBe("idempotency_key_reused");
    const { body } = await tenant.call("GET", "/v1/keys");
    expect(body.data).toHaveLength(2);

    const again = { key: tenant.key, headers: { "Idempotency-Key": "turn-once" } };
    const path = `/v1/keys/${first.body.id}/rotate`;
    const turned = await ask("POST", path, again);
    expect((await ask("POST", path, again)).body).toMatchObject({ id: turned.body.id, key: null });
  });

  it("are made once when the router repeats itself, with the text that it still has", async () => {
    const tenant = await aTenant();
    const issue = {
      route: "POST /v1/keys",
      newKey: aNewKey(),
      name: null,
      role: "call",
      expiresAtMs: null,
      idempotency: idempotency("k"),
    } as const;
    const first = await tenant.stub().issueKey(PLATFORM, issue);
    expect(first).toMatchObject({ kind: "issued", repeated: false });
    expect(await tenant.stub().issueKey(PLATFORM, issue)).toEqual(first);

    const turn = { route: "r", id: issue.newKey.id, newKey: aNewKey(), overlapMs: 0 };
    const request: RotateKey = { ...turn, idempotency: null };
    const turned = await tenant.stub().rotateKey(PLATFORM, request);
    expect(turned).toMatchObject({ kind: "issued", replaces: issue.newKey.id });
    expect(await tenant.stub().rotateKey(PLATFORM, request)).toEqual(turned);
    expect(await keysOf(tenant)).toHaveLength(2);
  });

  it("open only what their role allows", async () => {
    const tenant = await aTenant();
    const review = await aKey(tenant.id, "review");
    expect(await tenant.admit({ caller: review })).toEqual({
      kind: "role_required",
      roles: ["call", "manage"],
    });
    const manage = { ...review, roles: [] };
    expect((await tenant.stub().listKeys(manage, "~", 10)).kind).toBe("role_required");
    expect((await tenant.stub().listKeys({ ...tenant.key, ...NO_ROLES }, "~", 10)).kind).toBe(
      "page",
    );
  });
});

const NO_ROLES = { roles: [] } as const;

const put = (name: string) => ({ name, policy: defaultPolicy("embedded"), expected: null });

const putDefault = async (tenant: ATenant): Promise<number> => {
  const done = await tenant.stub().putPolicy(PLATFORM, put("default"));
  return expectKind(done, "policy").policy.version;
};
const versionsOf = async (tenant: ATenant) =>
  (await rows(tenant.id, "SELECT version FROM policies ORDER BY version")).map(
    ({ version }) => version,
  );
const alarm = (tenant: ATenant) => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

describe("policies", () => {
  it("grow by a version with each PUT; a call takes the latest", async () => {
    const tenant = await aTenant();
    expect(await putDefault(tenant)).toBe(2);
    expect(await putDefault(tenant)).toBe(3);
    const admitted = expectKind(await tenant.admit(), "admitted");
    expect(admitted.policy).toMatchObject({ name: "default", version: 3, tag: "1.3" });
    expect(admitted.policy?.body).toEqual(defaultPolicy("embedded"));
    const known = { name: null, known: "1.3" };
    expect(expectKind(await tenant.admit({ policy: known }), "admitted").policy?.body).toBeNull();
    const stale = { name: null, known: "1.2" };
    expect(
      expectKind(await tenant.admit({ policy: stale }), "admitted").policy?.body,
    ).not.toBeNull();
    const old = await tenant.stub().readPolicy(PLATFORM, "default", 1);
    expect(expectKind(old, "policy").policy.version).toBe(1);
    expect((await tenant.stub().readPolicy(PLATFORM, "default", 4)).kind).toBe("not_found");
    const list = expectKind(await tenant.stub().listPolicies(PLATFORM, "", 10), "page");
    expect(list.data.map(({ version }) => version)).toEqual([3]);
  });

  it("refuse a model that could not run", async () => {
    const tenant = await aTenant({ models: ["@cf/huggingface/distilbert-sst-2-int8"] });
    const done = await tenant.stub().putPolicy(PLATFORM, put("default"));
    expect(done).toMatchObject({
      kind: "invalid_request",
      errors: [{ path: ["models", "judge"] }],
    });
  });

  it("lose old versions a day after they were followed, unless a verdict names them", async () => {
    const tenant = await aTenant();
    const named = await tenant.hold();
    await tenant.settle(named, { verdicts: [aVerdict(named)] });
    await putDefault(tenant);
    const inProgress = await tenant.hold({ contents: [TEXT] });
    await putDefault(tenant);
    await alarm(tenant);
    // A call in progress may be about to name version 2.
    expect(await versionsOf(tenant)).toEqual([1, 2, 3]);
    await tenant.settle(inProgress, { verdicts: [] });
    await tenant.hold();
    vi.setSystemTime(NOW + DAY_MS + 1);
    await alarm(tenant);
    expect(await versionsOf(tenant)).toEqual([1, 3]);

    await tenant.hold();
    vi.setSystemTime(NOW + 31 * DAY_MS);
    await alarm(tenant);
    expect(await versionsOf(tenant)).toEqual([3]);
    expect((await tenantStub(tenant.id).listPolicies(PLATFORM, "", 1)).kind).toBe("page");
  });

  it("are ended by a version of their own, and go on counting after it", async () => {
    const tenant = await aTenant();
    const stub = () => tenant.stub();
    expect((await stub().deletePolicy(PLATFORM, "default")).kind).toBe("invalid_request");
    expect((await stub().deletePolicy(PLATFORM, "house")).kind).toBe("not_found");
    await stub().putPolicy(PLATFORM, put("house"));
    expect((await stub().deletePolicy(PLATFORM, "house")).kind).toBe("deleted");
    expect((await stub().deletePolicy(PLATFORM, "house")).kind).toBe("not_found");

    const listed = expectKind(await stub().listPolicies(PLATFORM, "", 10), "page");
    expect(listed.data.map(({ name }) => name)).toEqual(["default"]);
    expect((await stub().readPolicy(PLATFORM, "house", null)).kind).toBe("not_found");
    expect((await stub().readPolicy(PLATFORM, "house", 2)).kind).toBe("not_found");
    // What verdicts name can be read.
    expect((await stub().readPolicy(PLATFORM, "house", 1)).kind).toBe("policy");
    const change = { name: "house", change: {}, expected: null };
    expect((await stub().patchPolicy(PLATFORM, change)).kind).toBe("not_found");
    const named = { name: "house", known: null };
    expect((await tenant.admit({ policy: named })).kind).not.toBe("admitted");

    const again = await stub().putPolicy(PLATFORM, put("house"));
    // An isolate may still know version 1: no later policy is taken for it.
    expect(expectKind(again, "policy").policy.version).toBe(3);
  });

  it("are forgotten a month after their end, and not before", async () => {
    const tenant = await aTenant();
    await tenant.stub().putPolicy(PLATFORM, put("house"));
    await tenant.stub().deletePolicy(PLATFORM, "house");
    const names = async () =>
      (await rows(tenant.id, "SELECT name, version FROM policies WHERE name = 'house'")).map(
        ({ version }) => version,
      );
    await tenant.hold();
    vi.setSystemTime(NOW + 2 * DAY_MS);
    await alarm(tenant);
    expect(await names()).toEqual([2]);
    await tenant.hold();
    vi.setSystemTime(NOW + 32 * DAY_MS);
    await alarm(tenant);
    expect(await names()).toEqual([]);
  });
});
