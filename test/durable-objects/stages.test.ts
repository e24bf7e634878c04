import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Database,
  migrate,
  objectDatabase,
  type Feature,
  StagedDatabase,
} from "../../durable-objects/database.ts";
import { GRANTS } from "../../durable-objects/tenant/ledger/grant-schema.ts";
import { TENANT_SCHEMA } from "../../durable-objects/tenant/features.ts";
import { TenantNode } from "../../durable-objects/tenant/tenant-node.ts";
import { CORE, TENANT_MIGRATIONS } from "../../durable-objects/tenant/tenant-schema.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { admin, makeTenant } from "../client.ts";
import {
  aTenant,
  cleanUp,
  DAY_MS,
  inTenant,
  NOW,
  SECOND,
  settingsOf,
  stopClock,
} from "./a-tenant.ts";
import { hostOn } from "./a-node.ts";

// A tenant's tables, made in stages: what it costs to exist, and what each first use adds.

beforeEach(() => stopClock());
afterEach(cleanUp);

const sizeOf = (id: string): Promise<number> =>
  inTenant(id, ({ storage }) => storage.sql.databaseSize);

const OWN = "type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'";

const tablesIn = ({ sql }: DurableObjectStorage): string[] =>
  sql
    .exec<{ name: string }>(`SELECT name FROM sqlite_master WHERE ${OWN} ORDER BY name`)
    .toArray()
    .map(({ name }) => name);

const tablesOf = (id: string): Promise<string[]> =>
  inTenant(id, ({ storage }) => tablesIn(storage));

const CORE_TABLES = ["features", "keys", "policies", "tenant"];

const creationOf = (id: string) => ({
  birth: { id, generation: 1, carried: { day: 0, posted: ZERO }, contentSecret: "00".repeat(32) },
  change: { kind: "replace" as const, settings: settingsOf({}) },
  ifMatch: null,
});

describe("a tenant that was just made", () => {
  it("has what it needs to exist: at most 32 kB, in at most 30 rows", async () => {
    const { written, size } = await inTenant("cheap", async ({ storage }) => {
      let rowsWritten = 0;
      const counting: Database = {
        ...objectDatabase(storage),
        run: (statement, ...values) => {
          const cursor = storage.sql.exec(statement, ...values);
          const found = cursor.toArray();
          rowsWritten += cursor.rowsWritten;
          return found as never[];
        },
      };
      await new TenantNode(hostOn(storage, counting)).configure(creationOf("cheap"));
      return { written: rowsWritten, size: storage.sql.databaseSize };
    });
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThanOrEqual(30);
    expect(size).toBeLessThanOrEqual(32 * 1024);
  });

  it("takes at most 96 kB with its first verdict, also once that was folded", async () => {
    const tenant = await makeTenant("first");
    expect(await tablesOf("first")).toEqual(CORE_TABLES);
    expect(await sizeOf("first")).toBeLessThanOrEqual(32 * 1024);
    const reply = await tenant.call("POST", "/v1/verdicts", { text: "Nice to see you." });
    expect(reply.status).toBe(200);
    vi.setSystemTime(NOW + 10 * SECOND);
    expect(await runDurableObjectAlarm(env.TENANT.getByName("first"))).toBe(true);
    expect(await tablesOf("first")).toContain("report_rows");
    expect(await sizeOf("first")).toBeLessThanOrEqual(96 * 1024);
  });

  it("answers every read of what it never used as empty, and makes nothing of it", async () => {
    const tenant = await makeTenant("reader");
    const size = await sizeOf("reader");
    const lists = [
      "/v1/verdicts",
      "/v1/ledger",
      "/v1/ledger/archives",
      "/v1/webhooks",
      "/v1/events",
      "/v1/audit",
      "/v1/verdicts/batches",
      "/v1/sessions",
      "/v1/documents",
      "/v1/pipelines/runs",
    ];
    for (const path of lists) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect([path, (await tenant.call("GET", path)).body.data]).toEqual([path, []]);
    }
    const id = `vrd_${"0".repeat(26)}`;
    for (const path of [
      `/v1/verdicts/${id}`,
      `/v1/verdicts/${id}/content`,
      `/v1/verdicts/${id}/revisions`,
      `/v1/verdicts/batches/bat_${"0".repeat(26)}`,
      `/v1/pipelines/runs/run_${"0".repeat(26)}`,
      `/v1/erasures/era_${"0".repeat(26)}`,
      `/v1/webhooks/whk_${"0".repeat(26)}`,
      `/v1/events/evt_${"0".repeat(26)}`,
      `/v1/sessions/ses_${"0".repeat(26)}`,
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect([path, (await tenant.call("GET", path)).status]).toEqual([path, 404]);
    }
    const exported = (await tenant.call("GET", "/v1/export?user_id=nobody")).body;
    expect(JSON.parse(exported)).toMatchObject({ object: "export_summary", counts: {} });
    expect((await tenant.call("GET", "/v1/limits")).status).toBe(200);
    expect((await tenant.call("GET", "/v1/usage")).status).toBe(200);
    expect((await tenant.call("POST", "/v1/verdicts/claims", { limit: 5 })).status).toBeLessThan(
      500,
    );
    expect((await admin("GET", "/admin/tenants/reader/grants")).body.data).toEqual([]);
    expect((await admin("GET", "/admin/invariants")).status).toBe(200);
    expect(await tablesOf("reader")).toEqual(CORE_TABLES);
    expect(await sizeOf("reader")).toBe(size);
    expect(await inTenant("reader", ({ storage }) => storage.getAlarm())).toBeNull();
  });

  it("is found again after an eviction, and makes what is missing then", async () => {
    const tenant = await aTenant();
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect((await tenant.settle(await tenant.hold())).settlement.kind).toBe("settled");
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(await tenant.lines()).toHaveLength(1);
    expect((await tenant.settle(await tenant.hold())).settlement.kind).toBe("settled");
    expect(await tenant.lines()).toHaveLength(2);
  });

  it("that is deleted and made again begins with the core", async () => {
    const tenant = await makeTenant("again");
    await tenant.call("POST", "/v1/verdicts", { text: "Nice to see you." });
    expect((await admin("DELETE", "/admin/tenants/again")).status).toBeLessThan(300);
    expect(await tablesOf("again")).toEqual([]);
    const next = await makeTenant("again");
    expect(await tablesOf("again")).toEqual(CORE_TABLES);
    const reply = await next.call("POST", "/v1/verdicts", { text: "Nice to see you." });
    expect(reply.status).toBe(200);
    expect((await next.call("GET", "/v1/verdicts")).body.data).toHaveLength(1);
  });
});

describe("a feature's tables", () => {
  it("go with the step that failed, and come with the next", async () => {
    await inTenant("failing", async ({ storage }) => {
      const node = new TenantNode(hostOn(storage));
      await node.configure(creationOf("failing"));
      const parts = node.stores;
      const grant = {
        id: "grn_1",
        amount: microNeurons(5),
        drawn: ZERO,
        reason: "a gift",
        createdAtMs: NOW,
        expiresAtMs: NOW + DAY_MS,
        endedAtMs: null,
      };
      const failing = () =>
        node.transactOrThrow(() => {
          parts.grants.insert(grant);
          expect(parts.grants.read("grn_1")).toEqual(grant);
          expect(tablesIn(storage)).toContain("grants");
          throw new Error("a step that fails");
        });
      expect(failing).toThrow("a step that fails");
      expect(tablesIn(storage)).toEqual(CORE_TABLES);
      expect(parts.grants.list("~", 10)).toEqual([]);
      expect(parts.db.of(GRANTS).isThere).toBe(false);
      node.transactOrThrow(() => parts.grants.insert(grant));
      expect(parts.grants.list("~", 10)).toEqual([grant]);
      expect(tablesIn(storage)).toEqual(["features", "grants", "keys", "policies", "tenant"]);
    });
  });

  it("are those that the objects of before have, to the last check and index", async () => {
    const staged = await inTenant("staged", ({ storage }) => {
      const db = new StagedDatabase(objectDatabase(storage), TENANT_SCHEMA);
      for (const feature of TENANT_SCHEMA.features) db.ensure(feature);
      return describeSchema(storage);
    });
    const before = await inTenant("before", ({ storage }) => {
      migrate(objectDatabase(storage), TENANT_MIGRATIONS);
      const db = new StagedDatabase(objectDatabase(storage), TENANT_SCHEMA);
      db.open();
      for (const feature of TENANT_SCHEMA.features) db.ensure(feature);
      return describeSchema(storage);
    });
    expect(staged.tables).toHaveLength(50);
    expect(staged).toEqual(before);
  });

  it("are brought up to date where they are, and are made whole where they are not", async () => {
    const later: Feature = {
      ...GRANTS,
      migrations: [
        ...GRANTS.migrations,
        { name: "notes", statements: ["ALTER TABLE grants ADD COLUMN note TEXT"] },
      ],
    };
    const core: Feature = {
      ...CORE,
      migrations: [
        ...CORE.migrations,
        { name: "labels", statements: ["ALTER TABLE tenant ADD COLUMN label TEXT"] },
      ],
    };
    const added: Feature = {
      name: "added",
      migrations: [{ name: "added", statements: ["CREATE TABLE added (n INTEGER) STRICT"] }],
      isReleased: false,
    };
    const next = { released: TENANT_MIGRATIONS, features: [core, later, added] };
    const made: Readonly<Record<string, (db: Database) => void>> = {
      "of before": (db) => migrate(db, TENANT_MIGRATIONS),
      "of before, and behind": (db) => migrate(db, TENANT_MIGRATIONS.slice(0, 12)),
      "with the feature": (db) => {
        const staged = new StagedDatabase(db, TENANT_SCHEMA);
        staged.ensure(CORE);
        staged.ensure(GRANTS);
      },
      "without it": (db) => new StagedDatabase(db, TENANT_SCHEMA).ensure(CORE),
    };
    for (const [name, make] of Object.entries(made)) {
      // oxlint-disable-next-line no-await-in-loop -- one object after the other
      await inTenant(name, ({ storage }) => {
        make(objectDatabase(storage));
        const db = new StagedDatabase(objectDatabase(storage), next);
        expect(db.open()).toBe(true);
        const isThere = name !== "without it";
        expect([name, db.of(later).isThere]).toEqual([name, isThere]);
        expect(
          columnsOf(storage, "grants")
            .map((column) => column.name)
            .includes("note"),
        ).toBe(isThere);
        expect(columnsOf(storage, "tenant").map((column) => column.name)).toContain("label");
        expect(db.of(added).run("SELECT * FROM added")).toEqual([]);
        expect(tablesIn(storage)).not.toContain("added");
        db.of(added).run("INSERT INTO added VALUES (1)");
        db.ensure(later);
        expect(columnsOf(storage, "grants").map((column) => column.name)).toContain("note");
        // And again: nothing is left to do.
        const again = new StagedDatabase(objectDatabase(storage), next);
        expect(again.open()).toBe(true);
        expect(again.of(added).run("SELECT * FROM added")).toEqual([{ n: 1 }]);
      });
    }
  });

  it("that were never made are no object", async () => {
    await inTenant("nobody", ({ storage }) => {
      const db = new StagedDatabase(objectDatabase(storage), TENANT_SCHEMA);
      expect(db.open()).toBe(false);
      expect(db.of(GRANTS).run("DELETE FROM grants")).toEqual([]);
      expect(tablesIn(storage)).toEqual([]);
    });
  });
});

const SQL_OF = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?";

const plain = (statement: string): string => statement.replace(/\s+/g, " ");

/** The checks and options of a table, in no order. */
const checksOf = (statement: string): string[] =>
  [
    ...plain(statement).matchAll(
      /CHECK \((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|STRICT|WITHOUT ROWID/g,
    ),
  ]
    .map(([check]) => check)
    .toSorted();

/** What SQLite makes of a schema; only the order of columns that came later differs. */
const describeSchema = ({ sql }: DurableObjectStorage) => {
  const tables = tablesIn({ sql } as DurableObjectStorage).filter(
    (name) => name !== "features" && name !== "schema_version",
  );
  const indexes = sql
    .exec<{ sql: string }>("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")
    .toArray();
  return {
    tables: tables.map((name) => [
      name,
      sql.exec(`PRAGMA table_xinfo(${name})`).toArray(),
      checksOf(sql.exec<{ sql: string }>(SQL_OF, name).one().sql),
    ]),
    indexes: indexes.map((index) => plain(index.sql)).toSorted(),
  };
};

const columnsOf = ({ sql }: DurableObjectStorage, table: string) =>
  sql.exec<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`).toArray();
