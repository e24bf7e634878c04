import { env, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MOST_RESPONSES, responseKey } from "../../src/domain/responses/kept-response.ts";
import { newId } from "../../src/http/ids.ts";
import { responseIdOf } from "../../src/domain/responses/item.ts";
import {
  type ATenant,
  aTenant,
  cleanUp,
  DAY_MS,
  expectKind,
  HOUR,
  inTenant,
  MINUTE,
  NOW,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
  withoutReports,
} from "./a-tenant.ts";

// Kept responses within the tenant's object: how long, of whom, and which conversation they make. Their
// files are only there or not.

beforeEach(() => stopClock());
afterEach(cleanUp);

const ring = (tenant: ATenant) => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

const keyOf = (tenant: ATenant, id: string): string =>
  responseKey({ tenant: tenant.id, generation: 1 }, id);

interface Kept {
  readonly previousId?: string | null;
  readonly userId?: string | null;
  readonly bytes?: number;
}

/** A response, and a file in its place. */
async function keep(tenant: ATenant, of: Kept = {}): Promise<string> {
  const id = responseIdOf(newId("jnl"));
  const { previousId = null, userId = null, bytes = 10 } = of;
  const isKept = await tenant.stub().keepResponse(1, { id, previousId, userId, bytes });
  expect(isKept).toBe(true);
  await env.IMAGES.put(keyOf(tenant, id), "{}");
  return id;
}

async function chain(tenant: ATenant, length: number, bytes = 10): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let at = 0; at < length; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each continues the one before
    ids.push(await keep(tenant, { previousId: ids.at(-1) ?? null, bytes }));
  }
  return ids;
}

const historyOf = (
  tenant: ATenant,
  previousId: string | null,
  named: readonly string[] = [],
  { isUse = true, userId = null }: { isUse?: boolean; userId?: string | null } = {},
) => tenant.stub().readHistory(PLATFORM, { previousId, named, userId, isUse, requestId: "req_1" });

const isThere = async (tenant: ATenant, id: string): Promise<boolean> =>
  (await tenant.stub().findResponse(PLATFORM, id)).kind === "response";

const hasFile = async (tenant: ATenant, id: string): Promise<boolean> =>
  (await env.IMAGES.head(keyOf(tenant, id))) !== null;

const swapBucket = (tenant: ATenant, IMAGES: unknown) =>
  inTenant(tenant.id, (_, instance) => {
    const value = { ...env, IMAGES, USAGE: undefined };
    Object.defineProperty(instance, "env", { value, configurable: true });
  });

describe("a kept response", () => {
  it("is found until its time is over, and its file goes minutes later", async () => {
    const tenant = await aTenant();
    await withoutReports(tenant.id);
    const id = await keep(tenant);
    vi.setSystemTime(NOW + DAY_MS);
    expect(await isThere(tenant, id)).toBe(true);
    vi.setSystemTime(NOW + DAY_MS + 1);
    expect(await isThere(tenant, id)).toBe(false);
    expect((await historyOf(tenant, id)).kind).toBe("missing_response");
    const due = await inTenant(tenant.id, ({ storage }) => storage.getAlarm());
    expect(due).toBeLessThanOrEqual(NOW + DAY_MS + 10 * MINUTE + 1);
    vi.setSystemTime(NOW + DAY_MS + 10 * MINUTE + 1);
    await ring(tenant);
    expect(await hasFile(tenant, id)).toBe(false);
    expect(await rows(tenant.id, "SELECT * FROM responses")).toEqual([]);
  });

  it("is kept anew when it is continued, with all that it continues, at little cost", async () => {
    const tenant = await aTenant();
    const [first = "", second = ""] = await chain(tenant, 2);
    const used = async () =>
      (await rows(tenant.id, "SELECT used_at_ms FROM responses ORDER BY id")).map(
        ({ used_at_ms: at }) => at,
      );
    vi.setSystemTime(NOW + HOUR);
    await historyOf(tenant, second);
    expect(await used()).toEqual([NOW, NOW]);
    vi.setSystemTime(NOW + 13 * HOUR);
    // A quote of what would continue it does not keep it.
    await historyOf(tenant, second, [], { isUse: false });
    expect(await used()).toEqual([NOW, NOW]);
    await historyOf(tenant, second);
    expect(await used()).toEqual([NOW + 13 * HOUR, NOW + 13 * HOUR]);
    vi.setSystemTime(NOW + DAY_MS + HOUR);
    expect([await isThere(tenant, first), await isThere(tenant, second)]).toEqual([true, true]);
  });

  it("follows the setting, also one of before", async () => {
    const tenant = await aTenant();
    const id = await keep(tenant);
    await tenant.configure({ response_retention_s: 60 });
    vi.setSystemTime(NOW + 61 * SECOND);
    expect(await isThere(tenant, id)).toBe(false);
    await tenant.configure({ response_retention_s: 0 });
    const request = { id: responseIdOf(newId("jnl")), previousId: null, userId: null, bytes: 1 };
    expect(await tenant.stub().keepResponse(1, request)).toBe(false);
    vi.setSystemTime(NOW + 20 * MINUTE);
    await ring(tenant);
    expect(await hasFile(tenant, id)).toBe(false);
  });

  it("is not kept for another generation of the tenant", async () => {
    const tenant = await aTenant();
    const request = { id: responseIdOf(newId("jnl")), previousId: null, userId: null, bytes: 1 };
    expect(await tenant.stub().keepResponse(2, request)).toBe(false);
    expect(
      await rows(tenant.id, "SELECT name FROM sqlite_master WHERE name = 'responses'"),
    ).toEqual([]);
  });

  it("that is deleted is gone at once, and a file that arrives late goes too", async () => {
    const tenant = await aTenant();
    await withoutReports(tenant.id);
    const id = await keep(tenant);
    expect((await tenant.stub().deleteResponse(PLATFORM, id)).kind).toBe("response");
    expect(await isThere(tenant, id)).toBe(false);
    expect((await tenant.stub().deleteResponse(PLATFORM, id)).kind).toBe("not_found");
    vi.setSystemTime(NOW + 90 * SECOND);
    await ring(tenant);
    expect(await hasFile(tenant, id)).toBe(false);
    expect(await rows(tenant.id, "SELECT * FROM response_files")).toEqual([]);
  });

  it("keeps its row until the bucket has erased its file", async () => {
    const tenant = await aTenant();
    await withoutReports(tenant.id);
    const id = await keep(tenant);
    await swapBucket(tenant, { delete: () => Promise.reject(new Error("internal error (10001)")) });
    const expiredMs = NOW + DAY_MS + 10 * MINUTE + 1;
    vi.setSystemTime(expiredMs);
    await ring(tenant);
    expect(await rows(tenant.id, "SELECT id FROM responses")).toEqual([{ id }]);
    expect(await isThere(tenant, id)).toBe(false);
    const due = await inTenant(tenant.id, ({ storage }) => storage.getAlarm());
    expect(due).toBeGreaterThan(expiredMs);
    expect(due).toBeLessThanOrEqual(expiredMs + MINUTE);
    await swapBucket(tenant, env.IMAGES);
    vi.setSystemTime(expiredMs + MINUTE);
    await ring(tenant);
    expect(await hasFile(tenant, id)).toBe(false);
    expect(await rows(tenant.id, "SELECT id FROM responses")).toEqual([]);
  });
});

describe("the history of a call", () => {
  it("is the chain of parents, the first first, and what is named beside it", async () => {
    const tenant = await aTenant();
    const ids = await chain(tenant, 3);
    const other = await keep(tenant);
    const history = expectKind(await historyOf(tenant, ids.at(-1) ?? "", [other]), "history");
    expect(history.chain).toEqual(ids);
    expect(history.owner).toEqual({ tenant: tenant.id, generation: 1 });
    const none = await historyOf(tenant, ids.at(-1) ?? "", [responseIdOf(newId("jnl"))]);
    expect(none.kind).toBe("missing_response");
  });

  it("has a gap where a parent was deleted", async () => {
    const tenant = await aTenant();
    const [first = "", , third = ""] = await chain(tenant, 3);
    await tenant.stub().deleteResponse(PLATFORM, first);
    expect(await historyOf(tenant, third)).toMatchObject({ kind: "missing_response", id: first });
  });

  it("is of one person, whom what continues it has too", async () => {
    const tenant = await aTenant();
    const ada = await keep(tenant, { userId: "ada" });
    const on = await keep(tenant, { previousId: ada });
    const bob = await keep(tenant, { userId: "bob" });
    const nobody = await keep(tenant);
    const personIn = async (...asked: [string | null, string[], string | null]) => {
      const [previousId, named, userId] = asked;
      const history = await historyOf(tenant, previousId, named, { userId });
      return history.kind === "history" ? history.userId : history.kind;
    };
    expect(await personIn(on, [], null)).toBe("ada");
    expect(await personIn(on, [nobody], "ada")).toBe("ada");
    expect(await personIn(null, [ada], null)).toBe("ada");
    expect(await personIn(nobody, [], "bob")).toBe("bob");
    expect(await personIn(nobody, [], null)).toBe(null);
    expect(await personIn(on, [], "bob")).toBe("invalid_request");
    expect(await personIn(null, [ada], "bob")).toBe("invalid_request");
    expect(await personIn(ada, [bob], null)).toBe("invalid_request");
    expect(await personIn(ada, [bob], "ada")).toBe("invalid_request");
  });

  it("is bounded in responses and in bytes", async () => {
    const tenant = await aTenant();
    const ids = await chain(tenant, MOST_RESPONSES.free + 1);
    const fits = ids.at(-2) ?? "";
    expect((await historyOf(tenant, fits)).kind).toBe("history");
    expect((await historyOf(tenant, ids.at(-1) ?? "")).kind).toBe("over_limit");
    expect((await historyOf(tenant, fits, [ids.at(-1) ?? ""])).kind).toBe("over_limit");
    const large = await keep(tenant, { bytes: 2 * 1024 * 1024 });
    expect((await historyOf(tenant, large)).kind).toBe("history");
    const larger = await keep(tenant, { bytes: 1, previousId: large });
    expect((await historyOf(tenant, larger)).kind).toBe("over_limit");
  });
});

describe("the responses of a person", () => {
  it("are exported and erased, also a file that is written meanwhile", async () => {
    const tenant = await aTenant();
    await withoutReports(tenant.id);
    const mine = await keep(tenant, { userId: "ada" });
    const others = await keep(tenant, { userId: "bob" });
    await tenant.stub().startErasure(PLATFORM, { id: "era_1", userId: "ada" });
    expect([await isThere(tenant, mine), await isThere(tenant, others)]).toEqual([false, true]);
    await ring(tenant);
    expect([await hasFile(tenant, mine), await hasFile(tenant, others)]).toEqual([false, true]);
    const { erasure } = expectKind(await tenant.stub().readErasure(PLATFORM, "era_1"), "erasure");
    expect(erasure.counts.responses).toBe(1);
    // The write of a call that had just ended.
    await env.IMAGES.put(keyOf(tenant, mine), "{}");
    vi.setSystemTime(NOW + 2 * MINUTE);
    await ring(tenant);
    expect([await hasFile(tenant, mine), await hasFile(tenant, others)]).toEqual([false, true]);
  });
});
