// Reads the month to date of all tenants, with thousands active each day, with the product's own
// statements in workerd, whose cursors count the rows.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { objectFile } from "../object-file.mjs";
import { closeDays, migrated, seedDays } from "../usage-sums.mjs";
import { Workerd } from "../workerd.mjs";
import { costOf, harness } from "./account.mjs";

const REPEATS = 3;

export async function monthToDate(table, { dir, bundle }, { tenants, days }) {
  const server = new Workerd(join(dir, "reports"), bundle, {}, [], ["Reports"]);
  await server.start();
  const { day } = await harness(server, "reports/made");
  await server.stop();
  const db = new DatabaseSync(
    objectFile(server.directory("Reports"), "neurogate-Reports", "reports"),
  );
  const first = day - days + 1;
  migrated(db);
  seedDays(db, { first, tenants, days });
  await closeDays(db, day);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  await server.start();
  const read = () => harness(server, `reports/month/${first}/${day}`);
  const { rows, calls } = await read();
  const cost = await costOf(server, REPEATS, read);
  const readHours = () => harness(server, `reports/hours/${day - 1}/${day}`);
  const hours = await readHours();
  const hoursCost = await costOf(server, REPEATS, readHours);
  await server.stop();
  const of = `today and the month to date, ${tenants} tenants a day, ${days} days`;
  const made = tenants * days * 4 * 9;
  table.held(`${of}: calls that are missing`, Math.abs(calls - made), 0);
  table.held(`${of}: rows read`, rows, 100_000);
  table.told(`${of}: CPU`, cost.cpuMs, "ms", 200);
  const overview = `the overview's hours of two days, ${tenants} tenants a day`;
  const missing = Math.abs(hours.calls - tenants * 2 * 4 * 9);
  table.held(`${overview}: calls that are missing`, missing, 0);
  table.held(`${overview}: rows read`, hours.rows, 150_000);
  table.told(`${overview}: CPU`, hoursCost.cpuMs, "ms", 200);
}
