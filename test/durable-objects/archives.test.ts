import {
  env,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AdjustLine } from "../../durable-objects/tenant/ledger/adjustments.ts";
import { ARCHIVE_PAGE } from "../../durable-objects/tenant/ledger/journal.ts";
import { archiveKey, keptFrom } from "../../src/domain/ledger/journal-archive.ts";
import { toJournalLine } from "../../src/domain/ledger/journal-object.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import { monthOf } from "../../src/domain/ledger/period.ts";
import { newId } from "../../src/http/ids.ts";
import {
  aTenant,
  type ATenant,
  broken,
  cleanUp,
  DAY,
  DAY_MS,
  expectKind,
  MIDNIGHT,
  NOW,
  PICTURE,
  PLATFORM,
  rows,
  stopClock,
  withoutReports,
  voidItemsOf,
} from "./a-tenant.ts";

// The journal's archive: what is old goes into one file a day, and no line is deleted that is not in
// a file which was read back and adds up; whatever is cut off, whatever fails.

beforeEach(() => stopClock());
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const OLD = MIDNIGHT + 35 * DAY_MS;

const ring = (tenant: ATenant) => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

/** Rings until nothing is left to be done at once. */
async function ringAll(tenant: ATenant, most = 20): Promise<void> {
  for (let rung = 0; rung < most; rung += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
    await ring(tenant);
  }
}

async function post(tenant: ATenant, userId: string | null = null) {
  const hold = await tenant.hold({ userId });
  return expectKind((await tenant.settle(hold)).settlement, "settled").line;
}

const keyOf = (tenant: ATenant, revision = 1) =>
  archiveKey({ tenant: tenant.id, generation: 1 }, DAY, revision);

const fileOf = async (tenant: ATenant, revision = 1): Promise<string | null> =>
  (await (await env.IMAGES.get(keyOf(tenant, revision)))?.text()) ?? null;

const count = async (tenant: ATenant, table: string): Promise<number> =>
  Number((await rows(tenant.id, `SELECT COUNT(*) AS n FROM ${table}`))[0]?.["n"]);

const alarmOf = (tenant: ATenant): Promise<number | null> =>
  runInDurableObject(env.TENANT.getByName(tenant.id), (_, { storage }) => storage.getAlarm());

const oldLines = (tenant: ATenant): Promise<number> => count(tenant, `journal WHERE day = ${DAY}`);

const archiveOf = async (tenant: ATenant) =>
  (await rows(tenant.id, `SELECT * FROM archives WHERE day = ${DAY}`))[0];

async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

const adjustment = (lineId: string, fields: Partial<AdjustLine> = {}): AdjustLine => ({
  route: "POST /admin/tenants/{tenant}/adjustments",
  id: newId("jnl"),
  requestId: newId("req"),
  lineId,
  amount: microNeurons(100),
  reason: "contested",
  idempotency: null,
  ...fields,
});

describe("a day of the journal", () => {
  it("is old 35 days after it has closed, and not a millisecond before", () => {
    expect(keptFrom(OLD - 1)).toBe(DAY);
    expect(keptFrom(OLD)).toBe(DAY + 1);
  });

  it("becomes one file with hash, count and sum, and its lines go", async () => {
    const tenant = await aTenant();
    const first = await post(tenant, "u_1");
    const second = await post(tenant);
    await tenant.stub().adjustLine(PLATFORM, adjustment(first.callId));
    vi.setSystemTime(OLD - 1);
    await ringAll(tenant, 3);
    expect(await count(tenant, "archives")).toBe(0);
    vi.setSystemTime(OLD);
    const kept = await post(tenant);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await ringAll(tenant);

    const text = (await fileOf(tenant)) ?? "";
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(3);
    expect(lines.slice(0, 2)).toEqual(
      [first, second].toSorted((a, b) => (a.callId < b.callId ? -1 : 1)).map(toJournalLine),
    );
    expect(lines[2]).toMatchObject({ route: "adjustment", adjusts: first.callId });
    expect(await archiveOf(tenant)).toMatchObject({
      state: "done",
      lines: 3,
      persons: 1,
      amount: 2 * PICTURE - 100,
      bytes: text.length,
      sha256: await sha256(text),
      revision: 1,
    });
    // The period's row stays, and so does what is not old.
    expect((await tenant.lines()).map(({ callId }) => callId)).toEqual([kept.callId]);
    const [period] = await rows(tenant.id, `SELECT posted FROM periods WHERE day = ${DAY}`);
    expect(period).toEqual({ posted: 2 * PICTURE - 100 });
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("leaves the acts of the platform: its adjustments are in statements, and are not made twice", async () => {
    const tenant = await aTenant();
    const line = await post(tenant);
    vi.setSystemTime(OLD - DAY_MS / 2);
    const idempotency = { key: "again", fingerprint: "same" };
    const ask = () => tenant.stub().adjustLine(PLATFORM, adjustment(line.callId, { idempotency }));
    const made = expectKind(await ask(), "adjustment").adjustment;
    const query = { before: null, fromMs: null, toMs: null, limit: 10 };
    const ledger = async () =>
      expectKind(await tenant.stub().listLines(PLATFORM, { ...query, outcome: null }), "page").data;
    expect(await ledger()).toHaveLength(2);
    vi.setSystemTime(OLD);
    await ringAll(tenant, 4);
    expect(await archiveOf(tenant)).toMatchObject({ state: "done", lines: 2 });
    expect(await ledger()).toEqual([]);
    const listed = expectKind(await tenant.stub().listAdjustments(PLATFORM, query), "page");
    expect(listed.data).toEqual([made]);
    const month = monthOf(DAY);
    const books = expectKind(await tenant.stub().readMonth(PLATFORM, month), "month");
    expect(books.adjustments).toMatchObject([{ adjusts: line.callId, reason: "contested" }]);
    expect(await ask()).toMatchObject({ kind: "adjustment", adjustment: made, repeated: true });
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("leaves its verdicts with a line, and is not adjusted any more", async () => {
    const tenant = await aTenant({ verdict_retention_days: 400 });
    const line = await post(tenant);
    vi.setSystemTime(OLD);
    await ringAll(tenant);
    expect(await count(tenant, "verdicts")).toBe(1);
    expect(await broken(tenant.id)).toEqual([]);
    expect(await tenant.stub().adjustLine(PLATFORM, adjustment(line.callId))).toMatchObject({
      kind: "invalid_request",
      errors: [
        {
          path: ["line_id"],
          detail:
            "is of a day that has gone to the journal's archive, and is not adjusted any more",
        },
      ],
    });
    const none = await tenant.stub().adjustLine(PLATFORM, adjustment("jnl_none"));
    expect(none.kind).toBe("not_found");
  });

  it("goes in pages, and is deleted in batches", async () => {
    const tenant = await aTenant();
    const many = 2 * ARCHIVE_PAGE + 7;
    await fill(tenant, many);
    vi.setSystemTime(OLD);
    // It arms the alarm.
    await post(tenant);
    await ring(tenant);
    expect(await archiveOf(tenant)).toMatchObject({ state: "stored", lines: many });
    expect(await oldLines(tenant)).toBe(many);
    await ring(tenant);
    expect(await oldLines(tenant)).toBe(many - ARCHIVE_PAGE);
    await ringAll(tenant, 3);
    expect(await oldLines(tenant)).toBe(0);
    expect(await archiveOf(tenant)).toMatchObject({ state: "done" });
    expect((await fileOf(tenant))?.trimEnd().split("\n")).toHaveLength(many);
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("has in it what was voided and what expired", async () => {
    const tenant = await aTenant();
    await post(tenant);
    const voided = await tenant.hold();
    await tenant.settle(voided, { items: voidItemsOf(voided) });
    await tenant.hold();
    vi.setSystemTime(OLD);
    await ringAll(tenant, 5);
    expect(await archiveOf(tenant)).toMatchObject({ state: "done", lines: 3 });
    const outcomes = [...((await fileOf(tenant)) ?? "").matchAll(/"outcome":"(\w+)"/g)];
    expect(new Set(outcomes.map(([, outcome]) => outcome))).toEqual(
      new Set(["expired", "posted", "voided"]),
    );
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("without lines is no file", async () => {
    const tenant = await aTenant();
    await rows(
      tenant.id,
      `INSERT INTO periods VALUES (${DAY}, 0, 0, 0, 0, '{"calls":0,"overrun":0,"models":{},"overageByRate":{},"refused":{"rate_limited":3}}')`,
    );
    vi.setSystemTime(OLD);
    await post(tenant);
    await ringAll(tenant, 3);
    expect(await archiveOf(tenant)).toMatchObject({ state: "empty" });
    const page = await tenant.stub().listArchives(PLATFORM, Number.MAX_SAFE_INTEGER, 10);
    expect(expectKind(page, "page").data).toEqual([]);
  });
});

/** Lines of one day, as the ledger would have made them; each third one a person's. */
async function fill(tenant: ATenant, many: number): Promise<void> {
  const id = newId("jnl").slice(0, 14);
  await rows(
    tenant.id,
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${many})
      INSERT INTO journal (id, day, outcome, request_id, route, user_id, admitted_at_ms,
        deadline_ms, settled_at_ms, held, quota, price_book, items)
      SELECT printf('${id}%016d', i), ${DAY}, 'posted', 'r', 'POST /v1/verdicts',
        CASE WHEN i % 3 = 0 THEN 'u_gone' ELSE 'u_stays' END, ${NOW}, 0, ${NOW}, 5, 5, 'b', '[]'
      FROM n`,
  );
  const posted = 5 * many;
  await rows(
    tenant.id,
    `INSERT INTO periods VALUES (${DAY}, ${posted}, 0, 0, ${posted}, '{"calls":${many},"overrun":0,"models":{},"overageByRate":{},"refused":{}}')`,
  );
}

describe("nothing is deleted", () => {
  it("without a bucket", async () => {
    const tenant = await aTenant();
    await post(tenant);
    await swap(tenant, undefined);
    vi.setSystemTime(OLD);
    await ringAll(tenant, 4);
    expect(await oldLines(tenant)).toBe(1);
    expect(await count(tenant, "archives")).toBe(0);
  });

  it.each<[string, (bucket: R2Bucket) => Partial<R2Bucket>]>([
    ["takes nothing", () => ({ put: () => Promise.reject(new Error("down")) })],
    [
      "keeps something else",
      (bucket) => ({ put: ((key: string) => bucket.put(key, "{}\n")) as R2Bucket["put"] }),
    ],
    ["loses it", () => ({ put: (() => Promise.resolve(null)) as unknown as R2Bucket["put"] })],
    ["does not give it back", () => ({ get: () => Promise.reject(new Error("down")) })],
  ])("when the bucket %s, and it is tried again", async (_, how) => {
    const tenant = await aTenant();
    await post(tenant);
    vi.spyOn(console, "error").mockImplementation(() => {});
    await swap(tenant, {
      put: env.IMAGES.put.bind(env.IMAGES),
      get: env.IMAGES.get.bind(env.IMAGES),
      ...how(env.IMAGES),
    });
    vi.setSystemTime(OLD);
    await ringAll(tenant, 3);
    expect(await oldLines(tenant)).toBe(1);
    expect(await archiveOf(tenant)).toMatchObject({ state: "writing" });
    // Not at once, nor by the next alarm; and it needs no call to be thought of.
    expect(await alarmOf(tenant)).toBe(OLD + 600_000);
    await swap(tenant, env.IMAGES);
    await ring(tenant);
    expect(await oldLines(tenant)).toBe(1);
    vi.setSystemTime(OLD + 600_000);
    await ringAll(tenant, 4);
    expect(await archiveOf(tenant)).toMatchObject({ state: "done", lines: 1 });
    expect(await oldLines(tenant)).toBe(0);
  });

  it("before the reports have what they are made of", async () => {
    const tenant = await aTenant();
    await post(tenant);
    vi.spyOn(console, "error").mockImplementation(() => {});
    await rows(
      tenant.id,
      "CREATE TRIGGER broken BEFORE INSERT ON report_rows BEGIN SELECT RAISE(ABORT, 'x'); END",
    );
    vi.setSystemTime(OLD);
    await ringAll(tenant, 3);
    expect(await count(tenant, "archives")).toBe(0);
    expect(await oldLines(tenant)).toBe(1);
    await rows(tenant.id, "DROP TRIGGER broken");
    vi.setSystemTime(OLD + 3_600_000);
    await ringAll(tenant, 4);
    expect(await archiveOf(tenant)).toMatchObject({ state: "done", lines: 1 });
  });

  it("when lines and period disagree: it is counted as a broken invariant", async () => {
    const tenant = await aTenant();
    await post(tenant);
    await rows(tenant.id, "UPDATE periods SET quota = quota + 1, posted = posted + 1");
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    vi.setSystemTime(OLD);
    await ringAll(tenant, 4);
    expect(await archiveOf(tenant)).toMatchObject({ state: "broken" });
    expect(await oldLines(tenant)).toBe(1);
    expect(await broken(tenant.id)).toEqual(["lines_sum_to_posted"]);
    const found = await tenant.stub().readArchive(PLATFORM, DAY);
    expect(found.kind).toBe("not_found");
  });

  it("twice, nor a file made twice, when the object dies between two steps", async () => {
    const tenant = await aTenant();
    await fill(tenant, ARCHIVE_PAGE + 3);
    vi.setSystemTime(OLD);
    await post(tenant);
    // It died after it had written down that it begins.
    await rows(
      tenant.id,
      `INSERT INTO archives VALUES (${DAY}, 'writing', 0, 0, 0, 0, '', 1, 0, ${OLD}, NULL)`,
    );
    for (let rung = 0; rung < 5; rung += 1) {
      // oxlint-disable-next-line no-await-in-loop -- it dies after each
      await evictDurableObject(env.TENANT.getByName(tenant.id));
      // oxlint-disable-next-line no-await-in-loop
      await ring(tenant);
    }
    expect(await archiveOf(tenant)).toMatchObject({ state: "done", lines: ARCHIVE_PAGE + 3 });
    expect(await oldLines(tenant)).toBe(0);
    const { objects } = await env.IMAGES.list({ prefix: `${tenant.id}/1/journal/` });
    expect(objects.map(({ key }) => key)).toEqual([keyOf(tenant)]);
  });
});

/** Another bucket for the object, or none. */
async function swap(tenant: ATenant, IMAGES: unknown): Promise<void> {
  await runInDurableObject(env.TENANT.getByName(tenant.id), (instance) => {
    Object.defineProperty(instance, "env", {
      value: { ...env, USAGE: undefined, IMAGES },
      configurable: true,
    });
  });
}

const erase = async (tenant: ATenant) =>
  expectKind(
    await tenant.stub().startErasure(PLATFORM, { id: newId("era"), userId: "u_gone" }),
    "erasure",
  ).erasure;

describe("the erasure of a person", () => {
  it("reaches archived days: the file is made anew, and everything else stays", async () => {
    const tenant = await aTenant();
    await withoutReports(tenant.id);
    const gone = await post(tenant, "u_gone");
    await post(tenant, "u_stays");
    vi.setSystemTime(OLD);
    await ringAll(tenant, 4);
    const before = (await fileOf(tenant)) ?? "";
    const { id } = await erase(tenant);
    await ringAll(tenant, 3);
    const { erasure } = expectKind(await tenant.stub().readErasure(PLATFORM, id), "erasure");
    expect(erasure.finishedAtMs).not.toBeNull();
    expect(erasure.counts).toMatchObject({ journal_lines: 1 });
    expect(await fileOf(tenant)).toBeNull();
    const after = (await fileOf(tenant, 2)) ?? "";
    expect(after).toBe(before.replace('"user_id":"u_gone"', '"user_id":null'));
    expect(after).toContain(gone.callId);
    expect(await archiveOf(tenant)).toMatchObject({
      revision: 2,
      persons: 1,
      lines: 2,
      bytes: after.length,
      sha256: await sha256(after),
      rewritten_at_ms: OLD,
    });
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("leaves files alone that name nobody, or nobody that is erased", async () => {
    const tenant = await aTenant();
    await withoutReports(tenant.id);
    await post(tenant, "u_stays");
    vi.setSystemTime(OLD);
    await ringAll(tenant, 4);
    const { id } = await erase(tenant);
    await ringAll(tenant, 2);
    const { erasure } = expectKind(await tenant.stub().readErasure(PLATFORM, id), "erasure");
    expect(erasure).toMatchObject({ counts: {}, finishedAtMs: OLD });
    expect(await archiveOf(tenant)).toMatchObject({ revision: 1, rewritten_at_ms: null });
    expect(await fileOf(tenant)).toContain("u_stays");
  });

  it("finishes what was cut off after the new file was named", async () => {
    const tenant = await aTenant();
    await withoutReports(tenant.id);
    await post(tenant, "u_gone");
    vi.setSystemTime(OLD);
    await ringAll(tenant, 4);
    const drop = vi
      .spyOn(await bucketOf(tenant), "delete")
      .mockRejectedValueOnce(new Error("down"));
    const { id } = await erase(tenant);
    await ring(tenant);
    expect(drop).toHaveBeenCalled();
    // Two files, of which one still names the person: it is not done.
    expect(await fileOf(tenant)).toContain("u_gone");
    const { erasure } = expectKind(await tenant.stub().readErasure(PLATFORM, id), "erasure");
    expect(erasure.finishedAtMs).toBeNull();
    vi.setSystemTime(OLD + 10_000);
    await ringAll(tenant, 2);
    expect(await fileOf(tenant)).toBeNull();
    expect(await fileOf(tenant, 2)).not.toContain("u_gone");
    const again = expectKind(await tenant.stub().readErasure(PLATFORM, id), "erasure");
    expect(again.erasure.finishedAtMs).toBe(OLD + 10_000);
  });

  it("makes a file anew that was being made when the person left its lines", async () => {
    const tenant = await aTenant();
    await post(tenant, "u_gone");
    vi.setSystemTime(OLD);
    const bucket = await bucketOf(tenant);
    const put = bucket.put.bind(bucket);
    vi.spyOn(bucket, "put").mockImplementationOnce((async (key: string, value: string) => {
      const stored = await put(key, value);
      await erase(tenant);
      return stored;
    }) as typeof bucket.put);
    await ring(tenant);
    expect(await archiveOf(tenant)).toMatchObject({ state: "writing", stale: 0 });
    await ringAll(tenant, 4);
    expect(await archiveOf(tenant)).toMatchObject({ state: "done", persons: 0 });
    expect(await fileOf(tenant)).not.toContain("u_gone");
  });
});

async function bucketOf(tenant: ATenant): Promise<R2Bucket> {
  return runInDurableObject(
    env.TENANT.getByName(tenant.id),
    (instance) => (instance as unknown as { env: Env }).env.IMAGES,
  );
}

describe("an adjustment", () => {
  it("is refused while the day's file is being made", async () => {
    const tenant = await aTenant();
    const line = await post(tenant);
    vi.setSystemTime(OLD);
    await rows(
      tenant.id,
      `INSERT INTO archives VALUES (${DAY}, 'writing', 0, 0, 0, 0, '', 1, 0, ${OLD}, NULL)`,
    );
    const made = await tenant.stub().adjustLine(PLATFORM, adjustment(line.callId));
    expect(made.kind).toBe("invalid_request");
  });
});
