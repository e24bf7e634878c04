import { env } from "cloudflare:workers";
import { reset } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { admin, ask, type Reply } from "../client.ts";

// On the paid plan somebody says how much a tenant may cost beyond its quota: nothing is unlimited
// because a field was left out.

beforeEach(() => reset());

const PATH = "/admin/tenants/acme";
const AT = "#/overage_cap_neurons";

const FREE = { plan: "free", daily_neurons: 10 };
const PAID = { plan: "paid", daily_neurons: 10 };
const CAPPED = { ...PAID, overage_cap_neurons: 5 };
const UNLIMITED = { ...PAID, overage_cap_neurons: "unlimited" };

const state = (tenants: object, dryRun = false) =>
  admin("PUT", `/admin/state${dryRun ? "?dry_run=true" : ""}`, { tenants });
const put = (body: object, path = PATH) => admin("PUT", path, body);
const patch = (body: object) => admin("PATCH", PATH, body);

const refusal = ({ status, body }: Reply) => ({ status, kind: body.kind, errors: body.errors });
const refusedAt = (pointer: string, detail: RegExp) => ({
  status: 400,
  kind: "invalid_request",
  errors: [{ pointer, detail: expect.stringMatching(detail) }],
});
const NEEDED = /a number of neurons a day, or "unlimited"/;

describe("PUT", () => {
  it.each([
    ["no cap", PAID, NEEDED],
    ["null", { ...PAID, overage_cap_neurons: null }, NEEDED],
    ["another word", { ...PAID, overage_cap_neurons: "none" }, /a number or "unlimited"/],
    ["the word with a capital", { ...PAID, overage_cap_neurons: "Unlimited" }, /"unlimited"/],
    ["a number in quotes", { ...PAID, overage_cap_neurons: "5" }, /a number or "unlimited"/],
    ["true", { ...PAID, overage_cap_neurons: true }, /a number or "unlimited"/],
    ["less than nothing", { ...PAID, overage_cap_neurons: -1 }, /at least 0/],
    ["more than anybody has", { ...PAID, overage_cap_neurons: 2 ** 53 }, /at most 1000000000/],
    ["seven decimals", { ...PAID, overage_cap_neurons: 0.000_000_1 }, /six decimals/],
    ["a cap on the free plan", { ...FREE, overage_cap_neurons: 5 }, /has no overage/],
    ["no cap on the free plan", { ...FREE, overage_cap_neurons: "unlimited" }, /has no overage/],
  ])("refuses %s, and makes no tenant", async (_, body, detail) => {
    expect(refusal(await put(body))).toEqual(refusedAt(AT, detail));
    expect((await admin("GET", "/admin/tenants")).body.data).toEqual([]);
  });

  it.each([
    ["a number", CAPPED, 5],
    ["nothing at all", { ...PAID, overage_cap_neurons: 0 }, 0],
    ["the word", UNLIMITED, "unlimited"],
    ["null on the free plan", { ...FREE, overage_cap_neurons: null }, null],
    ["nothing said on the free plan", FREE, null],
  ])("takes %s, and gives it back", async (_, body, cap) => {
    expect((await put(body)).body.overage_cap_neurons).toBe(cap);
    expect((await admin("GET", PATH)).body.overage_cap_neurons).toBe(cap);
    const limits = await admin("GET", `${PATH}/limits`);
    expect(limits.body.overage).toEqual({ micro_neurons: 0, cap_neurons: cap });
    expect(limits.body.limit_micro_neurons).toBe(
      cap === "unlimited" ? null : (10 + ((cap as number | null) ?? 0)) * 1_000_000,
    );
  });
});

describe("PATCH", () => {
  it.each([
    ["null on the paid plan", CAPPED, { overage_cap_neurons: null }, NEEDED],
    ["null where it was unlimited", UNLIMITED, { overage_cap_neurons: null }, NEEDED],
    ["the paid plan alone", FREE, { plan: "paid" }, NEEDED],
    ["the paid plan with null", FREE, { plan: "paid", overage_cap_neurons: null }, NEEDED],
    ["a cap on the free plan", FREE, { overage_cap_neurons: 5 }, /has no overage/],
    ["a word on the free plan", FREE, { overage_cap_neurons: "unlimited" }, /has no overage/],
    ["a cap with the free plan", CAPPED, { plan: "free", overage_cap_neurons: 5 }, /no overage/],
  ])("refuses %s, and changes nothing", async (_, before, change, detail) => {
    await put(before);
    expect(refusal(await patch(change))).toEqual(refusedAt(AT, detail));
    expect((await admin("GET", PATH)).body).toMatchObject({ ...before, version: 1 });
  });

  it.each([
    ["the paid plan with a cap", FREE, { plan: "paid", overage_cap_neurons: 3 }, 3],
    [
      "the paid plan, unlimited",
      FREE,
      { plan: "paid", overage_cap_neurons: "unlimited" },
      "unlimited",
    ],
    ["another cap", UNLIMITED, { overage_cap_neurons: 0 }, 0],
    ["the word", CAPPED, { overage_cap_neurons: "unlimited" }, "unlimited"],
    ["something else, and keeps the cap", CAPPED, { suspended: true }, 5],
    ["the plan that it has, and keeps the cap", CAPPED, { plan: "paid" }, 5],
    ["the free plan, and drops the cap", CAPPED, { plan: "free" }, null],
    ["the free plan, and drops the word", UNLIMITED, { plan: "free" }, null],
    ["null on the free plan", FREE, { overage_cap_neurons: null }, null],
  ])("takes %s", async (_, before, change, cap) => {
    await put(before);
    const patched = await patch(change);
    expect([patched.status, patched.body.overage_cap_neurons]).toEqual([200, cap]);
    expect((await admin("GET", PATH)).body.overage_cap_neurons).toBe(cap);
  });

  it("brings no cap back that was given in an earlier time on the paid plan", async () => {
    await put(UNLIMITED);
    await patch({ plan: "free" });
    expect(refusal(await patch({ plan: "paid" }))).toEqual(refusedAt(AT, NEEDED));
  });

  it("tells a version that is not in force before what is wrong with the change", async () => {
    await put(CAPPED);
    const body = { overage_cap_neurons: null };
    const headers = { "If-Match": '"7"' };
    const late = await ask("PATCH", PATH, { key: env.ADMIN_TOKEN, body, headers });
    expect(late.body).toMatchObject({ kind: "version_conflict", version: 1 });
  });
});

describe("PUT /admin/state", () => {
  it.each([
    ["left out", PAID, NEEDED],
    ["null, as older documents have it", { ...PAID, overage_cap_neurons: null }, NEEDED],
    ["given on the free plan", { ...FREE, overage_cap_neurons: 5 }, /has no overage/],
  ])("refuses a document with a cap that is %s, and does none of it", async (_, wrong, detail) => {
    const document = { acme: FREE, beta: wrong };
    const expected = refusedAt("#/tenants/beta/overage_cap_neurons", detail);
    expect(refusal(await state(document))).toEqual(expected);
    expect(refusal(await state(document, true))).toEqual(expected);
    expect((await admin("GET", "/admin/tenants")).body.data).toEqual([]);
  });

  it("takes back the document that GET gives", async () => {
    await state({ acme: CAPPED, beta: UNLIMITED, gamma: FREE });
    const { tenants } = (await admin("GET", "/admin/state")).body;
    expect(tenants.beta.overage_cap_neurons).toBe("unlimited");
    expect((await state(tenants)).body.counts).toMatchObject({ unchanged: 3, update: 0 });
  });
});
