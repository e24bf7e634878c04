import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type {
  Admitted,
  AdmitReply,
  AdmitRequest,
  SettleReply,
  SettleRequest,
} from "../../durable-objects/tenant/protocol.ts";
import { governedCall, type Ran, type Run, type Tenant } from "../../src/calls/governed-call.ts";
import { type Hold, heldItem, makeHold } from "../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import type { PlannedStage } from "../../src/domain/moderation/stage.ts";

// The order of a governed call, against a tenant that answers as it is told.

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const STAGE: PlannedStage = {
  content: 0,
  name: "labels",
  input: "images/0",
  model: "@cf/microsoft/resnet-50",
  fallbacks: [],
  task: "image_classification",
  rateClass: "image_classification",
  calls: [{ units: { image: 1 }, ownTokens: 0, bound: microNeurons(228_055) }],
  units: { image: 1 },
  bound: microNeurons(228_055),
};

const HOLD: Hold = makeHold({
  callId: "jnl_1",
  requestId: "req_1",
  route: "POST /v1/verdicts",
  keyId: "key_1",
  userId: null,
  day: 1,
  admittedAtMs: 86_400_000,
  deadlineMs: 86_490_000,
  priceBook: "2026-09",
  stages: [STAGE],
});

const REQUEST: AdmitRequest = {
  kind: "moderation",
  callId: HOLD.callId,
  requestId: HOLD.requestId,
  route: HOLD.route,
  caller: { kind: "platform" },
  userId: null,
  context: null,
  contents: [{ text: null, pictures: 1 }],
  verdictIds: ["vrd_1"],
  policy: { name: null, known: null },
  idempotency: null,
};

const ADMITTED: Admitted = {
  kind: "admitted",
  hold: HOLD,
  policy: { name: "default", version: 1, tag: "1.1", body: null },
  limits: null,
  generation: 1,
};

const UNKNOWN: SettleReply = { settlement: { kind: "unknown_hold" }, verdicts: [], standing: null };

const RAN: Ran = { items: [], verdicts: [], account: "answered", reply: null };

const ENDED: Run<string> = { kind: "ended", value: "made", ran: RAN };

/** The reply to the settle that it was asked. */
const settledReply = (): SettleReply => ({
  settlement: {
    kind: "settled",
    line: {
      callId: HOLD.callId,
      requestId: HOLD.requestId,
      route: HOLD.route,
      keyId: HOLD.keyId,
      userId: null,
      verdictId: null,
      day: HOLD.day,
      admittedAtMs: HOLD.admittedAtMs,
      settledAtMs: HOLD.admittedAtMs,
      outcome: "voided",
      held: HOLD.held,
      drawn: { quota: microNeurons(0), granted: microNeurons(0), overage: microNeurons(0) },
      overrun: microNeurons(0),
      grants: [],
      overageUsdPer1000: null,
      priceBook: HOLD.priceBook,
      items: [],
    },
  },
  verdicts: [],
  standing: null,
});

/** In turn; the last answer holds on. `null` is a failure of which nothing is known. */
const answer = <Reply>(replies: readonly (Reply | null)[], asked: number): Reply => {
  const reply = replies[Math.min(asked, replies.length) - 1];
  if (reply === undefined || reply === null) throw new Error("Network connection lost.");
  return reply;
};

function aTenant(answers: {
  readonly admit?: readonly (AdmitReply | null)[];
  readonly settle?: readonly (SettleReply | null)[];
}) {
  const admits: AdmitRequest[] = [];
  const settles: SettleRequest[] = [];
  let stubs = 0;
  const tenant = (): Tenant => {
    stubs += 1;
    return {
      admit: async (request) => answer(answers.admit ?? [ADMITTED], admits.push(request)),
      settle: async (request) => answer(answers.settle ?? [settledReply()], settles.push(request)),
    };
  };
  return { tenant, admits, settles, stubs: () => stubs };
}

async function run(
  { tenant }: ReturnType<typeof aTenant>,
  work: (admitted: Admitted) => Promise<Run<string>> = async () => ENDED,
) {
  const outcome = governedCall(tenant, REQUEST, work);
  await vi.runAllTimersAsync();
  return outcome;
}

describe("a governed call", () => {
  it("admits, runs with the hold, settles what ran", async () => {
    const fake = aTenant({});
    const holds: Hold[] = [];
    const outcome = await run(fake, async ({ hold }) => {
      expect(fake.settles).toEqual([]);
      holds.push(hold);
      return ENDED;
    });
    expect(outcome).toEqual({
      kind: "settled",
      admitted: ADMITTED,
      value: "made",
      reply: settledReply(),
    });
    expect(holds).toEqual([HOLD]);
    expect(fake.admits).toEqual([REQUEST]);
    expect(fake.settles).toEqual([{ callId: HOLD.callId, ...RAN }]);
  });

  it("hands on a refusal and runs nothing", async () => {
    const fake = aTenant({ admit: [{ kind: "invalid_key" }] });
    const work = vi.fn(async () => ENDED);
    expect(await run(fake, work)).toEqual({ kind: "invalid_key" });
    expect(work).not.toHaveBeenCalled();
    expect(fake.settles).toEqual([]);
  });

  it("repeats an admit that was unclear, with the same id and a new stub", async () => {
    const fake = aTenant({ admit: [null, null, ADMITTED] });
    expect((await run(fake)).kind).toBe("settled");
    expect(fake.admits).toEqual([REQUEST, REQUEST, REQUEST]);
    expect(fake.stubs()).toBe(4);
  });

  it("runs nothing when the admit stays unclear, and gives the hold back", async () => {
    const fake = aTenant({ admit: [null], settle: [UNKNOWN] });
    const work = vi.fn(async () => ENDED);
    expect(await run(fake, work)).toEqual({ kind: "unavailable" });
    expect(work).not.toHaveBeenCalled();
    expect(fake.admits).toHaveLength(4);
    expect(fake.settles).toEqual([
      { callId: HOLD.callId, items: [], verdicts: [], account: null, reply: null },
    ]);
  });

  it("settles at the held amount what threw, and says no word of it", async () => {
    const fake = aTenant({});
    const outcome = await run(fake, async () => {
      throw new Error("a secret of the engine");
    });
    expect(outcome).toEqual({ kind: "internal" });
    expect(fake.settles).toEqual([
      { callId: HOLD.callId, items: [heldItem(STAGE)], verdicts: [], account: null, reply: null },
    ]);
  });

  it("settles also what threw before it returned a promise", async () => {
    const fake = aTenant({});
    const outcome = await run(fake, () => {
      throw new Error("at once");
    });
    expect(outcome).toEqual({ kind: "internal" });
    expect(fake.settles).toHaveLength(1);
  });

  it("repeats a settle that was unclear", async () => {
    const fake = aTenant({ settle: [null, null, null, settledReply()] });
    expect((await run(fake)).kind).toBe("settled");
    expect(fake.settles).toHaveLength(4);
    expect(new Set(fake.settles.map((request) => JSON.stringify(request))).size).toBe(1);
  });

  it("says that a settle stayed unclear: what it made is the caller's only if it may be", async () => {
    const fake = aTenant({ settle: [null] });
    expect(await run(fake)).toEqual({ kind: "unconfirmed", admitted: ADMITTED, value: "made" });
    expect(fake.settles).toHaveLength(4);
  });

  it("says so when the hold is not known", async () => {
    const fake = aTenant({ settle: [UNKNOWN] });
    expect((await run(fake)).kind).toBe("unconfirmed");
  });

  it("says that the settle is unclear also when the run threw", async () => {
    const fake = aTenant({ settle: [null] });
    const outcome = await run(fake, async () => {
      throw new Error("lost");
    });
    expect(outcome).toEqual({ kind: "settlement_unavailable" });
  });
});

const ITEMS = [heldItem(STAGE)];
const RAN_ONE: Ran = { ...RAN, items: ITEMS };

const endedWithOne = async (): Promise<Run<string>> => ({ ...ENDED, ran: RAN_ONE });
const thrown = (): Promise<Run<string>> => Promise.reject(new Error("lost"));

async function observed(
  answers: Parameters<typeof aTenant>[0],
  work: () => Promise<Run<string>>,
): Promise<readonly unknown[]> {
  const told: unknown[] = [];
  const fake = aTenant(answers);
  const outcome = governedCall(fake.tenant, REQUEST, work, (items) => told.push(items));
  await vi.runAllTimersAsync();
  const ended = await outcome;
  if (ended.kind === "streaming") await ended.settled;
  return told;
}

describe("what measures a governed call", () => {
  it("is told once of what ran, whether the settle was confirmed or not", async () => {
    expect(await observed({}, endedWithOne)).toEqual([ITEMS]);
    expect(await observed({ settle: [null, settledReply()] }, endedWithOne)).toEqual([ITEMS]);
    expect(await observed({ settle: [null] }, endedWithOne)).toEqual([ITEMS]);
  });

  it("is told of a stream when that has ended", async () => {
    const ran = Promise.resolve(RAN_ONE);
    expect(await observed({}, async () => streaming(ran))).toEqual([ITEMS]);
  });

  it("is told of what threw as it is charged", async () => {
    expect(await observed({}, thrown)).toEqual([[heldItem(STAGE)]]);
  });

  it("is told of nothing that was refused", async () => {
    expect(await observed({ admit: [{ kind: "invalid_key" }] }, async () => ENDED)).toEqual([]);
  });
});

const streaming = (ran: Promise<Ran>): Run<string> => ({
  kind: "streaming",
  value: "begun",
  ran,
});

describe("a governed call that streams", () => {
  it("is given back while it runs, and settled when it has ended", async () => {
    const fake = aTenant({});
    const { promise: ran, resolve: end } = Promise.withResolvers<Ran>();
    const outcome = await run(fake, async () => streaming(ran));
    expect(outcome).toMatchObject({ kind: "streaming", admitted: ADMITTED, value: "begun" });
    expect(fake.settles).toEqual([]);
    end(RAN);
    if (outcome.kind === "streaming") await outcome.settled;
    expect(fake.settles).toEqual([{ callId: HOLD.callId, ...RAN }]);
  });

  it("is settled at the held amount when what it came to is not known", async () => {
    const fake = aTenant({});
    const outcome = await run(fake, async () => streaming(Promise.reject(new Error("lost"))));
    if (outcome.kind === "streaming") await outcome.settled;
    expect(fake.settles[0]?.items).toEqual([heldItem(STAGE)]);
  });

  it("repeats its settle, and ends without a word when that stays unclear", async () => {
    const fake = aTenant({ settle: [null] });
    const outcome = await run(fake, async () => streaming(Promise.resolve(RAN)));
    await vi.runAllTimersAsync();
    if (outcome.kind === "streaming") await outcome.settled;
    expect(fake.settles).toHaveLength(4);
  });
});
