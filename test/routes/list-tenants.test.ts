import { env, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Tenant } from "../../durable-objects/tenant/tenant.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { dayOf } from "../../src/domain/ledger/period.ts";
import { admin, makeTenant } from "../client.ts";
import { cleanUp, NOW, stopClock } from "../durable-objects/a-tenant.ts";
import { sendPart, tenantsOf } from "./an-apply.ts";

// Lists of tenants that the account answers alone.

beforeEach(() => stopClock());
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

const ids = (data: readonly { readonly id?: string; readonly tenant?: string }[]) =>
  data.map(({ id, tenant }) => id ?? tenant);

/** All pages of two. */
async function readAll(path: string): Promise<readonly (string | undefined)[]> {
  const seen: (string | undefined)[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
    // oxlint-disable-next-line no-await-in-loop -- one page after the other
    const { body } = await admin("GET", `${path}&limit=2${more}`);
    expect(body.data.length).toBeLessThanOrEqual(2);
    seen.push(...ids(body.data));
    cursor = body.next_cursor;
  }
  return seen;
}

/** What tenants reported of today, in neurons. */
async function reported(spent: Readonly<Record<string, number>>): Promise<void> {
  await runInDurableObject(env.ACCOUNT.getByName("account"), async (account) => {
    for (const [tenant, amount] of Object.entries(spent)) {
      // oxlint-disable-next-line no-await-in-loop -- one message after the other
      const answer = await account.ask({
        tenant,
        generation: 1,
        promised: { plan: "free", daily: ZERO, floor: ZERO, suspended: false, version: 0 },
        notice: 0,
        lease: null,
        rates: null,
        news: null,
        spent: [{ day: dayOf(NOW), spent: microNeurons(amount * 1e6), pending: ZERO }],
        probe: false,
        look: null,
      });
      expect(answer.kind).toBe("answered");
    }
  });
}

describe("GET /admin/tenants", () => {
  it("says what the account knows, and wakes no tenant", async () => {
    await makeTenant("acme", { daily_neurons: 20.5, reserved_neurons: 5 });
    await makeTenant("beta", {
      plan: "paid",
      suspended: true,
      daily_neurons: 7,
      reserved_neurons: 3,
    });
    await reported({ acme: 3 });
    const read = vi.spyOn(Tenant.prototype, "readProfile");
    const { body } = await admin("GET", "/admin/tenants");
    expect(body.data).toEqual([
      {
        id: "acme",
        object: "listed_tenant",
        state: "active",
        plan: "free",
        daily_neurons: 20.5,
        reserved_neurons: 5,
        version: 1,
        spent_micro_neurons: 3_000_000,
        reported_at: new Date(NOW).toISOString(),
      },
      expect.objectContaining({
        id: "beta",
        state: "suspended",
        plan: "paid",
        daily_neurons: 7,
        spent_micro_neurons: 0,
        reported_at: null,
      }),
    ]);
    expect(read).not.toHaveBeenCalled();
    // What is suspended is promised nothing all the same.
    const { body: account } = await admin("GET", "/admin/account");
    expect(account.promised_micro_neurons).toBe(20_500_000);
  });

  it("is found by prefix, plan and state", async () => {
    await makeTenant("shop-a");
    await makeTenant("shop-b", { plan: "paid" });
    await makeTenant("shopper", { suspended: true });
    await makeTenant("zoo");
    expect(await readAll("/admin/tenants?prefix=shop")).toEqual(["shop-a", "shop-b", "shopper"]);
    expect(await readAll("/admin/tenants?prefix=shop-")).toEqual(["shop-a", "shop-b"]);
    expect(await readAll("/admin/tenants?plan=paid")).toEqual(["shop-b"]);
    expect(await readAll("/admin/tenants?state=suspended")).toEqual(["shopper"]);
    expect(await readAll("/admin/tenants?state=deleting&sort=spent")).toEqual([]);
    expect((await admin("GET", "/admin/tenants?prefix=A")).status).toBe(400);
    await admin("DELETE", "/admin/tenants/zoo");
    expect(await readAll("/admin/tenants?state=active")).toEqual(["shop-a", "shop-b"]);
  });

  it("is put in order by what was reported, those without anything last", async () => {
    for (const id of ["a", "b", "c", "d", "e"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await makeTenant(id);
    }
    await reported({ b: 4, d: 9, e: 4 });
    expect(await readAll("/admin/tenants?sort=spent")).toEqual(["d", "b", "e", "a", "c"]);
    expect(await readAll("/admin/tenants?sort=held")).toEqual(["a", "b", "c", "d", "e"]);
    expect(await readAll("/admin/account/tenants?sort=spent")).toEqual(["d", "b", "e", "a", "c"]);
    // Who has ended had its part of the day.
    await admin("DELETE", "/admin/tenants/d");
    expect(await readAll("/admin/account/tenants?sort=spent")).toContain("d");
    expect(await readAll("/admin/tenants?sort=spent")).not.toContain("d");
  });

  it.each(["/admin/tenants", "/admin/account/tenants"])(
    "takes no cursor of another list or order: %s",
    async (path) => {
      await makeTenant("a");
      await makeTenant("b");
      const { body } = await admin("GET", `${path}?limit=1`);
      for (const wrong of ["a", "e30", `${body.next_cursor}A`]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const { status } = await admin("GET", `${path}?cursor=${wrong}`);
        expect([wrong, status]).toEqual([wrong, 400]);
      }
      expect((await admin("GET", `${path}?limit=1&cursor=`)).body).toEqual(body);
      const other = await admin("GET", `${path}?sort=spent&cursor=${body.next_cursor}`);
      expect(other.status).toBe(400);
    },
  );

  it("takes no cursor of another list, and none with an amount by id", async () => {
    await makeTenant("a");
    await makeTenant("b");
    await sendPart("one", "1/1", tenantsOf(["a", "b"]));
    const paths = [
      "/admin/tenants",
      "/admin/account/tenants",
      "/admin/state",
      "/admin/state/applies/one/tenants",
    ];
    const first = await Promise.all(paths.map((path) => admin("GET", `${path}?limit=1`)));
    const cursors = first.map(({ body }): string => body.next_cursor);
    const taken = cursors.map((cursor) =>
      Promise.all(
        paths.map(async (path) => (await admin("GET", `${path}?cursor=${cursor}`)).status),
      ),
    );
    expect(await Promise.all(taken)).toEqual(
      paths.map((own) => paths.map((path) => (path === own ? 200 : 400))),
    );
    const tampered = cursors.map((cursor) => {
      const text = new TextDecoder().decode(Uint8Array.fromBase64(cursor, BASE64URL));
      return new TextEncoder().encode(text.replace(",0,", ",5,")).toBase64(BASE64URL);
    });
    const refused = tampered.map(async (cursor, at) => {
      expect(cursor).not.toBe(cursors[at]);
      const { status, body } = await admin("GET", `${paths[at]}?cursor=${cursor}`);
      return [status, body.errors[0].pointer];
    });
    expect(await Promise.all(refused)).toEqual(paths.map(() => [400, "#/cursor"]));
  });
});
