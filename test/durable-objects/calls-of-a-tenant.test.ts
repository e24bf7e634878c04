import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Caller, ModerationAdmit } from "../../durable-objects/tenant/protocol.ts";
import type { Verdict } from "../../src/domain/moderation/verdict.ts";
import {
  aVerdict,
  admitRequest,
  admitted,
  allLines,
  type ATenant,
  amountOf,
  aTenant,
  broken,
  cleanUp,
  DAY,
  DAY_MS,
  DEADLINE,
  expectKind,
  idempotency,
  itemsOf,
  MIDNIGHT,
  NOW,
  PICTURE,
  PLATFORM,
  SECOND,
  settleRequest,
  stopClock,
  TEXT,
  tenantStub,
  voidItemsOf,
} from "./a-tenant.ts";

beforeEach(() => stopClock());
afterEach(cleanUp);

const ask = (caller: Caller, key = "k", fingerprint = "a", fields = {}): ModerationAdmit =>
  admitRequest({ caller, idempotency: idempotency(key, fingerprint), ...fields });

const keysIn = (page: { readonly kind: string }): readonly { readonly id: string }[] =>
  "data" in page ? (page.data as { id: string }[]) : [];

const storedVerdict = async (tenant: ATenant, id: string): Promise<Verdict> =>
  expectKind(await tenant.stub().readVerdict(PLATFORM, id), "verdict").verdict;

const evict = (id: string): Promise<void> => evictDurableObject(env.TENANT.getByName(id));

describe("a repeated message", () => {
  it("admits once: the same hold, nothing counted twice, also after an eviction", async () => {
    const tenant = await aTenant();
    const request = admitRequest({ caller: tenant.key });
    const first = admitted(await tenant.stub().admit(request));
    const second = admitted(await tenant.stub().admit(request));
    await evict(tenant.id);
    const third = admitted(await tenant.stub().admit(request));

    expect(second.hold).toEqual(first.hold);
    expect(third.hold).toEqual(first.hold);
    const limits = await tenant.limits();
    expect(limits.neurons).toMatchObject({ posted: 0, pending: PICTURE });
    expect(limits.inFlight.used).toBe(1);
    expect(limits.rates.find(({ name }) => name === "requests")?.remaining).toBe(99_999);
  });

  it("admits once, also when the key ended in between", async () => {
    const tenant = await aTenant();
    const request = admitRequest({ caller: tenant.key });
    const first = admitted(await tenant.stub().admit(request));
    for (const key of keysIn(await tenant.stub().listKeys(PLATFORM, "~", 10))) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await tenant.stub().endKey(PLATFORM, key.id);
    }

    expect(admitted(await tenant.stub().admit(request)).hold).toEqual(first.hold);
    const another = admitRequest({ caller: tenant.key });
    expect(await tenant.stub().admit(another)).toEqual({ kind: "invalid_key" });
  });

  it("gives no second chance to run when the admit comes after its settle", async () => {
    const tenant = await aTenant();
    const request = admitRequest({ caller: tenant.key });
    const { hold } = admitted(await tenant.stub().admit(request));
    await tenant.settle(hold);

    expect(await tenant.stub().admit(request)).toEqual({ kind: "unavailable" });
    expect(await tenant.lines()).toHaveLength(1);
    expect((await tenant.limits()).neurons).toMatchObject({ posted: PICTURE, pending: 0 });
  });

  it("settles once: the same line and the same verdicts, whatever the repeat says", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    const verdict = aVerdict(hold);
    const first = await tenant.settle(hold, { items: itemsOf(hold, 1000), verdicts: [verdict] });
    const before = await tenant.lines();
    const stored = await storedVerdict(tenant, verdict.id);
    vi.setSystemTime(NOW + SECOND);
    const repeat = { items: itemsOf(hold, 2000), verdicts: [{ ...verdict, language: "fr" }] };
    const second = await tenant.settle(hold, repeat);

    // As it was sent, so it is not sent back; the hash is keyed, the time is the object's.
    expect(first).toMatchObject({ settlement: { kind: "settled" }, verdicts: null });
    const { contentHash } = stored;
    const stages = verdict.stages.map((stage) => ({ failure: null, ...stage }));
    const createdAtMs = first.standing?.nowMs;
    expect(stored).toEqual({ ...verdict, stages, contentHash, createdAtMs });
    expect(second.settlement).toEqual({ kind: "already_settled", line: before[0] });
    expect(second.verdicts).toEqual([stored]);
    expect(await tenant.lines()).toEqual(before);
    expect((await tenant.limits()).neurons.posted).toBe(1000);
  });

  it("knows no hold that never was", async () => {
    const tenant = await aTenant();
    const other = await aTenant();
    const hold = await other.hold();
    expect(await tenant.settle(hold)).toEqual({
      settlement: { kind: "unknown_hold" },
      verdicts: [],
      standing: null,
    });
    expect(await tenant.lines()).toEqual([]);
    expect((await other.limits()).neurons.pending).toBe(PICTURE);
  });

  it("voids a call of which no engine ran, at no charge, and counts its rate", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    const { settlement } = await tenant.settle(hold, { items: voidItemsOf(hold) });

    expect(settlement).toMatchObject({ kind: "settled", line: { outcome: "voided" } });
    const limits = await tenant.limits();
    expect(limits.neurons).toMatchObject({ posted: 0, pending: 0 });
    expect(limits.rates.find(({ name }) => name === "requests")?.remaining).toBe(99_999);
  });
});

describe("eviction in the middle of a call", () => {
  it("keeps open holds and what they hold, and settles them afterwards", async () => {
    const tenant = await aTenant();
    const holds = [await tenant.hold(), await tenant.hold(), await tenant.hold()];
    await tenant.settle(holds[1] ?? expect.fail());
    await evict(tenant.id);

    const limits = await tenant.limits();
    expect(limits.neurons).toMatchObject({ posted: PICTURE, pending: 2 * PICTURE });
    expect(limits.inFlight.used).toBe(2);
    for (const hold of [holds[0], holds[2]]) {
      await evict(tenant.id);
      expect((await tenant.settle(hold ?? expect.fail())).settlement.kind).toBe("settled");
    }
    expect((await tenant.limits()).neurons).toMatchObject({ posted: 3 * PICTURE, pending: 0 });
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("expires a hold by the alarm, at the held amount", async () => {
    const tenant = await aTenant();
    await tenant.hold();
    await evict(tenant.id);
    vi.setSystemTime(NOW + DEADLINE - 1);
    expect(await runDurableObjectAlarm(env.TENANT.getByName(tenant.id))).toBe(true);
    expect((await tenant.limits()).neurons.pending).toBe(PICTURE);

    await evict(tenant.id);
    vi.setSystemTime(NOW + DEADLINE);
    expect(await runDurableObjectAlarm(env.TENANT.getByName(tenant.id))).toBe(true);
    const [line] = await tenant.lines();
    expect(line).toMatchObject({
      outcome: "expired",
      held: PICTURE,
      drawn: { quota: PICTURE },
      items: [{ basis: "held", microNeurons: PICTURE, failed: true }],
    });
  });

  it("expires a hold on read when the alarm is late", async () => {
    const tenant = await aTenant();
    await tenant.hold();
    vi.setSystemTime(NOW + DEADLINE);
    const limits = await tenant.limits();
    expect(limits.neurons).toMatchObject({ posted: PICTURE, pending: 0 });
    expect(limits.inFlight.used).toBe(0);
  });

  it("stores a late verdict at the line's price and leaves the charge, also when repeated", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    vi.setSystemTime(NOW + DEADLINE);
    const [before] = await tenant.lines();
    const late = await tenant.settle(hold, { items: itemsOf(hold, 7) });

    expect(late.settlement.kind).toBe("settled_late");
    const [verdict] = late.verdicts ?? [];
    expect(verdict).toMatchObject({ microNeurons: PICTURE, createdAtMs: NOW + DEADLINE });
    expect(verdict?.stages).toMatchObject([{ micro_neurons: PICTURE, basis: "held" }]);
    expect(await tenant.lines()).toEqual([{ ...before, verdictId: verdict?.id }]);
    const read = await tenant.stub().readVerdict(PLATFORM, verdict?.id ?? "");
    expect(expectKind(read, "verdict").verdict).toEqual(verdict);

    vi.setSystemTime(NOW + DEADLINE + SECOND);
    const again = await tenant.settle(hold, { items: itemsOf(hold, 8) });
    expect(again.settlement.kind).toBe("settled_late");
    expect(again.verdicts).toEqual(late.verdicts);
    // What gives a hold back must not take the verdict off its line.
    await tenant.settle(hold, { items: [], verdicts: [] });
    expect(await tenant.lines()).toEqual([{ ...before, verdictId: verdict?.id }]);
    expect((await tenant.limits()).neurons.posted).toBe(PICTURE);
  });
});

describe("midnight", () => {
  it("posts a call to the day in which it was held, and the new day starts full", async () => {
    stopClock(MIDNIGHT - 10 * SECOND);
    const tenant = await aTenant({ daily_neurons: (2 * PICTURE) / 1e6 });
    const hold = await tenant.hold();
    const spent = await tenant.hold();
    await tenant.settle(spent);
    expect((await tenant.admit()).kind).toBe("quota_reserved");

    vi.setSystemTime(MIDNIGHT + SECOND);
    expect(await tenant.limits()).toMatchObject({
      day: DAY + 1,
      neurons: { posted: 0, pending: 0, available: 2 * PICTURE },
    });
    const { settlement } = await tenant.settle(hold);
    expect(settlement).toMatchObject({ kind: "settled", line: { day: DAY } });
    expect((await tenant.limits()).neurons).toMatchObject({ posted: 0, pending: 0 });
    await tenant.settle(await tenant.hold());
    await tenant.settle(await tenant.hold());
    expect((await tenant.admit()).kind).toBe("quota_exceeded");

    const list = await tenant.stub().listPeriods(PLATFORM, DAY, DAY + 1);
    const { periods } = expectKind(list, "periods");
    expect(periods.map(({ day, drawn }) => [day, drawn.quota])).toEqual([
      [DAY, 2 * PICTURE],
      [DAY + 1, 2 * PICTURE],
    ]);
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("does not go back with a clock that does, also across an eviction", async () => {
    stopClock(MIDNIGHT + SECOND);
    const tenant = await aTenant({ rpm: { requests: 2 } });
    await tenant.hold();
    vi.setSystemTime(MIDNIGHT - DAY_MS);
    const second = await tenant.hold();
    expect(second).toMatchObject({ day: DAY + 1, admittedAtMs: MIDNIGHT + SECOND });
    await evict(tenant.id);
    expect((await tenant.limits()).nowMs).toBe(MIDNIGHT + SECOND);
    expect(await tenant.admit()).toMatchObject({ kind: "rate_limited", nowMs: MIDNIGHT + SECOND });
    const { settlement } = await tenant.settle(second);
    expect(settlement).toMatchObject({ line: { day: DAY + 1, settledAtMs: MIDNIGHT + SECOND } });
  });
});

describe("an idempotency key", () => {
  it("replays the stored verdict at no cost and no rate", async () => {
    const tenant = await aTenant();
    const request = ask(tenant.key);
    const { hold } = admitted(await tenant.stub().admit(request));
    const [verdictId = ""] = request.verdictIds;
    await tenant.settle(hold, { verdicts: [aVerdict(hold, { id: verdictId })] });
    const stored = await storedVerdict(tenant, verdictId);
    const before = await tenant.limits();

    const replay = await tenant.stub().admit(ask(tenant.key));
    expect(replay).toMatchObject({ kind: "replayed", verdicts: [stored] });
    expect(await tenant.limits()).toEqual(before);
    expect((await tenant.stub().admit(ask(tenant.key, "k", "b"))).kind).toBe(
      "idempotency_key_reused",
    );
    // Keys are kept per route.
    const elsewhere = ask(tenant.key, "k", "b", { route: "POST /v1/moderations" });
    expect((await tenant.stub().admit(elsewhere)).kind).toBe("admitted");
  });

  it("says that the first call is still running, then that it left no verdict", async () => {
    const tenant = await aTenant();
    const request = ask(tenant.key);
    const { hold } = admitted(await tenant.stub().admit(request));
    expect((await tenant.stub().admit(ask(tenant.key))).kind).toBe("idempotency_in_progress");
    // The same admit again is no replay of itself.
    expect(admitted(await tenant.stub().admit(request)).hold).toEqual(hold);

    vi.setSystemTime(NOW + DEADLINE);
    expect(await tenant.stub().admit(ask(tenant.key))).toEqual({
      kind: "idempotency_replay_unavailable",
      journalLineId: hold.callId,
      charged: PICTURE,
    });
  });

  it("leaves no record of a call that charged nothing and has no verdict", async () => {
    stopClock(MIDNIGHT - SECOND);
    const tenant = await aTenant();
    const { hold } = admitted(await tenant.stub().admit(ask(tenant.key)));
    await tenant.settle(hold, { items: [], verdicts: [] });
    vi.setSystemTime(MIDNIGHT + SECOND);
    const second = ask(tenant.key);
    const again = admitted(await tenant.stub().admit(second));
    expect(again.hold.callId).not.toBe(hold.callId);
    expect((await tenant.stub().admit(ask(tenant.key))).kind).toBe("idempotency_in_progress");
  });

  it("is not remembered of a refused call", async () => {
    const tenant = await aTenant({ daily_neurons: PICTURE / 1e6, max_in_flight: 1 });
    const first = await tenant.hold();
    expect((await tenant.stub().admit(ask(tenant.key))).kind).toBe("quota_reserved");
    await tenant.settle(first, { items: voidItemsOf(first) });
    expect((await tenant.stub().admit(ask(tenant.key, "k", "b"))).kind).toBe("admitted");
  });

  it("is forgotten after 24 hours", async () => {
    const tenant = await aTenant();
    const request = ask(tenant.key);
    const { hold } = admitted(await tenant.stub().admit(request));
    const [id = ""] = request.verdictIds;
    await tenant.settle(hold, { verdicts: [aVerdict(hold, { id })] });
    vi.setSystemTime(NOW + DAY_MS - 1);
    expect((await tenant.stub().admit(ask(tenant.key))).kind).toBe("replayed");
    vi.setSystemTime(NOW + DAY_MS);
    expect((await tenant.stub().admit(ask(tenant.key, "k", "b"))).kind).toBe("admitted");
  });
});

describe("a text", () => {
  it("holds its bound and gives back what it did not use", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold({ contents: [TEXT] });
    expect((await tenant.limits()).neurons.pending).toBe(hold.held);
    const { settlement, standing } = await tenant.settle(hold, { items: itemsOf(hold, 1000) });
    expect(settlement).toMatchObject({ line: { drawn: { quota: 2000 }, overrun: 0 } });
    expect(standing?.neurons).toMatchObject({ posted: 2000, pending: 0 });
  });

  it("is never charged more than its hold: the rest is overrun", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    const [item] = itemsOf(hold);
    const items = [{ ...(item ?? expect.fail()), overrun: hold.held }];
    const { settlement } = await tenant.stub().settle(settleRequest(hold, { items }));
    expect(settlement).toMatchObject({ line: { drawn: { quota: PICTURE }, overrun: PICTURE } });
    expect((await allLines(tenant.id)).map(amountOf)).toEqual([PICTURE]);
    expect(await broken(tenant.id)).toEqual(["charged_within_hold"]);
    expect((await tenantStub(tenant.id).readLimits(PLATFORM)).kind).toBe("limits");
  });
});

describe("a commit", () => {
  it("fails one bad call alone, and leaves its hold as it was", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    const bad = aVerdict(hold, { decision: "maybe" as never });
    const [settled, ...replies] = await Promise.allSettled([
      (async () => tenant.settle(hold, { verdicts: [bad] }))(),
      ...Array.from({ length: 5 }, () => tenant.admit()),
    ]);
    expect(settled.status).toBe("rejected");
    expect(replies.map((reply) => reply.status === "fulfilled" && reply.value.kind)).toEqual(
      replies.map(() => "admitted"),
    );
    expect((await tenant.limits()).neurons).toMatchObject({ posted: 0, pending: 6 * PICTURE });
    expect((await tenant.settle(hold)).settlement.kind).toBe("settled");
    expect((await tenant.limits()).neurons).toMatchObject({
      posted: PICTURE,
      pending: 5 * PICTURE,
    });
  });

  it("keys the hash of a content by the tenant's own secret", async () => {
    const [one, two] = [await aTenant(), await aTenant()];
    const hashOf = async (tenant: typeof one): Promise<string> => {
      const hold = await tenant.hold();
      const verdict = aVerdict(hold);
      await tenant.settle(hold, { verdicts: [verdict] });
      return (await storedVerdict(tenant, verdict.id)).contentHash;
    };
    const first = await hashOf(one);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashOf(one)).toBe(first);
    expect(await hashOf(two)).not.toBe(first);
  });
});
