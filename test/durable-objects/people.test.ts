import {
  env,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { KeptContent, KeptPicture } from "../../src/domain/moderation/kept-content.ts";
import { keepContents } from "../../durable-objects/tenant/verdicts/contents.ts";
import { openStores } from "../../durable-objects/tenant/stores.ts";
import { MOST_RELEASED } from "../../durable-objects/tenant/verdicts/reviews.ts";
import { readPlatform } from "../../src/edge/platform.ts";
import type { SettleRequest } from "../../durable-objects/tenant/protocol.ts";
import { objectDatabase } from "../../durable-objects/database.ts";
import type { Hold } from "../../src/domain/ledger/ledger.ts";
import { CLAIM_MS } from "../../src/domain/moderation/review.ts";
import { contentKey } from "../../src/domain/generation/stored-picture.ts";
import { NO_REVIEW } from "../../src/domain/moderation/verdict.ts";
import { newId } from "../../src/http/ids.ts";
import {
  aKey,
  type ATenant,
  aTenant,
  aVerdict,
  cleanUp,
  DAY_MS,
  DEADLINE,
  expectKind,
  NOW,
  pictures,
  PLATFORM,
  rows,
  SECOND,
  settleRequest,
  stopClock,
  withoutReports,
} from "./a-tenant.ts";
import { hostOn } from "./a-node.ts";

// Reviews and kept contents from within: claims that run out, calls that die between the bucket and
// their settlement, and retention.

beforeEach(() => stopClock());
afterEach(cleanUp);

const ring = (tenant: ATenant) => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

const armedFor = (tenant: ATenant): Promise<number | null> =>
  runInDurableObject(env.TENANT.getByName(tenant.id), (_, { storage }) => storage.getAlarm());

const count = async (tenant: ATenant, table: string): Promise<number> =>
  Number((await rows(tenant.id, `SELECT COUNT(*) AS n FROM ${table}`))[0]?.["n"]);

// Reviews

async function flagged(tenant: ATenant, priority: "urgent" | "normal" = "normal"): Promise<string> {
  const hold = await tenant.hold();
  const review = { ...NO_REVIEW, state: "open", origin: "policy", priority } as const;
  const verdict = aVerdict(hold, { decision: "flag", approved: false, review });
  await tenant.settle(hold, { verdicts: [verdict] });
  return verdict.id;
}

const queue = {
  before: null,
  fromMs: null,
  toMs: null,
  userId: null,
  contentId: null,
  decision: null,
  category: null,
  policy: null,
  review: "open",
  batchId: null,
  limit: 50,
} as const;

async function openIds(tenant: ATenant): Promise<readonly string[]> {
  const page = await tenant.stub().listVerdicts(PLATFORM, queue);
  return expectKind(page, "verdicts").verdicts.map(({ id }) => id);
}

const claimOf = (limit: number, key: string | null = null) => ({
  route: "claim",
  limit,
  idempotency: key === null ? null : { key, fingerprint: `limit ${limit}` },
});

const asReviewer = async (tenant: ATenant) =>
  ({ ...(await aKey(tenant.id, "review")), roles: ["review"] }) as const;

describe("what is urgent", () => {
  it("is claimed first, the oldest of it before the newer, then the rest", async () => {
    const tenant = await aTenant();
    const one = async (priority: "urgent" | "normal") => {
      vi.setSystemTime(Date.now() + 10);
      return flagged(tenant, priority);
    };
    const [a, b, c, d, e] = [
      await one("normal"),
      await one("urgent"),
      await one("normal"),
      await one("urgent"),
      await one("normal"),
    ];
    const claim = async (limit: number) =>
      expectKind(
        await tenant.stub().claimVerdicts(PLATFORM, claimOf(limit)),
        "verdicts",
      ).verdicts.map(({ id }) => id);
    expect(await claim(1)).toEqual([b]);
    expect(await claim(3)).toEqual([d, a, c]);
    expect(await claim(10)).toEqual([e]);
    // A claim whose time is over is urgent as before.
    vi.setSystemTime(Date.now() + CLAIM_MS);
    expect(await claim(2)).toEqual([b, d]);
  });

  it("is found without looking at what is not", async () => {
    const tenant = await aTenant();
    const [read] = await rows(
      tenant.id,
      `EXPLAIN QUERY PLAN SELECT * FROM verdicts WHERE review_state = 'open'
        AND json_extract(body, '$.review.priority') = 'urgent' ORDER BY id LIMIT ?`,
      10,
    );
    expect(read?.["detail"]).toContain("USING INDEX verdicts_urgent");
  });
});

describe("a claim under an idempotency key", () => {
  it("is made once: a repeat gets the same verdicts, as they are by then", async () => {
    const tenant = await aTenant();
    const ids = [await flagged(tenant), await flagged(tenant), await flagged(tenant)];
    const [one, other] = [await asReviewer(tenant), await asReviewer(tenant)];
    const claim = (caller: typeof one, limit: number, key: string) =>
      tenant.stub().claimVerdicts(caller, claimOf(limit, key));
    const claimed = async (key: string) =>
      expectKind(await claim(one, 2, key), "verdicts").verdicts;
    const first = await claimed("k1");
    expect(first).toHaveLength(2);
    expect(await claimed("k1")).toEqual(first);
    expect((await claimed("k2")).map(({ id }) => id)).toEqual(
      ids.filter((id) => first.every((verdict) => verdict.id !== id)),
    );
    // An empty queue leaves no record.
    expect(await claimed("k3")).toEqual([]);
    const late = await flagged(tenant);
    expect((await claimed("k3")).map(({ id }) => id)).toEqual([late]);
    expect((await claim(one, 3, "k1")).kind).toBe("idempotency_key_reused");
    expect((await claim(other, 2, "k1")).kind).toBe("idempotency_key_reused");
    vi.setSystemTime(NOW + CLAIM_MS);
    expect((await claimed("k1")).map(({ review }) => review.state)).toEqual(["open", "open"]);
  });
});

describe("claims that have run out", () => {
  it("are taken by the next, without an alarm, and over a restart", async () => {
    const tenant = await aTenant();
    const id = await flagged(tenant);
    const [one, other] = [await asReviewer(tenant), await asReviewer(tenant)];
    const claim = async (caller: typeof one) =>
      expectKind(await tenant.stub().claimVerdicts(caller, claimOf(10)), "verdicts").verdicts;
    expect((await claim(one)).map((verdict) => verdict.id)).toEqual([id]);
    expect(await claim(other)).toEqual([]);
    vi.setSystemTime(NOW + CLAIM_MS - 1);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(await claim(other)).toEqual([]);
    vi.setSystemTime(NOW + CLAIM_MS);
    const [taken] = await claim(other);
    expect(taken?.review).toMatchObject({ state: "claimed", claim_expires_at: expect.anything() });
    const late = {
      id,
      act: { state: "done", decision: "allow", revision: 1, note: null },
    } as const;
    expect((await tenant.stub().reviewVerdict(one, late)).kind).toBe("review_conflict");
    expect((await tenant.stub().reviewVerdict(other, late)).kind).toBe("reviewed");
  });

  it("are found among any number of those that have not", async () => {
    const tenant = await aTenant();
    const id = await flagged(tenant);
    await tenant.stub().reviewVerdict(PLATFORM, { id, act: { state: "claimed" } });
    // Claimed later, and older than it in the queue.
    const until = new Date(NOW + 2 * CLAIM_MS).toISOString();
    await rows(
      tenant.id,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100)
        INSERT INTO verdicts (id, call_id, created_at_ms, decision, approved, policy_name,
          policy_version, review_state, body)
        SELECT printf('vrd_0%06d', i), 'jnl_', ?, 'flag', 0, 'default', 1, 'claimed',
          '{"stages":[],"coverage":"","review":{"key_id":"k","claim_expires_at":"${until}"}}'
        FROM n`,
      NOW,
    );
    expect(await openIds(tenant)).toEqual([]);
    vi.setSystemTime(NOW + CLAIM_MS);
    expect(await openIds(tenant)).toEqual([id]);
    vi.setSystemTime(NOW + 2 * CLAIM_MS);
    // A list says so before any row does, and writes none.
    expect((await openIds(tenant)).length).toBeGreaterThan(1);
    const left = async () =>
      (await rows(tenant.id, "SELECT 1 FROM verdicts WHERE review_state = 'claimed'")).length;
    expect(await left()).toBe(2101);
    // A step opens a bounded number of them, and claims from those.
    const { verdicts } = expectKind(
      await tenant.stub().claimVerdicts(PLATFORM, claimOf(10)),
      "verdicts",
    );
    expect(verdicts).toHaveLength(10);
    expect(await left()).toBe(2101 - MOST_RELEASED + 10);
    const [read] = await rows(
      tenant.id,
      `EXPLAIN QUERY PLAN SELECT * FROM verdicts WHERE review_state = 'claimed'
        AND json_extract(body, '$.review.claim_expires_at') <= ?
        ORDER BY json_extract(body, '$.review.claim_expires_at') LIMIT 200`,
      until,
    );
    expect(read?.["detail"]).toBe("SEARCH verdicts USING INDEX verdicts_claims (<expr><?)");
    // The alarm goes on until none are left.
    const stub = env.TENANT.getByName(tenant.id);
    for (let rung = 0; rung < 12 && (await left()) > 10; rung += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
      expect(await runDurableObjectAlarm(stub)).toBe(true);
    }
    expect(await left()).toBe(10);
  });

  it("are none to who repeats the call that made the verdict", async () => {
    const tenant = await aTenant();
    const idempotency = { key: "k", fingerprint: "f" };
    const verdictId = newId("vrd");
    const hold = await tenant.hold({ idempotency, verdictIds: [verdictId] });
    const review = { ...NO_REVIEW, state: "open", origin: "policy" } as const;
    const verdict = aVerdict(hold, { id: verdictId, decision: "flag", approved: false, review });
    await tenant.settle(hold, { verdicts: [verdict] });
    await tenant.stub().reviewVerdict(PLATFORM, { id: verdictId, act: { state: "claimed" } });
    vi.setSystemTime(NOW + CLAIM_MS);
    const replay = expectKind(await tenant.admit({ idempotency }), "replayed");
    expect(replay.verdicts[0]?.review).toEqual(review);
  });
});

describe("a decision", () => {
  it("costs the verdict's row, two revisions and its event, and the next one fewer", async () => {
    const tenant = await aTenant();
    const id = await flagged(tenant);
    expect(await count(tenant, "revisions")).toBe(0);
    const decide = (revision: number, decision: "allow" | "block") =>
      tenant.stub().reviewVerdict(PLATFORM, {
        id,
        act: { state: "done", decision, revision, note: null },
      });
    await decide(1, "allow");
    expect(await count(tenant, "revisions")).toBe(2);
    const act = { state: "open", origin: "appeal", note: null } as const;
    await tenant.stub().reviewVerdict(PLATFORM, { id, act });
    await decide(2, "block");
    expect(await count(tenant, "revisions")).toBe(3);
    vi.setSystemTime(NOW + 31 * DAY_MS);
    await tenant.hold();
    await ring(tenant);
    expect([await count(tenant, "verdicts"), await count(tenant, "revisions")]).toEqual([0, 0]);
  });
});

// Contents

const OWNER = (tenant: ATenant) => ({ tenant: tenant.id, generation: 1 });
const KEPT: KeptPicture = { contentType: "image/png", bytes: 3, kept: true };
const LOST: KeptPicture = { ...KEPT, kept: false };
const LATE = 90 * SECOND;

const keeping = (days = 7) => aTenant({ content_retention_days: days });

/** As the router does it: admitted, and its pictures into the bucket. */
async function written(tenant: ATenant, many = 2): Promise<{ hold: Hold; id: string }> {
  const id = newId("vrd");
  const hold = await tenant.hold({ contents: [pictures(many)], verdictIds: [id] });
  for (let at = 0; at < many; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await env.IMAGES.put(contentKey(OWNER(tenant), id, at), "abc");
  }
  return { hold, id };
}

const settledWith = (hold: Hold, content: KeptContent): SettleRequest =>
  settleRequest(hold, {
    verdicts: [aVerdict(hold, { id: content.verdictId })],
    contents: [content],
  });

/** Its line is folded, and what the alarm is set for then is something else. */
async function expire(tenant: ATenant): Promise<void> {
  await withoutReports(tenant.id);
  await ring(tenant);
  vi.setSystemTime(Date.now() + 5 * SECOND);
  await ring(tenant);
}

const filesOf = async (tenant: ATenant): Promise<string[]> =>
  (await env.IMAGES.list({ prefix: `${tenant.id}/` })).objects.map(({ key }) => key);

describe("pictures of a call that died before it settled", () => {
  it("are erased once nothing of it is under way", async () => {
    const tenant = await keeping();
    await written(tenant);
    vi.setSystemTime(NOW + DEADLINE);
    await expire(tenant);
    expect(await armedFor(tenant)).toBe(NOW + DEADLINE + LATE);
    expect(await filesOf(tenant)).toHaveLength(2);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    vi.setSystemTime(NOW + DEADLINE + LATE);
    await ring(tenant);
    expect(await filesOf(tenant)).toEqual([]);
    expect(await count(tenant, "content_files")).toBe(0);
  });

  it("are asked for again when the bucket fails", async () => {
    const tenant = await keeping();
    await written(tenant);
    const down = await runInDurableObject(env.TENANT.getByName(tenant.id), (object) =>
      vi
        .spyOn((object as unknown as { env: Env }).env.IMAGES, "delete")
        .mockRejectedValue(new Error("down")),
    );
    vi.setSystemTime(NOW + DEADLINE);
    await expire(tenant);
    const dueMs = NOW + DEADLINE + LATE;
    vi.setSystemTime(dueMs);
    await ring(tenant);
    expect(await filesOf(tenant)).toHaveLength(2);
    expect(await armedFor(tenant)).toBe(dueMs + 10 * SECOND);
    down.mockRestore();
    vi.setSystemTime(dueMs + 10 * SECOND);
    await ring(tenant);
    expect(await filesOf(tenant)).toEqual([]);
  });
});

describe("contents", () => {
  it("that were settled stay, and nothing is awaited any more", async () => {
    const tenant = await keeping();
    const { hold, id } = await written(tenant);
    await tenant
      .stub()
      .settle(settledWith(hold, { verdictId: id, text: null, pictures: [KEPT, KEPT] }));
    expect(await count(tenant, "content_files")).toBe(0);
    vi.setSystemTime(NOW + DEADLINE + LATE);
    await ring(tenant);
    expect(await filesOf(tenant)).toHaveLength(2);
  });

  it("lose a picture whose write seemed to fail, and no other", async () => {
    const tenant = await keeping();
    const { hold, id } = await written(tenant);
    await tenant
      .stub()
      .settle(settledWith(hold, { verdictId: id, text: null, pictures: [KEPT, LOST] }));
    vi.setSystemTime(NOW + DEADLINE + LATE);
    await ring(tenant);
    expect(await filesOf(tenant)).toEqual([contentKey(OWNER(tenant), id, 0)]);
  });

  it("are awaited only where there are pictures to keep", async () => {
    const off = await keeping(0);
    await off.hold();
    expect(await count(off, "content_files")).toBe(0);
    const text = await keeping();
    await text.hold({ contents: [{ text: { sentiment: [9], judge: [9] }, pictures: 0 }] });
    expect(await count(text, "content_files")).toBe(0);
  });

  it("are not kept once the tenant has turned it off, whatever is on its way", async () => {
    const tenant = await keeping();
    const { hold, id } = await written(tenant);
    await tenant.configure({ content_retention_days: 0 });
    await tenant
      .stub()
      .settle(settledWith(hold, { verdictId: id, text: "t", pictures: [KEPT, KEPT] }));
    expect(await count(tenant, "contents")).toBe(0);
    vi.setSystemTime(NOW + DEADLINE + LATE);
    await ring(tenant);
    expect(await filesOf(tenant)).toEqual([]);
  });

  it("cannot be read past their time, though no alarm has come, and that is no reading", async () => {
    const tenant = await keeping(2);
    const { hold, id } = await written(tenant);
    await tenant
      .stub()
      .settle(settledWith(hold, { verdictId: id, text: "t", pictures: [KEPT, KEPT] }));
    const read = async () =>
      (await tenant.stub().readContent(PLATFORM, { id, requestId: "req_1" })).kind;
    vi.setSystemTime(NOW + 2 * DAY_MS);
    expect(await read()).toBe("content");
    vi.setSystemTime(NOW + 2 * DAY_MS + 1);
    expect(await read()).toBe("not_found");
    expect(await count(tenant, "content_reads")).toBe(1);
    await tenant.hold({ contents: [pictures(0)], verdictIds: [] });
    await ring(tenant);
    expect([await count(tenant, "contents"), await filesOf(tenant)]).toEqual([0, []]);
  });

  it("leave the last of the storage to settlements", async () => {
    const tenant = await keeping();
    await runInDurableObject(env.TENANT.getByName(tenant.id), (_, { storage }) => {
      let share = 0.8001;
      const platform = readPlatform(env);
      const size = () => Math.floor(platform.storageLimit * share);
      const parts = openStores(hostOn(storage, { ...objectDatabase(storage), size }));
      const profile = parts.profiles.read();
      if (profile === null) throw new Error("there is no such tenant");
      const keep = (verdictId: string) =>
        keepContents({ stores: parts, profile, keyId: null, nowMs: NOW }, [
          { verdictId, text: "t", pictures: [] },
        ]);
      keep("vrd_1");
      expect(parts.contents.read("vrd_1", 0)).toBeNull();
      share = 0.8;
      keep("vrd_2");
      expect(parts.contents.read("vrd_2", 0)?.text).toBe("t");
    });
  });
});
