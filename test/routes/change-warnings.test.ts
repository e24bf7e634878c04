import { reset } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { DeniedStore } from "../../durable-objects/account/pool/denied-store.ts";
import { PoolCache } from "../../durable-objects/account/pool/pool-cache.ts";
import { PoolAllocator } from "../../durable-objects/account/pool/pool-allocator.ts";
import { PoolStore } from "../../durable-objects/account/pool/pool-store.ts";
import { objectDatabase } from "../../durable-objects/database.ts";
import { admin, makeTenant, type Reply } from "../client.ts";
import { inAccount } from "../durable-objects/a-tenant.ts";

// Whoever changes a tenant is warned of what may cost more, or be had less, than was meant.

beforeEach(() => reset());

const PATH = "/admin/tenants/acme";

const FREE = { plan: "free", daily_neurons: 10 };
const CAPPED = { plan: "paid", daily_neurons: 10, overage_cap_neurons: 5 };
const UNLIMITED = { ...CAPPED, overage_cap_neurons: "unlimited" };

const state = (tenants: object, dryRun = false) =>
  admin("PUT", `/admin/state${dryRun ? "?dry_run=true" : ""}`, { tenants });
const put = (body: object) => admin("PUT", PATH, body);

const kinds = (reply: Reply): readonly string[] =>
  reply.body.warnings.map(({ kind }: { kind: string }) => kind);

describe("warnings of a change", () => {
  it.each([
    ["a free tenant", FREE, []],
    ["a cap", CAPPED, ["paid_tenant_on_free_account"]],
    ["no cap", UNLIMITED, ["unlimited_overage", "paid_tenant_on_free_account"]],
  ])("on a free account, with %s", async (_, body, expected) => {
    expect(kinds(await put(body))).toEqual(expected);
    expect(kinds(await admin("PATCH", PATH, { max_in_flight: 7 }))).toEqual(expected);
  });

  it("say which cap is left where a month has one", async () => {
    const whole = await put({ ...UNLIMITED, monthly_cap_neurons: 300 });
    expect(whole.body.warnings[0].detail).toContain("monthly cap of 300 neurons");
  });

  it("are those of the account too", async () => {
    await makeTenant("other", { reserved_neurons: 10_000 });
    expect(kinds(await put({ ...UNLIMITED, reserved_neurons: 1 }))).toEqual([
      "unlimited_overage",
      "paid_tenant_on_free_account",
      "floors_above_pool",
      "promised_above_pool",
    ]);
  });

  it("tell of a paid account without a cap, until it has one", async () => {
    await put(FREE);
    const [before, after] = await inAccount(({ storage }) => {
      const db = objectDatabase(storage);
      const cache = new PoolCache(new PoolStore(db), "paid");
      const allocator = new PoolAllocator(cache, new DeniedStore(db), () => undefined);
      const uncapped = allocator.warnings(Date.now());
      allocator.patch({ monthly_cap_usd: "10" }, Date.now());
      return [uncapped, allocator.warnings(Date.now())];
    });
    expect(before?.map(({ kind }) => kind)).toEqual(["paid_account_without_cap"]);
    expect(after).toEqual([]);
  });
});

describe("warnings of a document", () => {
  it("warns in the plan of what it then warns of, with whose it is", async () => {
    await put({ plan: "free", daily_neurons: 6000 });
    const document = { acme: { ...FREE, daily_neurons: 3000 }, beta: UNLIMITED, gamma: FREE };
    const planned = await state({ ...document, delta: { ...FREE, daily_neurons: 7000 } }, true);
    expect(planned.body.warnings).toEqual([
      {
        tenant: null,
        kind: "promised_above_pool",
        // What acme is promised once this is done, not what it is promised now.
        detail: expect.stringContaining("10010"),
        promised_micro_neurons: 10_010_000_000,
        available_micro_neurons: 10_000_000_000,
      },
      {
        tenant: "beta",
        kind: "unlimited_overage",
        detail: expect.stringContaining("unlimited"),
        promised_micro_neurons: null,
        available_micro_neurons: null,
      },
      expect.objectContaining({ tenant: "beta", kind: "paid_tenant_on_free_account" }),
    ]);
    const done = await state({ ...document, delta: { ...FREE, daily_neurons: 7000 } });
    expect(done.body.warnings).toEqual(planned.body.warnings);
  });

  it("warns of no tenant that it suspends", async () => {
    await put(UNLIMITED);
    const pruned = await admin("PUT", "/admin/state", { tenants: { beta: FREE }, prune: true });
    expect(pruned.body.counts.suspend).toBe(1);
    expect(pruned.body.warnings).toEqual([]);
  });
});
