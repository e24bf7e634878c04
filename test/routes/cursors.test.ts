import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Mount, mountsOf } from "../../src/http/mount.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import { admin, makeTenant, type Reply, type TestTenant } from "../client.ts";

// Every list that has pages takes no cursor but its own. A new list is covered by being among the routes.

const ULID = "01M7WM9VDG3WVTE8T1RYS3AM18";

/** Lists whose cursor is an id, by their route, with the prefix of the id. */
const PREFIXES: Readonly<Record<string, string>> = {
  "/v1/suggestions": "sug",
  "/v1/sessions": "ses",
  "/v1/verdicts": "vrd",
  "/v1/verdicts/batches": "bat",
  "/v1/pipelines/runs": "run",
  "/v1/grants": "grt",
  "/v1/keys": "key",
  "/v1/ledger": "jnl",
  "/v1/inferences": "jnl",
  // In the order in which they were made, which is not that of ids of the caller's own.
  "/v1/documents": "jnl",
  "/admin/tenants/:tenant/adjustments": "jnl",
  "/v1/audit": "evt",
  "/admin/audit": "evt",
  "/v1/events": "evt",
  "/admin/events": "evt",
  "/v1/webhooks/:id/deliveries": "dlv",
  "/admin/webhooks/:id/deliveries": "dlv",
};

/** Lists whose cursor is a name of an item, or a place: the routes' own tests have good ones. */
const OTHERS = [
  "/v1/policies",
  "/v1/usage",
  "/v1/refusals",
  "/v1/sessions/:id/messages",
  "/v1/verdicts/batches/:id/steps",
  "/v1/pipelines/runs/:id/steps",
  "/v1/ledger/archives",
  "/admin/tenants",
  "/admin/account/tenants",
  "/admin/invariants",
  "/admin/moderation-log",
  "/admin/state",
  "/admin/state/applies/:id/tenants",
  "/admin/usage",
];

const hasCursor = ({ route: { query } }: Mount): boolean =>
  query !== undefined && "entries" in query && "cursor" in Object(query.entries);

const PAGED = mountsOf(ROUTES).filter(hasCursor);
const BY_ID = PAGED.filter(({ route }) => PREFIXES[route.path] !== undefined);

const label = ({ method, path }: Mount): string => `${method} ${path}`;

let tenant: TestTenant;

beforeEach(async () => {
  await migrateReports(env.REPORTS);
  tenant = await makeTenant("acme");
});

function list({ path, auth }: Mount, cursor: string | null): Promise<Reply> {
  const query = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
  const at = path.replace(/:(\w+)/g, (_, name: string) => (name === "tenant" ? "acme" : "none"));
  return auth.kind === "platform" ? admin("GET", at + query) : tenant.call("GET", at + query);
}

async function expectRefused(mount: Mount, cursor: string): Promise<void> {
  const { status, body } = await list(mount, cursor);
  expect([cursor, status, body.errors]).toEqual([
    cursor,
    400,
    [
      {
        pointer: "#/cursor",
        detail: expect.stringMatching(/^is not a cursor of this list( in this order)?$/),
      },
    ],
  ]);
}

describe("a list that has pages", () => {
  it("is named here", () => {
    const paths = new Set(PAGED.map(({ route }) => route.path));
    expect([...paths].toSorted()).toEqual([...Object.keys(PREFIXES), ...OTHERS].toSorted());
  });

  it.each(PAGED.map((mount) => [label(mount), mount] as const))(
    "refuses what is no cursor: %s",
    async (_, mount) => {
      for (const wrong of ["Not~ours", "~", "null", "' OR 1=1 --", `x${"0".repeat(250)}`]) {
        // `null` may be the name of a policy or a tenant.
        if (wrong === "null" && !BY_ID.includes(mount)) continue;
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await expectRefused(mount, wrong);
      }
    },
  );

  it.each(BY_ID.map((mount) => [label(mount), mount] as const))(
    "takes ids of its own kind alone: %s",
    async (_, mount) => {
      const prefix = PREFIXES[mount.route.path] ?? "";
      const own = `${prefix}_${ULID}`;
      const wrongs = [
        prefix === "vrd" ? `jnl_${ULID}` : `vrd_${ULID}`,
        ULID,
        `${prefix}_`,
        own.slice(0, -1),
        `${own}0`,
        `${own}\n`,
        own.toLowerCase(),
        `${own.slice(0, -1)}U`,
        // Later than any time that a ULID can hold.
        `${prefix}_8${ULID.slice(1)}`,
      ];
      for (const wrong of wrongs) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await expectRefused(mount, wrong);
      }
      // No item has this id, as if it had been deleted.
      const first = await list(mount, null);
      const after = await list(mount, own);
      expect([after.status, first.status]).toEqual([first.status, after.status]);
      expect([200, 404]).toContain(after.status);
    },
  );

  it.each(PAGED.map((mount) => [label(mount), mount] as const))(
    "begins at an empty cursor: %s",
    async (_, mount) => {
      const [first, empty] = [await list(mount, null), await list(mount, "")];
      expect(empty.status).toBe(first.status);
      expect(empty.body.data).toEqual(first.body.data);
    },
  );
});

describe("a cursor whose item was deleted since", () => {
  it("goes on behind it", async () => {
    const made = [];
    for (const id of ["doc_z", "doc_m", "doc_a"]) {
      const body = { id, type: "other", content: "Nice to meet you all here today", tasks: [] };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      made.push((await tenant.call("POST", "/v1/documents", body)).status);
    }
    expect(made).toEqual([200, 200, 200]);
    const first = (await tenant.call("GET", "/v1/documents?limit=2")).body;
    const last: string = first.data[1].id;
    const path = `/v1/documents?cursor=${first.next_cursor}`;
    const before = (await tenant.call("GET", path)).body.data;
    expect(before).toHaveLength(1);
    expect((await tenant.call("DELETE", `/v1/documents/${last}`)).status).toBe(204);
    expect((await tenant.call("GET", path)).body.data).toEqual(before);
  });
});

const replay = (cursor: string): Promise<Reply> =>
  tenant.call("POST", "/v1/policies/default/replay", { cursor });

describe("a replay of a policy", () => {
  it("goes on from verdicts alone", async () => {
    const wrong = await replay(`jnl_${ULID}`);
    expect([wrong.status, wrong.body.errors]).toEqual([
      400,
      [{ pointer: "#/cursor", detail: "is not a cursor of this list" }],
    ]);
    expect((await replay(`vrd_${ULID}`)).status).toBe(200);
    expect((await replay("")).status).toBe(200);
  });
});
