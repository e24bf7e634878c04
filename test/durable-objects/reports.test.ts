import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RefusalCount } from "../../src/domain/ledger/refusal-count.ts";
import { type Database, objectDatabase } from "../../durable-objects/database.ts";
import type { TenantStores } from "../../durable-objects/tenant/stores.ts";
import { readPlatform } from "../../src/edge/platform.ts";
import { TenantNode } from "../../durable-objects/tenant/tenant-node.ts";
import type { AdmitRequest } from "../../durable-objects/tenant/protocol.ts";
import { settle } from "../../durable-objects/tenant/calls/governed-calls.ts";
import type { Tx } from "../../durable-objects/tenant/transactions.ts";
import type { Hold } from "../../src/domain/ledger/ledger.ts";
import { NO_REVIEW } from "../../src/domain/moderation/verdict.ts";
import { makeTenant } from "../client.ts";
import { admitWithLease } from "../../simulation/generous-account.ts";
import {
  admitRequest,
  admitted,
  aTenant,
  type ATenant,
  aVerdict,
  broken,
  cleanUp,
  expectKind,
  idempotency,
  inTenant,
  MINUTE,
  NOW,
  PICTURE,
  PLATFORM,
  rows,
  SECOND,
  settleRequest,
  stopClock,
  withAllTables,
} from "./a-tenant.ts";
import { hostOn } from "./a-node.ts";

beforeEach(() => stopClock());
afterEach(cleanUp);

/** The tenant's node over its own storage, with a database that the test has wrapped. */
interface Inside {
  readonly parts: TenantStores;
  readonly node: TenantNode;
}

const within = async <Result>(
  tenant: ATenant,
  wrap: (db: Database, storage: DurableObjectStorage) => Database,
  look: (inside: Inside) => Result,
): Promise<Result> => {
  await withAllTables(tenant.id);
  return inTenant(tenant.id, ({ storage }) => {
    const node = new TenantNode(hostOn(storage, wrap(objectDatabase(storage), storage)));
    return look({ parts: node.stores, node });
  });
};

const refusalsOf = async (tenant: ATenant): Promise<readonly RefusalCount[]> => {
  const query = { fromMinute: 0, toMinute: 1e9, skip: 0, limit: 50 };
  return expectKind(await tenant.stub().listRefusals(PLATFORM, query), "page").data;
};

/** Every row that `work` writes, by what is written. */
function counting(written: Map<string, number>) {
  return (db: Database, storage: DurableObjectStorage): Database => ({
    ...db,
    run: (statement, ...values) => {
      const cursor = storage.sql.exec(statement, ...values);
      const found = cursor.toArray();
      const table = /(?:INTO|UPDATE)\s+(\w+)/.exec(statement)?.[1] ?? "read";
      const before = written.get(table) ?? 0;
      if (cursor.rowsWritten > 0) written.set(table, before + cursor.rowsWritten);
      return found as never[];
    },
  });
}

const oneCall = (
  { node }: Inside,
  request: AdmitRequest,
  verdict: (hold: Hold) => ReturnType<typeof aVerdict>,
): void => {
  const { hold } = admitted(node.transactOrThrow((tx) => admitWithLease(tx, request)));
  const settling = settleRequest(hold, { verdicts: [verdict(hold)] });
  node.transactOrThrow((tx) => settle(tx, settling));
};

describe("rows written", () => {
  it("are three for a moderation call, and what a batch of calls shares", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    const written = new Map<string, number>();
    await within(tenant, counting(written), (inside) => {
      oneCall(inside, admitRequest({ caller: tenant.key }), aVerdict);
    });
    expect(Object.fromEntries(written)).toEqual({
      // The hold, and its update to a line.
      journal: 2,
      verdicts: 1,
      // Shared by all calls of a commit: clock and windows, and the day.
      meter: 1,
      periods: 1,
    });
  });

  it("are shared by the calls of one commit", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    const written = new Map<string, number>();
    await within(tenant, counting(written), ({ node }) => {
      const holds = node.transactOrThrow((tx) =>
        Array.from({ length: 20 }, () =>
          admitted(admitWithLease(tx, admitRequest({ caller: tenant.key }))),
        ),
      );
      node.transactOrThrow((tx) => holds.map(({ hold }) => settle(tx, settleRequest(hold))));
    });
    expect(Object.fromEntries(written)).toEqual({
      journal: 40,
      verdicts: 20,
      meter: 1,
      periods: 1,
    });
  });

  it("are one more for each extra: a person, a content id, a review, an idempotency key", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    const written = new Map<string, number>();
    const request = admitRequest({ caller: tenant.key, idempotency: idempotency("k") });
    await within(tenant, counting(written), (inside) => {
      const extras = {
        userId: "u_1",
        contentId: "c_1",
        review: { ...NO_REVIEW, state: "open", origin: "policy" },
      } as const;
      oneCall(inside, request, (hold) => aVerdict(hold, extras));
    });
    expect(Object.fromEntries(written)).toMatchObject({ journal: 2, verdicts: 4, idempotency: 1 });
  });

  it("stay few in a burst of 1,000 refusals", async () => {
    const tenant = await aTenant({ daily_neurons: PICTURE / 1e6 });
    await tenant.settle(await tenant.hold());
    const written = new Map<string, number>();
    await within(tenant, counting(written), ({ parts, node }) => {
      for (let n = 0; n < 1000; n += 1) {
        vi.setSystemTime(NOW + Math.floor((n * SECOND) / 1001));
        node.transactOrThrow((tx) => admitWithLease(tx, admitRequest({ caller: tenant.key })));
      }
      vi.setSystemTime(NOW + SECOND);
      node.transactOrThrow(() => parts.refusals.flush());
    });
    // Once at the first, once after the second; and the first of the day is told to the platform.
    expect(Object.fromEntries(written)).toEqual({ refusals: 2, periods: 2, told: 1, reports: 1 });
    expect((await refusalsOf(tenant)).map(({ count }) => count)).toEqual([1000]);
  });
});

describe("storage_full", () => {
  it("refuses admissions beyond 90 % of the limit, and still settles", async () => {
    const tenant = await aTenant();
    let share = 0.9;
    const sized = (db: Database): Database => ({
      ...db,
      size: () => Math.floor(readPlatform(env).storageLimit * share),
    });
    await within(tenant, sized, ({ parts, node }) => {
      const request = admitRequest({ caller: tenant.key });
      const ask = (asked: AdmitRequest) => node.transactOrThrow((tx) => admitWithLease(tx, asked));
      const { hold } = admitted(ask(request));
      share = 0.9001;
      expect(ask(admitRequest({ caller: tenant.key }))).toEqual({ kind: "storage_full" });
      // What was admitted already is told so again.
      expect(admitted(ask(request)).hold).toEqual(hold);
      const settled = node.transactOrThrow((tx) => settle(tx, settleRequest(hold)));
      expect(settled.settlement.kind).toBe("settled");
      node.transactOrThrow(() => parts.refusals.flush());
    });
    expect((await refusalsOf(tenant)).map(({ kind }) => kind)).toEqual(["storage_full"]);
  });
});

describe("a step that throws", () => {
  it("leaves no trace in storage or in memory", async () => {
    const tenant = await aTenant({ daily_neurons: (2 * PICTURE) / 1e6 });
    await tenant.settle(await tenant.hold());
    const ask = (tx: Tx) => admitWithLease(tx, admitRequest({ caller: tenant.key }));
    await within(
      tenant,
      (db) => db,
      ({ parts, node }) => {
        expect(() =>
          node.transactOrThrow((tx) => {
            admitted(ask(tx));
            expect(ask(tx).kind).toBe("quota_reserved");
            parts.refusals.flush();
            expect(ask(tx).kind).toBe("quota_reserved");
            throw new Error("a bug");
          }),
        ).toThrow("a bug");
        const now = node.transactOrThrow((tx) => tx.stores.ledger.standing(tx.profile));
        expect(now).toMatchObject({ posted: PICTURE, pending: 0, inFlight: 0 });
        expect(now.windows["requests"]).toMatchObject([[Math.floor(NOW / SECOND), 1]]);
        expect(parts.refusals.waiting).toBe(false);
        node.transactOrThrow((tx) => admitted(ask(tx)));
      },
    );
    expect(await rows(tenant.id, "SELECT * FROM refusals")).toEqual([]);
    const journal = await rows(tenant.id, "SELECT outcome FROM journal ORDER BY outcome");
    expect(journal).toEqual([{ outcome: "pending" }, { outcome: "posted" }]);
  });

  it("forgets a policy that was put in it", async () => {
    const tenant = await aTenant();
    await within(
      tenant,
      (db) => db,
      ({ parts, node }) => {
        const latest = () => parts.policies.latest("default");
        const before = latest();
        if (before === null) throw new Error("no policy");
        expect(() =>
          node.transactOrThrow(() => {
            parts.policies.insert({ ...before, version: before.version + 1 }, NOW);
            expect(latest()?.version).toBe(before.version + 1);
            throw new Error("a bug");
          }),
        ).toThrow("a bug");
        expect(latest()).toEqual(before);
      },
    );
  });

  it("counts the refusals of its neighbours once", async () => {
    const tenant = await aTenant({ daily_neurons: 0.000001 });
    const ask = (tx: Tx) => admitWithLease(tx, admitRequest({ caller: tenant.key }));
    await within(
      tenant,
      (db) => db,
      ({ parts, node }) => {
        const batch = () =>
          node.transactOrThrow((tx) => {
            ask(tx);
            ask(tx);
            throw new Error("a bad operation");
          });
        expect(batch).toThrow("a bad operation");
        // The batch is taken apart: each alone.
        node.transactOrThrow(ask);
        node.transactOrThrow(ask);
        node.transactOrThrow(() => parts.refusals.flush());
      },
    );
    expect((await refusalsOf(tenant)).map(({ count }) => count)).toEqual([2]);
  });
});

describe("refusals", () => {
  it("are counted by minute, kind and policy, with how it stood at the first", async () => {
    const tenant = await aTenant({ daily_neurons: (2 * PICTURE) / 1e6, max_in_flight: 1 });
    await tenant.settle(await tenant.hold());
    await tenant.settle(await tenant.hold());
    const first = admitRequest({ caller: tenant.key });
    expect((await tenant.stub().admit(first)).kind).toBe("quota_exceeded");
    await tenant.configure({ daily_neurons: PICTURE / 1e6 });
    await tenant.admit();
    await tenant.admit({ caller: { kind: "key", secretHash: "of nobody", roles: [] } });
    vi.setSystemTime(NOW + MINUTE);
    await tenant.admit();

    const list = await refusalsOf(tenant);
    expect(list.map(({ minute, kind, policy, count }) => [minute, kind, policy, count])).toEqual([
      [Math.floor(NOW / MINUTE) + 1, "quota_exceeded", "daily", 1],
      [Math.floor(NOW / MINUTE), "quota_exceeded", "daily", 2],
    ]);
    expect(list[1]?.detail).toMatchObject({
      limit: 2 * PICTURE,
      posted: 2 * PICTURE,
      pending: 0,
      largestRequired: PICTURE,
      firstRequestId: first.requestId,
      settingsVersion: 2,
    });
    expect(list[1]?.detail.keyIds).toHaveLength(1);
    const periods = await tenant.stub().listPeriods(PLATFORM, 0, 100_000);
    const [day] = expectKind(periods, "periods").periods;
    expect(day?.totals.refused).toEqual({ quota_exceeded: 3 });
  });

  it("are told on the wire, for the minutes that are asked for", async () => {
    const tenant = await makeTenant("refusals-wire", { daily_neurons: 0.5 });
    const refused = await tenant.call("POST", "/v1/verdicts", { text: "hello" });
    expect(refused.body.kind).toBe("over_limit");
    const { body } = await tenant.call("GET", "/v1/refusals");
    expect(body.data).toMatchObject([
      {
        object: "refusal",
        kind: "over_limit",
        count: 1,
        first_request_id: refused.body.request_id,
      },
    ]);
    const later = new Date(NOW + MINUTE).toISOString();
    expect((await tenant.call("GET", `/v1/refusals?from=${later}`)).body.data).toEqual([]);
  });
});

describe("invariants", () => {
  const spoilt = [
    ["lines_sum_to_posted", "UPDATE periods SET quota = quota + 1, posted = posted + 1"],
    ["verdict_stored_with_its_line", "UPDATE verdicts SET call_id = 'jnl_none'"],
    ["admitted_within_limit", "INSERT INTO violations VALUES ('admitted_within_limit', 1, 0)"],
    ["rate_within_limit", "INSERT INTO violations VALUES ('rate_within_limit', 1, 0)"],
    ["charged_within_hold", "UPDATE journal SET overrun = 1"],
    [
      "approved_only_when_checked",
      `UPDATE verdicts SET body = json_set(body, '$.coverage',
        replace(json_extract(body, '$.coverage'), '3', '0'))`,
    ],
  ] as const;

  it.each(spoilt)("%s is counted when it is broken", async (name, statement) => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    expect(await broken(tenant.id)).toEqual([]);
    await rows(tenant.id, statement);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(await broken(tenant.id)).toEqual([name]);
  });

  it("are seven, by their numbers in the design", async () => {
    const tenant = await aTenant();
    const reply = expectKind(await tenant.stub().countInvariants(PLATFORM), "invariants");
    expect(reply.counts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("a call whose id is older than what is folded", () => {
  const folded = {
    sequence: 0,
    walkedId: null,
    settledAtMs: -1,
    settledId: "",
    refusalsFrom: 0,
    epoch: 0,
    rebuild: null,
  };

  it("is not admitted: its line would never be folded", async () => {
    const tenant = await aTenant();
    await within(
      tenant,
      (db) => db,
      ({ node }) => {
        const call = admitRequest({ caller: tenant.key });
        const admitFrom = (fromId: string) =>
          node.transactOrThrow((tx) => {
            tx.stores.feed.write({ ...folded, fromId });
            return admitWithLease(tx, call).kind;
          });
        expect(admitFrom(`${call.callId}0`)).toBe("unavailable");
        expect(admitFrom(call.callId)).toBe("admitted");
      },
    );
  });
});
