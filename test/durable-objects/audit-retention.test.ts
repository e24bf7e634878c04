import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newUlid } from "../../durable-objects/outbox/event-id.ts";
import { admin } from "../client.ts";
import { account, cleanUp, DAY_MS, inAccount, NOW, ringAccount, stopClock } from "./a-tenant.ts";

// How long the log of admin acts is kept.

beforeEach(() => stopClock());
afterEach(cleanUp);

const KEPT_MS = 400 * DAY_MS;

const armed = () => inAccount(({ storage }) => storage.getAlarm());

const act = (atMs: number) => ({
  id: `evt_${newUlid(atMs)}` as const,
  actor: "admin_token",
  action: "PATCH /admin/account",
  tenant: null,
  requestId: "req_1",
  detail: {},
});

const log = async () => (await account().listAudit("~", null, 5_000)).entries.map(({ id }) => id);

describe("the audit log", () => {
  it("loses an act after 400 days, which an alarm of its own rings for", async () => {
    await account().record(act(NOW));
    expect(await armed()).toBe(NOW + KEPT_MS + 1);
    vi.setSystemTime(NOW + DAY_MS);
    const later = act(NOW + DAY_MS);
    await account().recordAll([later]);
    expect(await armed()).toBe(NOW + KEPT_MS + 1);

    vi.setSystemTime(NOW + KEPT_MS);
    await ringAccount();
    expect(await log()).toHaveLength(2);
    vi.setSystemTime(NOW + KEPT_MS + 1);
    await ringAccount();
    expect(await log()).toEqual([later.id]);
    expect(await armed()).toBe(NOW + DAY_MS + KEPT_MS + 1);
    const { body } = await admin("GET", "/admin/audit");
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual([later.id]);
  });

  it("loses 500 at a time, and the alarm rings until none is left that is too old", async () => {
    const acts = Array.from({ length: 1_200 }, (_, at) => act(NOW + at));
    await account().recordAll(acts);
    vi.setSystemTime(NOW + KEPT_MS + DAY_MS);
    const kept = act(NOW + KEPT_MS + DAY_MS);
    await account().record(kept);
    const left: number[] = [];
    while ((await armed()) === NOW + KEPT_MS + DAY_MS || left.length === 0) {
      // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
      await ringAccount();
      // oxlint-disable-next-line no-await-in-loop
      left.push((await log()).length);
    }
    expect(left).toEqual([701, 201, 1]);
    expect(await log()).toEqual([kept.id]);
  });
});
