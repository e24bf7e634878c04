// Measures the cost of making a tenant: its object's database over SQLite in memory, in stages and, for
// comparison, with all tables at once.
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { migrate } from "../durable-objects/database.ts";
import { create } from "../durable-objects/tenant/configure.ts";
import { TENANT_FEATURES } from "../durable-objects/tenant/features.ts";
import { openStores } from "../durable-objects/tenant/stores.ts";
import { Transactions } from "../durable-objects/tenant/transactions.ts";
import { TENANT_MIGRATIONS } from "../durable-objects/tenant/tenant-schema.ts";
import { withDefaults } from "../src/domain/tenant/settings.ts";
import { PLATFORM } from "../simulation/simulated-tenant.ts";
import { say } from "./machine.mjs";
import { median } from "./stats.mjs";

const RUNS = 200;

/** A database that counts its statements. */
function counted() {
  const sqlite = new DatabaseSync(":memory:");
  const counts = { statements: 0 };
  const pragma = (name) => Number(Object.values(sqlite.prepare(`PRAGMA ${name}`).get())[0]);
  const db = {
    run: (statement, ...values) => {
      counts.statements += 1;
      return sqlite.prepare(statement).all(...values);
    },
    transaction: (work) => {
      sqlite.exec("SAVEPOINT step");
      const result = work();
      sqlite.exec("RELEASE step");
      return result;
    },
    sync: () => Promise.resolve(),
    size: () => pragma("page_count") * pragma("page_size"),
  };
  return { db, counts, close: () => sqlite.close() };
}

const SETTINGS = withDefaults({ plan: "free", daily_neurons: 1000 });

function createTenant(database) {
  const host = { database, platform: PLATFORM, features: TENANT_FEATURES, wallMs: () => 0 };
  const stores = openStores(host);
  const transactions = new Transactions(stores, host.wallMs, () => []);
  const carried = { day: 0, posted: 0 };
  const birth = { id: "measured", generation: 1, carried, contentSecret: "00".repeat(32) };
  create(stores, transactions, { birth, settings: SETTINGS, wallMs: 0 });
}

function measured(make) {
  const cpuMs = [];
  let made = { statements: 0, bytes: 0 };
  for (let run = 0; run < RUNS; run += 1) {
    const { db, counts, close } = counted();
    const before = process.cpuUsage();
    make(db);
    const { user, system } = process.cpuUsage(before);
    cpuMs.push((user + system) / 1000);
    made = { statements: counts.statements, bytes: db.size() };
    close();
  }
  return { cpu_ms: median(cpuMs), ...made };
}

/** CPU (median, ms), statements and bytes of a creation, and of one with all tables at once. */
export const measureCreation = () => ({
  staged: measured(createTenant),
  at_once: measured((db) => migrate(db, TENANT_MIGRATIONS)),
});

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const [name, { cpu_ms, statements, bytes }] of Object.entries(measureCreation())) {
    say(`${name}: ${cpu_ms.toFixed(2)} ms CPU, ${statements} statements, ${bytes} bytes`);
  }
}
