import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CheckPasses } from "../../durable-objects/account/checks/check-passes.ts";
import { CheckStore } from "../../durable-objects/account/checks/check-store.ts";
import type { Database } from "../../durable-objects/database.ts";
import type { CheckedTenant } from "../../src/domain/tenant/tenant-check.ts";
import {
  account,
  aTenant,
  cleanUp,
  inAccount,
  MINUTE,
  NOW,
  rows,
  SECOND,
  stopClock,
} from "./a-tenant.ts";
import { known, nameOf, withTenants } from "./many-tenants.ts";

// Passes over all tenants: how many are woken, how far a pass is, and what it says of whom.

beforeEach(() => stopClock());
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const answer = (fields: { readonly broken?: number; readonly isComplete?: boolean } = {}) => ({
  kind: "checked",
  counts: [
    { number: 1, name: "admitted_within_limit", checked: null, violations: 0 },
    { number: 3, name: "lines_sum_to_posted", checked: 10, violations: fields.broken ?? 0 },
  ],
  isComplete: fields.isComplete ?? true,
  checkedToMs: fields.isComplete === false ? NOW - MINUTE : null,
  countedAtMs: Date.now(),
  deliveries: { waiting: 1, failed: 0 },
  [Symbol.dispose]: () => undefined,
});

interface Rung {
  readonly asked: readonly string[];
  readonly mostAtOnce: number;
}

/** One alarm of the account, with objects of tenants that answer so; an error: they do not. */
async function ring(of: (id: string) => object | Error = () => answer()): Promise<Rung> {
  const asked: string[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  const check = async (id: string): Promise<object> => {
    asked.push(id);
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    await scheduler.wait(1);
    atOnce -= 1;
    const found = of(id);
    if (found instanceof Error) throw found;
    return found;
  };
  await withTenants(
    (id) => ({ check: () => check(id) }),
    (object) => object.alarm(),
  );
  return { asked, mostAtOnce };
}

const read = () => account().readChecks("", 200);
const sumsOf = async () => {
  const { running, latest } = await read();
  return (running ?? latest)?.sums;
};
const alarm = () => inAccount(({ storage }) => storage.getAlarm());
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

/** Until no pass runs. Returns who was asked, in order. */
async function ringToEnd(of?: (id: string) => object | Error): Promise<readonly string[]> {
  const asked: string[] = [];
  for (let rings = 0; rings < 100; rings += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
    const rung = await ring(of);
    asked.push(...rung.asked);
    // oxlint-disable-next-line no-await-in-loop
    if ((await read()).running === null) return asked;
    // oxlint-disable-next-line no-await-in-loop
    later(Math.max(0, ((await alarm()) ?? 0) - Date.now()));
  }
  throw new Error("the pass does not end");
}

describe("a pass over all tenants", () => {
  it("wakes nobody in the request, and fifty at an alarm, eight at once", async () => {
    await known(120);
    const get = vi.spyOn(env.TENANT, "getByName");
    const { running } = await account().startChecks(0);
    expect(running).toMatchObject({ tenants: 120, startedAtMs: NOW, endedAtMs: null });
    expect(get).not.toHaveBeenCalled();
    expect(await alarm()).toBe(NOW);

    const first = await ring();
    expect(first.asked).toEqual(Array.from({ length: 50 }, (_, at) => nameOf(at)));
    expect(first.mostAtOnce).toBe(8);
    expect(await sumsOf()).toMatchObject({ checked: 50 });
    // However often the alarm rings for something else.
    expect((await ring()).asked).toEqual([]);
    expect(await alarm()).toBe(NOW + 3 * SECOND);
    later(3 * SECOND - 1);
    expect((await ring()).asked).toEqual([]);
    later(1);
    expect((await ring()).asked).toHaveLength(50);
  });

  it("asks each once and comes to its end", async () => {
    await known(120);
    await account().startChecks(0);
    expect(await ringToEnd()).toEqual(Array.from({ length: 120 }, (_, at) => nameOf(at)));
    const { running, latest, findings } = await read();
    expect(running).toBeNull();
    expect(latest?.endedAtMs).toBe(Date.now());
    expect(latest?.sums).toEqual({
      checked: 120,
      found: { broken: 0, unfinished: 0, unanswered: 0 },
      counts: [
        { number: 1, name: "admitted_within_limit", checked: null, violations: 0 },
        { number: 3, name: "lines_sum_to_posted", checked: 1200, violations: 0 },
      ],
      deliveries: { waiting: 120, failed: 0 },
    });
    expect(findings).toEqual([]);
    expect(await alarm()).toBeNull();
  });

  it("goes on where it was after the object ended", async () => {
    await known(120);
    await account().startChecks(0);
    const first = await ring();
    await evictDurableObject(env.ACCOUNT.getByName("account"));
    later(3 * SECOND);
    const rest = await ringToEnd();
    expect([...first.asked, ...rest]).toEqual(Array.from({ length: 120 }, (_, at) => nameOf(at)));
    expect(await sumsOf()).toMatchObject({ checked: 120 });
  });

  it("counts nothing of a slice that a crash cut short, and asks it again", async () => {
    await known(60);
    await account().startChecks(0);
    // As it stands when the slice was taken up and nothing was noted.
    await inAccount(({ storage }) =>
      storage.sql.exec("UPDATE check_passes SET due_at_ms = ?", NOW + 3 * SECOND),
    );
    await evictDurableObject(env.ACCOUNT.getByName("account"));
    later(3 * SECOND);
    expect(await ringToEnd()).toHaveLength(60);
    expect(await sumsOf()).toMatchObject({ checked: 60 });
  });

  it("goes on after the last tenant that it had time for", async () => {
    await known(60);
    await account().startChecks(0);
    await inAccount(({ storage }) => {
      const db = {
        run: (sql: string, ...values: never[]) => storage.sql.exec(sql, ...values).toArray(),
      };
      const passes = new CheckPasses(new CheckStore(db as unknown as Database));
      const slice = passes.next(NOW);
      if (slice === null) throw new Error("nothing is due");
      const reached = slice.tenants.slice(0, 20);
      passes.note(slice, new Map(reached.map((id) => [id, answer() as CheckedTenant])), NOW);
    });
    later(3 * SECOND);
    expect(await ringToEnd()).toEqual(Array.from({ length: 40 }, (_, at) => nameOf(20 + at)));
    expect(await sumsOf()).toMatchObject({ checked: 60 });
  });

  it("is told while it runs: a second one is not begun", async () => {
    await known(60);
    await account().startChecks(0);
    await ring();
    later(SECOND);
    expect((await account().startChecks(0)).running).toMatchObject({
      pass: 1,
      sums: { checked: 50 },
    });
  });

  it("is not begun by who lets it rest, and keeps the latest whole one beside it", async () => {
    await known(10);
    await account().startChecks(0);
    await ringToEnd();
    expect((await account().startChecks(MINUTE)).running).toBeNull();
    later(MINUTE);
    const { running, latest } = await account().startChecks(MINUTE);
    expect([running?.pass, latest?.pass, latest?.sums.checked]).toEqual([2, 1, 10]);
    await ringToEnd();
    await account().startChecks(0);
    expect((await read()).latest?.pass).toBe(2);
  });

  it("asks for a tenant that did not answer twice more, and then says so", async () => {
    await known(55);
    await account().startChecks(0);
    const asked = await ringToEnd((id) => (id === nameOf(7) ? new Error("gone") : answer()));
    expect(asked.filter((id) => id === nameOf(7))).toHaveLength(3);
    expect(asked).toHaveLength(57);
    expect(Date.now()).toBeGreaterThanOrEqual(NOW + MINUTE);
    const { latest, findings } = await read();
    expect(latest?.sums).toMatchObject({
      checked: 55,
      found: { broken: 0, unfinished: 0, unanswered: 1 },
    });
    expect(findings).toMatchObject([{ tenant: nameOf(7), kind: "unanswered", counts: [] }]);
  });

  it("counts a tenant that is done with its lines later as sound", async () => {
    await known(3);
    await account().startChecks(0);
    let looks = 0;
    const slow = (id: string) => {
      if (id !== nameOf(1)) return answer();
      looks += 1;
      return answer({ isComplete: looks > 1 });
    };
    await ring(slow);
    expect(await sumsOf()).toMatchObject({ checked: 2, found: { unfinished: 0 } });
    expect((await read()).findings).toMatchObject([{ tenant: nameOf(1), kind: "unfinished" }]);
    await ringToEnd(slow);
    expect(looks).toBe(2);
    expect(await sumsOf()).toMatchObject({ checked: 3, found: { broken: 0, unfinished: 0 } });
    expect((await read()).findings).toEqual([]);
  });

  it("names who is broken until a later look finds it whole", async () => {
    await known(3);
    await account().startChecks(0);
    await ringToEnd((id) => answer({ broken: id === nameOf(2) ? 4 : 0 }));
    const { latest, findings } = await read();
    expect(latest?.sums.found).toEqual({ broken: 1, unfinished: 0, unanswered: 0 });
    expect(latest?.sums.counts.at(-1)).toMatchObject({ number: 3, violations: 4 });
    expect(findings).toMatchObject([{ tenant: nameOf(2), kind: "broken", atMs: NOW }]);
    await account().startChecks(0);
    expect((await read()).findings).toHaveLength(1);
    await ringToEnd();
    expect((await read()).findings).toEqual([]);
  });

  it("lists findings by id, page by page", async () => {
    await known(5);
    await account().startChecks(0);
    await ringToEnd(() => answer({ broken: 1 }));
    const first = await account().readChecks("", 3);
    expect([first.findings.map(({ tenant }) => tenant), first.more]).toEqual([
      [nameOf(0), nameOf(1), nameOf(2)],
      true,
    ]);
    const rest = await account().readChecks(nameOf(2), 3);
    expect([rest.findings.map(({ tenant }) => tenant), rest.more]).toEqual([
      [nameOf(3), nameOf(4)],
      false,
    ]);
  });

  it("does not count who is not there any more", async () => {
    await known(3);
    await account().startChecks(0);
    await ringToEnd((id) => (id === nameOf(0) ? { ...answer(), kind: "not_found" } : answer()));
    expect(await sumsOf()).toMatchObject({ checked: 2 });
    expect((await read()).findings).toEqual([]);
  });

  it("forgets what it found of a tenant that is deleted", async () => {
    const tenant = await aTenant();
    await rows(
      tenant.id,
      "INSERT INTO violations (name, count, last_at_ms) VALUES ('rate_within_limit', 2, 0)",
    );
    await account().startChecks(0);
    await inAccount((_, instance) => instance.alarm());
    expect((await read()).findings).toMatchObject([{ tenant: tenant.id, kind: "broken" }]);
    await account().deleteTenant(tenant.id);
    expect((await read()).findings).toEqual([]);
  });
});
