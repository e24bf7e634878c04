import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MeasuredContent } from "../../src/domain/moderation/plan-moderation.ts";
import { newId } from "../../src/http/ids.ts";
import { makeTenant } from "../client.ts";
import {
  type ATenant,
  aTenant,
  aVerdict,
  broken,
  cleanUp,
  expectKind,
  NOW,
  pictures,
  rows,
  SECOND,
  stopClock,
} from "./a-tenant.ts";

// What a call stores takes a unit of `requests` each, whatever it costs.

beforeEach(() => stopClock());
afterEach(cleanUp);

const TEST: MeasuredContent = { text: null, pictures: 0, test: true };
const items = (count: number, item: MeasuredContent = pictures(0)) =>
  Array.from({ length: count }, () => item);

const left = async (tenant: ATenant, name: string) =>
  (await tenant.limits()).rates.find((rate) => rate.name === name)?.remaining;

describe("a stored item", () => {
  it("takes a unit of requests: a hundred strings are a hundred", async () => {
    const tenant = await aTenant({ rpm: { requests: 250 } });
    await tenant.hold({ contents: items(100) });
    expect(await left(tenant, "requests")).toBe(150);
    await tenant.hold({ contents: items(150) });
    expect(await left(tenant, "requests")).toBe(0);
    const refused = expectKind(await tenant.admit({ contents: items(1) }), "rate_limited");
    expect(refused.violated).toEqual(["requests"]);
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("waits for as long as that many units need, also after an eviction", async () => {
    const tenant = await aTenant({ rpm: { requests: 100 } });
    await tenant.hold({ contents: items(60) });
    vi.setSystemTime(NOW + 10 * SECOND);
    await tenant.hold({ contents: items(30) });
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const refused = expectKind(await tenant.admit({ contents: items(50) }), "rate_limited");
    vi.setSystemTime(refused.fitsAtMs - 1);
    expect((await tenant.admit({ contents: items(50) })).kind).toBe("rate_limited");
    vi.setSystemTime(refused.fitsAtMs);
    expect((await tenant.admit({ contents: items(50) })).kind).toBe("admitted");
  });

  it.each([101, 150, 200])("%i at once never fit into 100 a minute, and it says so", async (n) => {
    const tenant = await aTenant({ rpm: { requests: 100 } });
    const refused = expectKind(await tenant.admit({ contents: items(n) }), "over_limit");
    expect(refused.detail).toBe(
      `This call needs ${n} units of requests (one for each item that it stores) at once, and the limit of a minute is 100: split it into calls of at most 100.`,
    );
    expect(await left(tenant, "requests")).toBe(100);
  });

  it("is refused where its call plans more checks than a hold has room for", async () => {
    const tenant = await aTenant({ rpm: { requests: 5000 } });
    const refused = expectKind(
      await tenant.admit({ contents: items(4001, pictures(1)) }),
      "over_limit",
    );
    expect(refused.detail).toMatch(
      /^This call needs \d+ checks at once, and one call may need 4000/,
    );
    expect(await left(tenant, "requests")).toBe(5000);
  });

  it("takes nothing when its call is replayed or refused", async () => {
    const tenant = await aTenant({ rpm: { requests: 100 }, daily_neurons: 10 });
    const verdictIds = items(40).map(() => newId("vrd"));
    const asked = { contents: items(40, pictures(1)), verdictIds };
    const call = { ...asked, idempotency: { key: "k", fingerprint: "a" } };
    const first = await tenant.hold(call);
    await tenant.settle(first, { verdicts: verdictIds.map((id) => ({ ...aVerdict(first), id })) });
    expect((await tenant.admit(call)).kind).toBe("replayed");
    expect((await tenant.admit({ contents: [pictures(100)] })).kind).toBe("over_limit");
    expect(await left(tenant, "requests")).toBe(60);
  });
});

const generation = async (tenant: ATenant, count: number, stores?: number) =>
  tenant.stub().admit({
    kind: "generation",
    callId: newId("jnl"),
    requestId: newId("req"),
    route: "POST /v1/images",
    caller: tenant.key,
    userId: null,
    context: null,
    idempotency: null,
    model: "@cf/black-forest-labs/flux-1-schnell",
    measured: {
      kind: "picture",
      picture: {
        pictures: count,
        width: null,
        height: null,
        steps: null,
        effort: "medium",
        seed: false,
        guidance: null,
        strength: null,
        promptChars: 5,
        negativeChars: null,
        inputs: [],
      },
    },
    fit: false,
    streamed: false,
    guard: null,
    ...(stores !== undefined && { stores }),
  });

describe("a generation", () => {
  it.each([
    ["pictures that are stored", 8, 8, 8],
    ["pictures in the reply alone", 8, undefined, 1],
    ["one that is stored", 1, 1, 1],
  ])("takes a unit for each of %s", async (_, count, stores, units) => {
    const tenant = await aTenant({ rpm: { requests: 100 } });
    expectKind(await generation(tenant, count, stores), "admitted");
    expect(await left(tenant, "requests")).toBe(100 - units);
  });
});

describe("test inputs", () => {
  it("have sixty units a minute of their own, and take units of requests too", async () => {
    const tenant = await aTenant({ daily_neurons: 0, rpm: { requests: 300 } });
    await tenant.hold({ contents: items(40, TEST) });
    await tenant.hold({ contents: [...items(20, TEST), ...items(5)] });
    expect(await left(tenant, "test_inputs")).toBe(0);
    expect(await left(tenant, "requests")).toBe(235);
    const refused = expectKind(await tenant.admit({ contents: items(1, TEST) }), "rate_limited");
    expect(refused.violated).toEqual(["test_inputs"]);
    // What is no test goes on.
    expect((await tenant.admit({ contents: items(1) })).kind).toBe("admitted");
    vi.setSystemTime(refused.fitsAtMs);
    expect((await tenant.admit({ contents: items(60, TEST) })).kind).toBe("admitted");
  });

  it("ask nothing of the account", async () => {
    const tenant = await aTenant({ daily_neurons: 0 });
    await tenant.hold({ contents: items(60, TEST) });
    expect(await rows(tenant.id, "SELECT * FROM leases")).toEqual([]);
  });

  it("cannot fill a storage without neurons: 20 calls of 100 store nothing", async () => {
    const tenant = await makeTenant("no-neurons", { daily_neurons: 0 });
    const input = items(100).map(() => "neurogate:test:flag");
    for (let call = 0; call < 20; call += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, body } = await tenant.call("POST", "/v1/moderations", { input });
      expect([status, body.error.kind]).toEqual([400, "over_limit"]);
      expect(body.error.message).toContain("the limit of a minute is 60");
    }
    const sixty = await tenant.call("POST", "/v1/moderations", { input: input.slice(40) });
    expect(sixty.status).toBe(200);
    expect(sixty.headers.get("RateLimit-Policy")).toContain('"test_inputs";q=60;w=60');
    expect(sixty.headers.get("RateLimit")).toContain('"test_inputs";r=0');
    const more = await tenant.call("POST", "/v1/verdicts", { text: "neurogate:test:block" });
    expect(more.status).toBe(429);
    expect(more.body["violated-policies"]).toEqual(["test_inputs"]);
    expect(Number(more.headers.get("Retry-After"))).toBeLessThanOrEqual(61);
    expect(await rows(tenant.id, "SELECT COUNT(*) AS n FROM verdicts")).toEqual([{ n: 60 }]);
  });

  it("have a limit that the platform may set, and that is listed", async () => {
    const tenant = await makeTenant("more-tests", { rpm: { requests: 300, test_inputs: 2 } });
    const { body } = await tenant.call("GET", "/v1/limits");
    expect(body.rates.find(({ name }: { name: string }) => name === "test_inputs")).toMatchObject({
      limit: 2,
      remaining: 2,
    });
    const input = ["neurogate:test:flag", "neurogate:test:block", "neurogate:test:unavailable"];
    expect((await tenant.call("POST", "/v1/moderations", { input })).status).toBe(400);
    expect(await rows(tenant.id, "SELECT COUNT(*) AS n FROM verdicts")).toEqual([{ n: 0 }]);
  });
});
