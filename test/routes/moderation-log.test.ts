import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { encodeTime } from "ulid";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LoggedVerdict } from "../../src/domain/usage/report-rows.ts";
import { readModerationLog } from "../../src/reports/moderation-log-store.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { admin } from "../client.ts";
import { type Owner, seedLog } from "../reports/seed-rows.ts";

const NOW = Date.now();
const MINUTE = 60_000;

beforeEach(() => migrateReports(env.REPORTS));
afterEach(() => reset());

/** Made so many minutes ago. */
const verdict = (
  ago: number,
  change: Partial<LoggedVerdict & Owner> = {},
): Owner & LoggedVerdict => ({
  tenant: "acme",
  generation: 1,
  verdictId: `vrd_${encodeTime(NOW - ago * MINUTE, 10)}${String(ago).padStart(16, "0")}`,
  revision: 1,
  createdAtMs: NOW - ago * MINUTE,
  decision: "block",
  approved: false,
  decidedBy: "policy",
  categories: ["toxicity"],
  userId: "u_1",
  contentId: "c_1",
  policy: "default",
  policyVersion: 3,
  removed: false,
  expiresAtMs: NOW + 86_400_000,
  sequence: 1,
  ...change,
});

const LOG = [
  verdict(1),
  verdict(2, { tenant: "zenith", decision: "flag", categories: ["spam", "toxicity"] }),
  verdict(3, { userId: "u_2", categories: ["nsfw"] }),
  verdict(4, { removed: true }),
  verdict(5, { expiresAtMs: NOW - 1 }),
  verdict(30, { userId: null, contentId: null }),
];

const minutesAgo = async (query: string): Promise<readonly number[]> => {
  const { body } = await admin("GET", `/admin/moderation-log${query}`);
  return body.data.map((entry: { created_at: string }) =>
    Math.round((NOW - Date.parse(entry.created_at)) / MINUTE),
  );
};
const iso = (ago: number): string => new Date(NOW - ago * MINUTE).toISOString();

describe("GET /admin/moderation-log", () => {
  it("has verdicts of all tenants, newest first, none that was removed or expired", async () => {
    await seedLog(LOG);
    const { body } = await admin("GET", "/admin/moderation-log");
    expect(body.data[0]).toEqual({
      object: "logged_verdict",
      tenant: "acme",
      life: 1,
      verdict_id: LOG[0]?.verdictId,
      revision: 1,
      created_at: iso(1),
      decision: "block",
      approved: false,
      decided_by: "policy",
      categories: ["toxicity"],
      user_id: "u_1",
      content_id: "c_1",
      policy: { name: "default", version: 3 },
    });
    expect(await minutesAgo("")).toEqual([1, 2, 3, 30]);
  });

  it.each([
    ["tenant=acme", [1, 3, 30]],
    ["tenant=nobody", []],
    ["decision=flag", [2]],
    ["category=toxicity", [1, 2, 30]],
    ["category=spam", [2]],
    ["user_id=u_1", [1, 2]],
    ["user_id=u_1&tenant=zenith", [2]],
    ["user_id=%27%20OR%201", []],
    [`from=${iso(3)}`, [1, 2, 3]],
    [`to=${iso(3)}`, [30]],
    [`from=${iso(30)}&to=${iso(2)}&tenant=acme`, [3, 30]],
  ])("finds ?%s", async (query, expected) => {
    await seedLog(LOG);
    expect(await minutesAgo(`?${query}`)).toEqual(expected);
  });

  it.each(["", "&tenant=acme"])("goes on from page to page without a gap%s", async (filter) => {
    const many = Array.from({ length: 12 }, (_, at) => verdict(at, { generation: at < 5 ? 2 : 1 }));
    await seedLog(many);
    const seen: string[] = [];
    for (let cursor = ""; ;) {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const { body } = await admin("GET", `/admin/moderation-log?limit=5${filter}${cursor}`);
      seen.push(...body.data.map(({ verdict_id: id }: { verdict_id: string }) => id));
      if (!body.has_more) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(seen).toEqual(many.map(({ verdictId }) => verdictId));
  });

  it("looks at a bounded number of verdicts, and says where to go on", async () => {
    await seedLog(
      Array.from({ length: 1500 }, (_, at) => verdict(at, at === 1400 ? { userId: "u_9" } : {})),
    );
    const query = {
      after: null,
      tenant: null,
      decision: null,
      category: null,
      userId: "u_9",
      fromMs: null,
      toMs: null,
      limit: 50,
      nowMs: NOW,
    };
    const first = await readModerationLog(env.REPORTS, query);
    expect(first.entries).toEqual([]);
    expect(first.rowsRead).toBeLessThanOrEqual(2100);
    const second = await readModerationLog(env.REPORTS, { ...query, after: first.next });
    expect(second.entries).toHaveLength(1);
    expect(second.next).toBeNull();
  });

  it.each([
    ["limit=0", "limit"],
    ["decision=maybe", "decision"],
    ["category=evil", "category"],
    ["from=today", "from"],
    ["from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", ""],
    ["cursor=abc", "cursor"],
    ["cursor=1.vrd_x", "cursor"],
    ["x=1", "x"],
  ])("refuses ?%s by name", async (query, name) => {
    const { status, body } = await admin("GET", `/admin/moderation-log?${query}`);
    expect(status).toBe(400);
    expect(body.errors[0].pointer).toBe(name === "" ? "#" : `#/${name}`);
  });
});
