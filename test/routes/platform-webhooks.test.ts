import { env, runDurableObjectAlarm } from "cloudflare:test";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ACCOUNT_NAME } from "../../durable-objects/account/account-protocol.ts";
import { admin } from "../client.ts";
import {
  aTenant,
  cleanUp,
  DAY_MS,
  NOW,
  pictures,
  PICTURE,
  rows,
  stopClock,
} from "../durable-objects/a-tenant.ts";
import { Receivers, ring } from "./receivers.ts";

// The platform's endpoints: the same resource, told of what happens to its tenants.

let receivers: Receivers;
beforeEach(() => {
  stopClock();
  receivers = new Receivers();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const url = "https://ops.platform.dev/";
const daily_neurons = (10 * PICTURE) / 1_000_000;

async function subscribe(events: readonly string[]) {
  const made = await admin("POST", "/admin/webhooks", { url, events });
  expect(made.status).toBe(201);
  return made.body as { id: string; secret: string };
}

const ringAccount = (): Promise<boolean> =>
  runDurableObjectAlarm(env.ACCOUNT.getByName(ACCOUNT_NAME));

const told = () => receivers.received.map(({ body }) => JSON.parse(body));

const feed = async (): Promise<{ type: string }[]> =>
  (await admin("GET", "/admin/events")).body.data;

describe("an endpoint of the platform", () => {
  it("is made, changed, tried, rotated, read back and deleted", async () => {
    const { id, secret, ...made } = await subscribe(["account.closed", "account.threshold"]);
    const path = `/admin/webhooks/${id}`;
    expect((await admin("GET", path)).body).toEqual({ id, ...made });
    expect((await admin("GET", "/admin/webhooks")).body.data).toEqual([{ id, ...made }]);
    const changed = await admin("PATCH", path, { events: ["reconciliation.drift"] });
    expect(changed.body.events).toEqual(["reconciliation.drift"]);
    const tried = await admin("POST", `${path}/test`);
    expect(tried.body).toMatchObject({ state: "delivered", webhook_id: id });
    const [{ body, headers } = { body: "", headers: {} }] = receivers.received;
    new StandardWebhook(secret).verify(body, headers);
    expect((await admin("GET", `${path}/deliveries`)).body.data).toEqual([tried.body]);
    const rotated = await admin("POST", `${path}/rotate`, { overlap_s: 0 });
    expect(rotated.body.secret).not.toBe(secret);
    const again = await admin("POST", `/admin/deliveries/${tried.body.id}/replay`);
    expect(again.body.state).toBe("pending");
    await ringAccount();
    const [, second] = receivers.received;
    new StandardWebhook(rotated.body.secret).verify(second?.body ?? "", second?.headers ?? {});
    expect((await admin("DELETE", path)).status).toBe(204);
    expect((await admin("GET", path)).status).toBe(404);
  });

  it.each([
    { url: "https://10.0.0.1/", events: ["account.closed"] },
    { url, events: ["moderation.verdict"] },
  ])("is not made with %o", async (body) => {
    expect((await admin("POST", "/admin/webhooks", body)).status).toBe(400);
  });

  it("is told of tenants' quotas, and whose", async () => {
    await subscribe(["quota.threshold", "quota.exceeded"]);
    const tenant = await aTenant({ daily_neurons });
    await tenant.settle(await tenant.hold({ contents: [pictures(8)] }));
    expect((await tenant.admit({ contents: [pictures(8)] })).kind).toBe("quota_exceeded");
    await ring(tenant.id);
    await ringAccount();
    expect(told().toSorted((a, b) => (a.type < b.type ? -1 : 1))).toMatchObject([
      { type: "quota.exceeded", data: { object: "limits", tenant: tenant.id } },
      { type: "quota.threshold", data: { tenant: tenant.id, threshold: 0.8 } },
    ]);
    expect(await rows(tenant.id, "SELECT * FROM reports")).toEqual([]);
    expect(await feed()).toHaveLength(2);
  });

  it("is told that the account's own allocation is used up", async () => {
    await subscribe(["account.closed"]);
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold(), { account: "exhausted" });
    await ring(tenant.id);
    await ringAccount();
    const data = { object: "account_closure", tenant: tenant.id, day: "2036-11-20" };
    expect(told()).toMatchObject([{ type: "account.closed", data }]);
  });

  it("is told later when it could not be told at once, and of nothing that it did not ask for", async () => {
    await subscribe(["quota.threshold"]);
    const tenant = await aTenant({ daily_neurons });
    await tenant.settle(await tenant.hold({ contents: [pictures(8)] }));
    await tenant.admit({ contents: [pictures(8)] });
    const silent = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const unreachable = { report: () => Promise.reject(new Error("unreachable")) };
    const broken = vi
      .spyOn(env.ACCOUNT, "getByName")
      .mockReturnValue(unreachable as unknown as ReturnType<typeof env.ACCOUNT.getByName>);
    await ring(tenant.id);
    expect(silent).toHaveBeenCalled();
    expect(await rows(tenant.id, "SELECT type FROM reports")).toHaveLength(2);
    broken.mockRestore();
    vi.setSystemTime(NOW + 30_000);
    await ring(tenant.id);
    expect(await rows(tenant.id, "SELECT type FROM reports")).toEqual([]);
    expect((await feed()).map(({ type }) => type)).toEqual(["quota.threshold"]);
  });

  it("forgets after thirty days", async () => {
    const { id } = await subscribe(["quota.threshold"]);
    await admin("POST", `/admin/webhooks/${id}/test`);
    expect(await feed()).toHaveLength(1);
    vi.setSystemTime(NOW + 31 * DAY_MS);
    await admin("POST", `/admin/webhooks/${id}/replay`, {
      from: "2036-11-20T00:00:00Z",
      only: "all",
    });
    await ringAccount();
    expect(await feed()).toEqual([]);
  });
});
