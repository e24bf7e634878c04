import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { admin, ask, makeTenant } from "../client.ts";
import { cleanUp, MINUTE, SECOND, stopClock } from "../durable-objects/a-tenant.ts";
import { deliver, FakeQueue } from "../reports/fake-queue.ts";

// A tenant's reports made anew, over HTTP: whatever the database holds, at the end it says what the
// tenant's own ledger says.

const DAY = "2036-11-20";

let queue: FakeQueue;

beforeEach(async () => {
  stopClock();
  queue = new FakeQueue();
  await migrateReports(env.REPORTS);
});
afterEach(cleanUp);

/** Alarms and deliveries until nothing is left to do. */
async function feed(id: string): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    vi.setSystemTime(Date.now() + 31 * SECOND);
    await queue.ring(id);
    await deliver(queue.take());
  }
}

async function used(id: string) {
  const tenant = await makeTenant(id);
  for (const text of ["Nice to see you.", "You useless idiot.", "See you tomorrow."]) {
    await tenant.call("POST", "/v1/verdicts", { text, user_id: "u_1" });
  }
  await feed(id);
  return tenant;
}

const reported = async (tenant: string): Promise<unknown> =>
  (await admin("GET", `/admin/usage?from=${DAY}&to=${DAY}&tenant=${tenant}`)).body.totals;

const acts = async () =>
  (await admin("GET", "/admin/audit")).body.data.filter(
    ({ action }: { action: string }) => action === "POST /admin/rebuild/{tenant}",
  );

describe("POST /admin/rebuild/:tenant", () => {
  it("gives the reports back what the ledger says, and is audited", async () => {
    const tenant = await used("acme");
    const before = await reported("acme");
    const { body: usage } = await tenant.call("GET", `/v1/usage?from=${DAY}&to=${DAY}`);
    const { body: statement } = await tenant.call("GET", "/v1/statements/2036-11");
    expect(before).toMatchObject({ calls: 3, micro_neurons: usage.totals.micro_neurons });
    expect(statement.totals).toMatchObject({ micro_neurons: usage.totals.micro_neurons });
    for (const wrong of [
      "UPDATE call_hours SET calls = 9, quota = quota + 1, sequence = 9007199254740991",
      "DELETE FROM usage_hours",
    ]) {
      await env.REPORTS.prepare(wrong).run();
    }
    expect(await reported("acme")).not.toEqual(before);

    const { status, body } = await admin("POST", "/admin/rebuild/acme");
    expect(status).toBe(202);
    expect(body).toMatchObject({ object: "rebuild", tenant: "acme", state: "clearing" });
    // Asked again while it runs, it is the same one.
    vi.setSystemTime(Date.now() + SECOND);
    const { body: again } = await admin("POST", "/admin/rebuild/acme");
    expect(again.started_at).toBe(body.started_at);
    await feed("acme");

    const { body: done } = await admin("GET", "/admin/rebuild/acme");
    expect(done).toMatchObject({ state: "done", waiting_rows: 0, ended_lives: 0 });
    expect(done.finished_at > body.started_at).toBe(true);
    expect(await reported("acme")).toEqual(before);
    expect(await acts()).toMatchObject([{ tenant: "acme" }, { tenant: "acme" }]);
  });

  it("writes of a tenant that was deleted its daily totals anew", async () => {
    await used("gone");
    const before = (await reported("gone")) as { readonly micro_neurons: number };
    expect((await admin("DELETE", "/admin/tenants/gone?confirm=gone")).status).toBeLessThan(300);
    await env.REPORTS.prepare("DELETE FROM usage_hours").run();
    await env.REPORTS.prepare("DELETE FROM call_hours").run();
    const { status, body } = await admin("POST", "/admin/rebuild/gone");
    expect(status).toBe(202);
    expect(body).toMatchObject({ state: "none", ended_lives: 1, started_at: null });
    vi.setSystemTime(Date.now() + MINUTE);
    await queue.ringAccount();
    expect((await admin("GET", "/admin/rebuild/gone")).status).toBe(404);
    expect(await reported("gone")).toMatchObject({ micro_neurons: before.micro_neurons });
  });

  it("is not there for whom nobody knows, nor where there are no reports", async () => {
    expect((await admin("POST", "/admin/rebuild/nobody")).status).toBe(404);
    expect((await admin("GET", "/admin/rebuild/nobody")).status).toBe(404);
    await makeTenant("acme");
    for (const method of ["GET", "POST"]) {
      for (const lacking of [{ USAGE: undefined }, { REPORTS: undefined }]) {
        const { status } = await ask(method, "/admin/rebuild/acme", {
          key: env.ADMIN_TOKEN,
          env: lacking,
        });
        expect(status).toBe(404);
      }
    }
    expect(await acts()).toEqual([]);
  });
});
