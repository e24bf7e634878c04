import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AdmitReply, GenerationAdmit } from "../../durable-objects/tenant/protocol.ts";
import { PLAIN_PICTURE } from "../../src/domain/generation/picture-terms.ts";
import { newId } from "../../src/http/ids.ts";
import {
  admitted,
  aTenant,
  type ATenant,
  cleanUp,
  DAY,
  DEADLINE,
  idempotency,
  itemsOf,
  MIDNIGHT,
  pictures,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
  voidItemsOf,
} from "./a-tenant.ts";

// `daily_images_per_user`: counted in the step that admits, given back where nothing ran.

beforeEach(() => stopClock());
afterEach(cleanUp);

const SETTINGS = {
  plan: "paid",
  daily_images_per_user: 5,
  rpm: { requests: 100_000, text_to_image: 100_000 },
} as const;

const ask = (
  tenant: ATenant,
  wanted: number,
  fields: Partial<GenerationAdmit> = {},
): Promise<AdmitReply> =>
  tenant.stub().admit({
    kind: "generation",
    callId: newId("jnl"),
    requestId: newId("req"),
    route: "POST /v1/images",
    caller: tenant.key,
    userId: "u1",
    context: null,
    idempotency: null,
    guard: null,
    model: "@cf/black-forest-labs/flux-1-schnell",
    measured: { kind: "picture", picture: { ...PLAIN_PICTURE, pictures: wanted } },
    fit: false,
    streamed: false,
    ...fields,
  });

const counted = async (tenant: ATenant): Promise<unknown[]> =>
  (
    await rows(tenant.id, "SELECT day, user_id, count FROM user_pictures ORDER BY day, user_id")
  ).map((row) => [row["day"], row["user_id"], row["count"]]);

describe("a user's pictures of the day", () => {
  it("are refused beyond the limit, and told until when", async () => {
    const tenant = await aTenant(SETTINGS);
    expect((await ask(tenant, 4)).kind).toBe("admitted");
    expect(await ask(tenant, 2)).toMatchObject({
      kind: "rate_limited",
      violated: ["daily_images_per_user"],
      userPictures: { limit: 5, used: 4, wanted: 2 },
      fitsAtMs: MIDNIGHT,
    });
    // What was refused took nothing: one more fits.
    expect((await ask(tenant, 1)).kind).toBe("admitted");
    expect((await ask(tenant, 1)).kind).toBe("rate_limited");
    expect(await counted(tenant)).toEqual([[DAY, "u1", 5]]);
  });

  it("are counted for each user apart, and not without one", async () => {
    const tenant = await aTenant(SETTINGS);
    await ask(tenant, 5);
    expect((await ask(tenant, 1, { userId: "u2" })).kind).toBe("admitted");
    expect((await ask(tenant, 8, { userId: null })).kind).toBe("admitted");
    expect(await counted(tenant)).toEqual([
      [DAY, "u1", 5],
      [DAY, "u2", 1],
    ]);
  });

  it("are counted together where no user is named, if the tenant asks for that", async () => {
    const tenant = await aTenant({ ...SETTINGS, anonymous_images: "limited" });
    const hold = async () => admitted(await ask(tenant, 3, { userId: null })).hold;
    await hold();
    expect(await ask(tenant, 3, { userId: null })).toMatchObject({
      kind: "rate_limited",
      violated: ["daily_images_per_user"],
      userPictures: { limit: 5, used: 3, wanted: 3, ofNobody: true },
      fitsAtMs: MIDNIGHT,
    });
    // Users have their own.
    expect((await ask(tenant, 5)).kind).toBe("admitted");
    expect((await ask(tenant, 6, { userId: null })).kind).toBe("over_limit");
    expect(await counted(tenant)).toEqual([
      [DAY, "", 3],
      [DAY, "u1", 5],
    ]);
  });

  it("are given back where no user is named, too", async () => {
    const tenant = await aTenant({ ...SETTINGS, anonymous_images: "limited" });
    const { hold } = admitted(await ask(tenant, 5, { userId: null }));
    await tenant.settle(hold, { items: voidItemsOf(hold), verdicts: [] });
    expect(await counted(tenant)).toEqual([[DAY, "", 0]]);
    expect((await ask(tenant, 5, { userId: null })).kind).toBe("admitted");
  });

  it("can never be more than the limit at once", async () => {
    const tenant = await aTenant(SETTINGS);
    expect((await ask(tenant, 6)).kind).toBe("over_limit");
    await tenant.configure({ daily_images_per_user: 0 });
    expect((await ask(tenant, 1)).kind).toBe("over_limit");
    expect((await ask(tenant, 1, { userId: null })).kind).toBe("admitted");
  });

  it("are admitted up to the limit and no further, however many ask at once", async () => {
    const tenant = await aTenant({ ...SETTINGS, daily_images_per_user: 25 });
    const replies = await Promise.all(Array.from({ length: 60 }, () => ask(tenant, 1)));
    const kinds = replies.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "admitted")).toHaveLength(25);
    expect(kinds.filter((kind) => kind === "rate_limited")).toHaveLength(35);
    expect(await counted(tenant)).toEqual([[DAY, "u1", 25]]);
  });

  it("are given back to a person who was erased meanwhile without a count below zero", async () => {
    const tenant = await aTenant(SETTINGS);
    const { hold } = admitted(await ask(tenant, 4));
    await tenant.stub().startErasure(PLATFORM, { id: newId("era"), userId: "u1" });
    expect(await counted(tenant)).toEqual([]);
    await ask(tenant, 1);
    const settled = await tenant.settle(hold, { items: voidItemsOf(hold), verdicts: [] });
    expect(settled.settlement.kind).toBe("settled");
    expect(await counted(tenant)).toEqual([[DAY, "u1", 0]]);
  });

  it("stay counted over an eviction, and begin anew at midnight", async () => {
    const tenant = await aTenant(SETTINGS);
    await ask(tenant, 5);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect((await ask(tenant, 1)).kind).toBe("rate_limited");
    vi.setSystemTime(MIDNIGHT - 1);
    expect((await ask(tenant, 1)).kind).toBe("rate_limited");
    vi.setSystemTime(MIDNIGHT);
    expect((await ask(tenant, 5)).kind).toBe("admitted");
    expect(await counted(tenant)).toEqual([
      [DAY, "u1", 5],
      [DAY + 1, "u1", 5],
    ]);
    await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
    expect(await counted(tenant)).toEqual([[DAY + 1, "u1", 5]]);
  });

  it("are counted once for a call that is asked for twice", async () => {
    const tenant = await aTenant(SETTINGS);
    const callId = newId("jnl");
    await ask(tenant, 2, { callId });
    expect((await ask(tenant, 2, { callId })).kind).toBe("admitted");
    await ask(tenant, 1, { idempotency: idempotency("k") });
    expect((await ask(tenant, 1, { idempotency: idempotency("k") })).kind).toBe(
      "idempotency_in_progress",
    );
    expect(await counted(tenant)).toEqual([[DAY, "u1", 3]]);
  });

  it("are given back where no engine ran, each by itself, and only there", async () => {
    const tenant = await aTenant(SETTINGS);
    const hold = async () => admitted(await ask(tenant, 5)).hold;
    const first = await hold();
    await tenant.settle(first, { items: voidItemsOf(first), verdicts: [] });
    expect(await counted(tenant)).toEqual([[DAY, "u1", 0]]);
    const second = await hold();
    const items = itemsOf(second).map((item) => ({ ...item, calls: 3 }));
    await tenant.settle(second, { items, verdicts: [] });
    // Repeated, as a settle may be: nothing is given back twice.
    await tenant.settle(second, { items, verdicts: [] });
    expect(await counted(tenant)).toEqual([[DAY, "u1", 3]]);
    // A call that may have run keeps its count.
    const third = admitted(await ask(tenant, 2)).hold;
    await tenant.settle(third, { items: itemsOf(third), verdicts: [] });
    expect(await counted(tenant)).toEqual([[DAY, "u1", 5]]);
  });

  it("are given back to the day on which they were counted, if it is still known", async () => {
    stopClock(MIDNIGHT - SECOND);
    const tenant = await aTenant(SETTINGS);
    const { hold } = admitted(await ask(tenant, 4));
    vi.setSystemTime(MIDNIGHT + SECOND);
    await ask(tenant, 1);
    await tenant.settle(hold, { items: voidItemsOf(hold), verdicts: [] });
    expect(await counted(tenant)).toEqual([
      [DAY, "u1", 0],
      [DAY + 1, "u1", 1],
    ]);
    const late = admitted(await ask(tenant, 2)).hold;
    await rows(tenant.id, "DELETE FROM user_pictures");
    const settled = await tenant.settle(late, { items: voidItemsOf(late), verdicts: [] });
    expect(settled.settlement.kind).toBe("settled");
    expect(await counted(tenant)).toEqual([]);
  });

  it("are not given back by a hold that expired, nor by the settle that comes after", async () => {
    const tenant = await aTenant(SETTINGS);
    const { hold } = admitted(await ask(tenant, 5));
    vi.setSystemTime(Date.now() + DEADLINE);
    const { settlement } = await tenant.settle(hold, { items: voidItemsOf(hold), verdicts: [] });
    expect(settlement.kind).toBe("settled_late");
    expect(await counted(tenant)).toEqual([[DAY, "u1", 5]]);
  });

  it("take nothing from what else is refused, and cost other calls no row", async () => {
    const tenant = await aTenant({ ...SETTINGS, plan: "free", daily_neurons: 100 });
    expect((await ask(tenant, 1)).kind).toBe("admitted");
    expect((await ask(tenant, 1)).kind).toBe("quota_reserved");
    expect((await tenant.admit({ userId: "u9", contents: [pictures(1)] })).kind).toBe("admitted");
    expect(await counted(tenant)).toEqual([[DAY, "u1", 1]]);
  });

  it("come before a rate that has no room either: what lasts longest is told", async () => {
    const tenant = await aTenant({ ...SETTINGS, rpm: { requests: 100_000, text_to_image: 5 } });
    await ask(tenant, 5);
    expect(await ask(tenant, 1)).toMatchObject({ violated: ["daily_images_per_user"] });
    expect(await ask(tenant, 1, { userId: null })).toMatchObject({ violated: ["text_to_image"] });
  });
});
