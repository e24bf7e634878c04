// npm run bench -- --scale [--most 10000] [--quick] [--only=account,heap,tenants,month,days,reports]
//
// Measures the account's object and its requests by the number of tenants. Counts and ratios that are out
// of bounds fail the run.
import { join } from "node:path";
import { say } from "../machine.mjs";
import { acts, crowd, memory, messages, reads, spike, wake } from "./account.mjs";
import { pastDays } from "./days.mjs";
import { referenceMonth } from "./month.mjs";
import { Table } from "./table.mjs";
import { checking, making } from "./tenant.mjs";
import { monthToDate } from "./usage.mjs";

const FEW = 20;
const SIZES = [1_000, 10_000, 100_000];

/** The parts for `--only`. */
export const PARTS = ["account", "heap", "tenants", "month", "days", "reports"];

/**
 * @param {{ dir: string, bundle: object, most: number, quick: boolean, parts: readonly string[] }} run
 */
export async function scale({ dir, bundle, most, quick, parts }) {
  const table = new Table();
  const has = (/** @type {string} */ part) => parts.includes(part);
  if (parts.some((part) => part !== "reports" && part !== "days")) {
    const few = await crowd(dir, bundle, FEW);
    for (const count of SIZES.filter((size) => size <= most)) {
      // oxlint-disable-next-line no-await-in-loop -- one measurement at a time
      if (has("account")) await amongMany(table, few, await crowd(dir, bundle, count));
    }
    if (has("heap") && !has("account")) {
      const many = await crowd(dir, bundle, most);
      say(`\nN = ${most}`);
      await spike(table, many);
      await memory(table, few, many);
      await wake(table, few, many);
      await many.server.stop();
    }
    if (has("tenants")) {
      say(`\nN = ${FEW}`);
      await making(table, few);
      await checking(table, few);
    }
    if (has("month")) {
      say("\nthe reference month");
      await referenceMonth(table, few, quick);
    }
    await few.server.stop();
  }
  if (has("days")) {
    say("\ndays that are over");
    pastDays(table, Math.min(most, 100_000));
  }
  if (has("reports")) {
    say("\nthe reports");
    const reported = quick ? { tenants: 500, days: 8 } : { tenants: 5_000, days: 30 };
    await monthToDate(table, { dir: join(dir, "usage"), bundle }, reported);
  }
  say("");
  for (const { name } of table.broken) say(`out of bounds: ${name}`);
  return table;
}

/** Tenants of the spike still count as asking when a message is measured, which is the worst case. */
async function amongMany(table, few, many) {
  say(`\nN = ${many.count}`);
  await spike(table, many);
  await memory(table, few, many);
  await messages(table, few, many);
  await acts(table, many);
  await reads(table, many);
  await making(table, many);
  await wake(table, few, many);
  await many.server.stop();
}
