import {
  env,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { readMessage } from "../../src/reports/usage-message.ts";
import {
  account,
  aTenant,
  type ATenant,
  aVerdict,
  cleanUp,
  DAY,
  DAY_MS,
  DEADLINE,
  HOUR,
  itemsOf,
  MINUTE,
  NOW,
  pictures,
  PICTURE,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
} from "../durable-objects/a-tenant.ts";
import { deliver, FakeQueue, reportRows, standingOf } from "./fake-queue.ts";
import { journalSums, reportedSums } from "./journal-sums.ts";

// What feeds the reports: a tenant's object, a queue that the test holds, the consumer, and D1.

let queue: FakeQueue;

beforeEach(async () => {
  stopClock();
  queue = new FakeQueue();
  await migrateReports(env.REPORTS);
});
afterEach(cleanUp);

const CALL_HOUR = Math.floor(NOW / HOUR);

async function call(tenant: ATenant, fields: Parameters<ATenant["admit"]>[0] = {}) {
  const hold = await tenant.hold(fields);
  await tenant.settle(hold);
  return hold;
}

const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

/** Everything that settled so far is folded and sent. */
async function fold(tenant: ATenant): Promise<void> {
  later(5 * SECOND);
  await queue.ring(tenant.id);
}

async function feed(tenant: ATenant): Promise<void> {
  await fold(tenant);
  await deliver(queue.take());
}

const armedFor = (tenant: ATenant): Promise<number | null> =>
  runInDurableObject(env.TENANT.getByName(tenant.id), (_, { storage }) => storage.getAlarm());

const callsOf = async (tenant: ATenant): Promise<readonly unknown[]> =>
  (await reportRows("call_hours", tenant.id)).map(({ calls }) => calls);

const silent = () => vi.spyOn(console, "error").mockImplementation(() => undefined);

describe("the feed", () => {
  it("takes up what settled within seconds, and stops when the reports have it", async () => {
    const tenant = await aTenant();
    await call(tenant, { userId: "u_1" });
    expect(await armedFor(tenant)).toBe(NOW + 5 * SECOND);
    await fold(tenant);
    const [message, ...others] = queue.take();
    expect(others).toEqual([]);
    expect(message?.rows.map(({ kind }) => kind)).toEqual(["call_hour", "usage_hour", "user_day"]);
    expect((await standingOf(tenant.id)).waiting).toBe(3);
    expect(await reportedSums(tenant.id)).toEqual({});
    expect(await deliver([message])).toEqual({ acked: 1, retried: 0 });
    expect((await standingOf(tenant.id)).waiting).toBe(0);
    expect(await reportedSums(tenant.id)).toEqual(journalSums(await tenant.lines()));
    later(HOUR);
    await queue.ring(tenant.id);
    expect(queue.take()).toEqual([]);
  });

  it("sends again what was lost, at longer and longer intervals", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await fold(tenant);
    expect(queue.take()).toHaveLength(1);
    later(29 * SECOND);
    await queue.ring(tenant.id);
    expect(queue.take()).toHaveLength(0);
    later(SECOND);
    await queue.ring(tenant.id);
    expect(queue.take()).toHaveLength(1);
    later(59 * SECOND);
    await queue.ring(tenant.id);
    expect(queue.take()).toHaveLength(0);
    later(SECOND);
    await queue.ring(tenant.id);
    await deliver(queue.take());
    expect(await callsOf(tenant)).toEqual([1]);
  });

  it("sends again at once when the object has started anew", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await fold(tenant);
    queue.take();
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await queue.ring(tenant.id);
    expect(queue.take()).toHaveLength(1);
  });

  it("lets no older message undo a newer one, nor a repeated one count twice", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await fold(tenant);
    const [first] = queue.take();
    await call(tenant);
    await fold(tenant);
    const [second] = queue.take();
    await deliver([second]);
    await deliver([first, second, first]);
    expect(await callsOf(tenant)).toEqual([2]);
    expect(await reportedSums(tenant.id)).toEqual(journalSums(await tenant.lines()));
    // The first arrived last: what it says of the row is not what waits.
    expect((await standingOf(tenant.id)).waiting).toBe(0);
  });

  it("keeps nobody waiting when the queue is down, and loses nothing", async () => {
    const tenant = await aTenant();
    const quiet = silent();
    queue.isDown = true;
    await call(tenant);
    await fold(tenant);
    await call(tenant);
    expect(quiet).toHaveBeenCalledWith(expect.stringContaining("usage_not_sent"));
    queue.isDown = false;
    later(MINUTE);
    await feed(tenant);
    expect(await callsOf(tenant)).toEqual([2]);
  });

  it("is told nothing while the database is down, and sends it again", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await fold(tenant);
    silent();
    const down = { prepare: () => env.REPORTS.prepare("nonsense"), batch: () => Promise.reject() };
    const bindings = { ...env, REPORTS: down as unknown as D1Database } as Env;
    expect(await deliver(queue.take(), { bindings })).toEqual({ acked: 0, retried: 1 });
    expect((await standingOf(tenant.id)).waiting).toBe(2);
    later(30 * SECOND);
    await feed(tenant);
    expect(await callsOf(tenant)).toEqual([1]);
  });

  it("makes the tables of a database that was lost and made anew", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await feed(tenant);
    const { results } = await env.REPORTS.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '[_s]*'",
    ).all<{ name: string }>();
    expect(results.map(({ name }) => name)).toContain("d1_migrations");
    await env.REPORTS.batch(results.map(({ name }) => env.REPORTS.prepare(`DROP TABLE ${name}`)));
    await call(tenant);
    await fold(tenant);
    expect(await deliver(queue.take())).toEqual({ acked: 1, retried: 0 });
    expect(await callsOf(tenant)).toEqual([2]);
  });

  it.each(["USAGE", "REPORTS"])("governs calls all the same without %s", async (missing) => {
    const tenant = await aTenant();
    await call(tenant);
    await runInDurableObject(env.TENANT.getByName(tenant.id), (instance) => {
      const object = instance as unknown as { env: Partial<Env> };
      object.env = { ...object.env, [missing]: undefined };
    });
    later(5 * SECOND);
    await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
    await call(tenant);
    expect(await tenant.lines()).toHaveLength(2);
    // Folded, so that a database that is bound later has it all; and sent to nobody.
    expect((await standingOf(tenant.id)).waiting).toBeGreaterThan(0);
    expect(await armedFor(tenant)).toBeGreaterThan(Date.now());
  });

  it("gives up no message in silence: the dead are counted, and their rows sent again", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await fold(tenant);
    const quiet = silent();
    const dead = queue.take();
    const replied = await deliver([...dead, "none of ours"], { queue: "neurogate-usage-dead" });
    expect(replied).toEqual({ acked: 2, retried: 0 });
    expect(await account().deadMessages()).toBe(2);
    expect(quiet).toHaveBeenCalledWith(expect.stringContaining('"usage_message_dead"'));
    expect(quiet.mock.calls.flat().join()).not.toContain("none of ours");
    later(30 * SECOND);
    await feed(tenant);
    expect(await callsOf(tenant)).toEqual([1]);
  });

  it("lets the queue bury what is no message of this version", async () => {
    silent();
    expect(readMessage({ version: 2 })).toBeNull();
    expect(await deliver([{ version: 2, tenant: "t" }])).toEqual({ acked: 0, retried: 1 });
  });

  it("counts refusals by hour and kind, whether or not anything settled", async () => {
    const tenant = await aTenant({ daily_neurons: 0.1 });
    expect((await tenant.admit()).kind).toBe("over_limit");
    expect((await tenant.admit()).kind).toBe("over_limit");
    await feed(tenant);
    expect(await reportRows("call_hours", tenant.id)).toMatchObject([
      { hour: CALL_HOUR, calls: 0, refused: '{"over_limit":2}' },
    ]);
    later(10 * MINUTE);
    await tenant.admit();
    later(HOUR);
    await tenant.admit();
    await feed(tenant);
    expect((await reportRows("call_hours", tenant.id)).map(({ refused }) => refused)).toEqual([
      '{"over_limit":3}',
      '{"over_limit":1}',
    ]);
  });

  it("names what settled after midnight, in the hour of its admission", async () => {
    stopClock((DAY + 1) * DAY_MS - 10 * SECOND);
    const tenant = await aTenant();
    const hold = await tenant.hold();
    later(20 * SECOND);
    await tenant.settle(hold);
    await feed(tenant);
    expect(await reportRows("call_hours", tenant.id)).toMatchObject([
      { hour: DAY * 24 + 23, calls: 1, settled_after_midnight: PICTURE },
    ]);
    expect(await reportRows("usage_hours", tenant.id)).toMatchObject([
      { settled_after_midnight: PICTURE, latency: '{"53":1}' },
    ]);
  });

  it("gives a thousand users of a day rows of their own, and the others one", async () => {
    const tenant = await aTenant();
    await call(tenant, { userId: "u_1" });
    await feed(tenant);
    // As if 998 others had come in between.
    await rows(
      tenant.id,
      "UPDATE report_rows SET key = replace(key, '|0001', '|0999') WHERE kind = 'user_day'",
    );
    await rows(tenant.id, "UPDATE report_users SET slot = 999");
    for (const userId of ["u_1000", "u_1001", "u_1002", "u_1", "u_1000"]) {
      later(1);
      // oxlint-disable-next-line no-await-in-loop -- in this order
      await call(tenant, { userId });
    }
    await feed(tenant);
    const days = await rows(
      tenant.id,
      "SELECT key, body FROM report_rows WHERE kind = 'user_day' ORDER BY key",
    );
    const seen = days.map(({ body }) => JSON.parse(body as string) as Record<string, unknown>);
    expect(seen).toMatchObject([
      { slot: 0, userId: "", calls: 2, microNeurons: 2 * PICTURE },
      { userId: "u_1", calls: 2 },
      { slot: 1000, userId: "u_1000", calls: 2 },
    ]);
  });
});

describe("users of a day", () => {
  it("have rows up to the number that is set; the others are one, and nothing is lost", async () => {
    const tenant = await aTenant();
    await runInDurableObject(env.TENANT.getByName(tenant.id), (instance) => {
      const object = instance as unknown as { env: object };
      object.env = { ...object.env, REPORT_USERS_A_DAY: "2" };
    });
    for (const userId of ["u_1", "u_2", "u_3", "u_4", "u_3", "u_1"]) {
      later(1);
      // oxlint-disable-next-line no-await-in-loop -- in this order
      await call(tenant, { userId });
    }
    await feed(tenant);
    const days = await reportRows("user_days", tenant.id);
    expect(days).toMatchObject([
      { slot: 0, user_id: "", calls: 3, micro_neurons: 3 * PICTURE },
      { slot: 1, user_id: "u_1", calls: 2 },
      { slot: 2, user_id: "u_2", calls: 1 },
    ]);
    expect((await tenant.lines()).map(({ userId }) => userId)).toContain("u_4");
  });
});

describe("what could escape the fold", () => {
  it("is refused: an admission under an id from long ago", async () => {
    const tenant = await aTenant();
    const old = (await tenant.hold()).callId.replace(/^jnl_.{10}/, "jnl_01XDTSM4DM");
    const admit = () => tenant.admit({ callId: old });
    await call(tenant);
    await fold(tenant);
    expect((await admit()).kind).toBe("unavailable");
    expect((await tenant.lines()).map(({ callId }) => callId)).not.toContain(old);
    // The calls of the last ten minutes are none of it.
    const recent = (await tenant.hold()).callId.replace(/^jnl_.{10}/, "jnl_01XDTT0T6G");
    expect((await tenant.admit({ callId: recent })).kind).toBe("admitted");
  });

  it("is told of: a repeat of what was admitted, however old", async () => {
    const tenant = await aTenant();
    const hold = await call(tenant);
    later(2 * HOUR);
    await call(tenant);
    await fold(tenant);
    expect((await tenant.admit({ callId: hold.callId, verdictIds: [] })).kind).toBe("replayed");
  });

  it("waits for the items of a batch, whose ids bear the time of their round", async () => {
    const tenant = await aTenant();
    await rows(
      tenant.id,
      `INSERT INTO batches (id, state, items, ends, resume, request_id, counts, micro_neurons,
        created_at_ms, progress_at_ms, has_file)
        VALUES ('bat_1', 'running', 1, '[1]', 0, 'req_1', '{}', 0, ?, ?, 1)`,
      NOW,
      NOW,
    );
    await rows(
      tenant.id,
      `INSERT INTO batch_steps (batch_id, step, round, attempts, state, round_at_ms, started_at_ms,
        results) VALUES ('bat_1', 0, 1, 1, 'running', ?, ?, '[]')`,
      NOW,
      NOW,
    );
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const item = (await tenant.hold()).callId.slice(0, 14) + "0".repeat(16);
    later(3 * HOUR);
    await call(tenant);
    await feed(tenant);
    const admitted = await tenant.admit({ callId: item });
    expect(admitted.kind).toBe("admitted");
    later(DEADLINE);
    await feed(tenant);
    await feed(tenant);
    expect(await reportedSums(tenant.id)).toEqual(journalSums(await tenant.lines()));
    expect((await tenant.lines()).map(({ callId }) => callId)).toContain(item);
  });

  it("waits for the steps of a pipeline, whose ids bear the time of their round", async () => {
    const tenant = await aTenant();
    await rows(
      tenant.id,
      `INSERT INTO pipeline_runs (id, state, steps, documents, resume, secret_hash, request_id,
        counts, micro_neurons, created_at_ms, progress_at_ms, has_files)
        VALUES ('run_1', 'running', '["fetch","moderate"]', 1, 0, 'a', 'req_1', '{}', 0, ?, ?, 1)`,
      NOW,
      NOW,
    );
    await rows(
      tenant.id,
      `INSERT INTO pipeline_steps (run_id, position, step, state, attempts, tries, round_at_ms,
        started_at_ms, micro_neurons) VALUES ('run_1', 0, 1, 'running', 1, 0, ?, ?, 0)`,
      NOW,
      NOW,
    );
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const idOfStep = (await tenant.hold()).callId.slice(0, 14) + "0".repeat(16);
    later(3 * HOUR);
    await call(tenant);
    await feed(tenant);
    expect((await tenant.admit({ callId: idOfStep })).kind).toBe("admitted");
  });
});

describe("a journal from before there was a feed", () => {
  it("is folded too, in steps, while calls go on", async () => {
    const tenant = await aTenant();
    await call(tenant, { contents: [pictures(1)] });
    await rows(
      tenant.id,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2600)
        INSERT INTO journal (id, day, outcome, request_id, route, admitted_at_ms, deadline_ms,
          settled_at_ms, held, quota, price_book, items)
        SELECT 'jnl_01X' || printf('%023d', i), day - 1 - i / 1000, outcome, request_id, route,
          admitted_at_ms - 86400000 * (1 + i / 1000), deadline_ms,
          settled_at_ms - 86400000 * (1 + i / 1000) + i, held, quota, price_book, items
        FROM n, (SELECT * FROM journal LIMIT 1)`,
    );
    await fold(tenant);
    await call(tenant);
    await fold(tenant);
    await fold(tenant);
    await deliver(queue.take());
    const reported = await reportedSums(tenant.id);
    expect(reported).toEqual(journalSums(await tenant.lines()));
    expect(Object.values(reported).reduce((sum, one) => sum + one, 0)).toBeGreaterThan(2602);
  });
});

describe("a rebuild", () => {
  it("forgets what was sent before it: what may have been cleared is sent anew", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await fold(tenant);
    const early = queue.take();
    await tenant.stub().startRebuild(PLATFORM);
    await queue.ring(tenant.id);
    const anew = queue.take();
    expect(anew[0]?.epoch).toBe(1);
    // Told late, of rows that a clearing took: they still wait.
    await deliver(early);
    await env.REPORTS.prepare("DELETE FROM call_hours").run();
    expect((await standingOf(tenant.id)).waiting).toBe(2);
    await deliver(anew);
    await queue.ring(tenant.id);
    expect(await standingOf(tenant.id)).toMatchObject({
      waiting: 0,
      rebuild: { phase: "done", rows: 2 },
    });
    expect(await callsOf(tenant)).toEqual([1]);
  });

  it("waits for a database that does not answer", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await feed(tenant);
    const quiet = silent();
    await tenant.stub().startRebuild(PLATFORM);
    const broken = vi.spyOn(env.REPORTS, "batch").mockRejectedValue(new Error("down"));
    await queue.ring(tenant.id);
    broken.mockRestore();
    expect(quiet).toHaveBeenCalledWith(expect.stringContaining("rebuild_failed"));
    expect((await standingOf(tenant.id)).rebuild?.phase).toBe("clearing");
    later(10 * SECOND);
    await queue.ring(tenant.id);
    await deliver(queue.take());
    await queue.ring(tenant.id);
    expect((await standingOf(tenant.id)).rebuild?.phase).toBe("done");
    expect(await callsOf(tenant)).toEqual([1]);
  });
});

it("keeps a call's verdict and charge out of the way of the reports", async () => {
  const tenant = await aTenant();
  const hold = await tenant.hold();
  const before = await rows(tenant.id, "SELECT COUNT(*) AS n FROM report_rows");
  await tenant.settle(hold, { items: itemsOf(hold), verdicts: [aVerdict(hold)] });
  expect(await rows(tenant.id, "SELECT COUNT(*) AS n FROM report_rows")).toEqual(before);
});
