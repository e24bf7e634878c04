import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { admin, makeTenant, type Reply } from "../client.ts";
import { scripted } from "./scripted.ts";

// The pass over the invariants of all tenants. It counts every tenant that there is, so each test
// begins with none.

afterEach(() => reset());

/** Until the pass is done; the account's alarm is rung as often as that takes. */
const wholePass = async (): Promise<Reply> => {
  const started = await admin("POST", "/admin/invariants");
  expect(started.status).toBe(202);
  expect(started.body).toMatchObject({ object: "invariants_pass", state: "running" });
  const account = env.ACCOUNT.getByName("account");
  for (let rings = 0; rings < 20; rings += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
    await runInDurableObject(account, (instance) => instance.alarm());
    // oxlint-disable-next-line no-await-in-loop
    const found = await admin("GET", "/admin/invariants?limit=200");
    if (found.body.running === null) return found;
  }
  throw new Error("the pass does not end");
};
const idsIn = ({ body }: Reply): string[] => body.data.map((one: { tenant: string }) => one.tenant);

const namesIn = (data: { number: number; name: string }[]) =>
  data.map(({ number, name }) => [number, name]);

const linesIn = (data: { name: string; checked: number }[]) =>
  data.find(({ name }) => name === "lines_sum_to_posted")?.checked ?? 0;

describe("/admin/invariants", () => {
  it("has no tenant and no pass before the first", async () => {
    await makeTenant("uncounted");
    const { body } = await admin("GET", "/admin/invariants");
    expect(body).toMatchObject({ object: "list", data: [], running: null, latest: null });
  });

  it("adds up what each tenant's own report gives", async () => {
    const tenants = [await makeTenant("summed-one"), await makeTenant("summed-two")];
    const [one, two] = tenants;
    await one?.call("POST", "/v1/verdicts", { text: "Nice to meet you all here today" });
    for (const text of ["Our library has many books", "The garden has many birds"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await two?.call("POST", "/v1/verdicts", { text });
    }
    const reports = await Promise.all(
      tenants.map((tenant) => tenant.call("GET", "/v1/invariants")),
    );
    const own = reports.map(({ body }) => body.data);
    expect(own.map(linesIn)).toEqual([1, 2]);
    const { body } = await wholePass();
    expect(body.latest).toMatchObject({
      state: "done",
      tenants: 2,
      checked: 2,
      holds: true,
      broken: 0,
      unfinished: 0,
      unanswered: 0,
    });
    expect(namesIn(body.latest.data)).toEqual(namesIn(own[0]));
    expect(linesIn(body.latest.data)).toBe(3);
    const { body: audit } = await admin("GET", "/admin/audit?limit=1");
    expect(audit.data[0]).toMatchObject({ action: "POST /admin/invariants" });
  });

  it("lists broken tenants page by page, and leaves out a tenant that has ended", async () => {
    for (const id of ["broken-bound", "broken-too"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const broken = await makeTenant(id);
      const { text } = scripted("judge=huge_usage");
      // oxlint-disable-next-line no-await-in-loop
      await broken.onWorkersAi("POST", "/v1/verdicts", { text });
    }
    const all = await wholePass();
    expect(idsIn(all)).toEqual(["broken-bound", "broken-too"]);
    expect(all.body.latest).toMatchObject({ holds: false, broken: 2 });
    const mirror = await admin("GET", "/admin/tenants/broken-bound/invariants");
    const { found, ...counted } = all.body.data[0];
    expect(found).toBe("broken");
    expect(counted).toEqual({ ...mirror.body, as_of: expect.any(String) });

    const first = await admin("GET", "/admin/invariants?limit=1");
    expect([idsIn(first), first.body.has_more]).toEqual([["broken-bound"], true]);
    const next = await admin("GET", `/admin/invariants?limit=1&cursor=${first.body.next_cursor}`);
    expect([idsIn(next), next.body.next_cursor]).toEqual([["broken-too"], null]);

    await admin("DELETE", "/admin/tenants/broken-bound");
    expect(idsIn(await admin("GET", "/admin/invariants"))).toEqual(["broken-too"]);
  });

  it("takes no cursor that it did not give", async () => {
    const { status, body } = await admin("GET", "/admin/invariants?cursor=Not~ours");
    expect([status, body.kind]).toEqual([400, "invalid_request"]);
  });
});
