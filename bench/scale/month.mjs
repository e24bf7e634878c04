// The reference month: 100,000 tenants of which 5,000 are active each day, with 100 verdicts each. The use
// of a verdict is counted in the objects. The prices are those of the product's own price book.
import { setTimeout as sleep } from "node:timers/promises";
import book from "../../src/domain/catalogue/cloudflare-prices-2026-11.json" with { type: "json" };
import { MEASURED } from "../../src/domain/catalogue/platform-prices.ts";
import { say } from "../machine.mjs";
import { admin, harness, takeMeter } from "./account.mjs";
import { call, newKey } from "./tenant.mjs";

const TENANTS = 100_000;
const ACTIVE = 5_000;
const CALLS = 100;
const DAYS = 30;
const VERDICTS = ACTIVE * CALLS * DAYS;

/** A lone call comes after every permit has ended, and is folded alone. */
const ALONE_EVERY_MS = 7_000;

/** Longer than a fold with its message and its answer. */
const FOLDED_MS = 9_000;

const SETTINGS = { plan: "free", daily_neurons: 1_000_000, rpm: { requests: 1_000_000 } };

async function users(server, name, count) {
  const made = [];
  for (let at = 0; at < count; at += 1) {
    const id = `${name}-${at}`;
    // oxlint-disable no-await-in-loop -- one after the other
    await admin(server, "PUT", `/admin/tenants/${id}`, SETTINGS);
    made.push({ id, key: await newKey(server, id) });
    await call(server, made[at].key);
    // oxlint-enable no-await-in-loop
  }
  await sleep(FOLDED_MS);
  await takeMeter(server);
  return made;
}

const BURST = 25;

/** The rows of bursts of 25 calls, five at once, with those of the fold that follows. */
async function bursts(server, count) {
  const tenants = await users(server, "bursting", count);
  await Promise.all(
    tenants.map(async ({ key }) => {
      for (let at = 0; at < BURST; at += 5) {
        // oxlint-disable-next-line no-await-in-loop -- five at once, then the next five
        await Promise.all(Array.from({ length: 5 }, () => call(server, key)));
      }
    }),
  );
  await sleep(FOLDED_MS);
  return perVerdict(await takeMeter(server), count * BURST);
}

async function alone(server, count, each) {
  const tenants = await users(server, "lone", count);
  const before = await harness(server, `size/${tenants[0].id}`);
  for (let at = 0; at < each; at += 1) {
    // oxlint-disable no-await-in-loop -- each of them alone
    await Promise.all(tenants.map(({ key }) => call(server, key)));
    await sleep(ALONE_EVERY_MS);
    // oxlint-enable no-await-in-loop
  }
  await sleep(FOLDED_MS - ALONE_EVERY_MS);
  const used = perVerdict(await takeMeter(server), count * each);
  return { used, size: before };
}

const perVerdict = ({ tenant, account, alarm, messages, fed }, verdicts) => ({
  tenantWritten: tenant.written / verdicts,
  accountWritten: (account.written + alarm.written) / verdicts,
  read: (tenant.read + account.read + alarm.read) / verdicts,
  messages: messages / verdicts,
  fed: fed.messages / verdicts,
  fedRows: fed.rows / verdicts,
});

/** The cost of a month beyond the paid plan's included amounts. */
function usd(resource, count) {
  const { usd: price, per, paid } = book.resources[resource];
  return (Math.max(0, count - (paid?.amount ?? 0)) / per) * Number(price);
}

const MEGABYTES = 128;
const MONTH_S = DAYS * 86_400;

/**
 * @param {{ empty: number, used: number }} sizes of a tenant's file, in bytes
 * @returns USD by resource, and in all
 */
function monthOf(each, sizes) {
  const lasting = (TENANTS - ACTIVE) * sizes.empty + ACTIVE * sizes.used;
  const parts = {
    "rows written": usd(
      "object_rows_written",
      VERDICTS * (each.tenantWritten + each.accountWritten),
    ),
    "rows read": usd("object_rows_read", VERDICTS * each.read),
    // Admission and settlement, the account's messages, and the alarm and the consumer of a fold.
    "object requests": usd("object_requests", VERDICTS * (2 + each.messages + 2 * each.fed)),
    duration: usd("object_duration", VERDICTS * MEASURED.megabyteSeconds + MEGABYTES * MONTH_S),
    storage: usd("object_storage", lasting + VERDICTS * MEASURED.bytes),
    queue: usd("queue_operations", VERDICTS * each.fed * MEASURED.queueOperationsPerFold),
    "D1 rows written": usd(
      "d1_rows_written",
      VERDICTS * each.fedRows * MEASURED.d1RowsWrittenPerChange,
    ),
  };
  return { parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}

const shown = (parts) =>
  Object.entries(parts)
    .map(([name, part]) => `${name} ${part.toFixed(0)}`)
    .join(", ");

/** On an account that shares out a pool. */
export async function referenceMonth(table, { server }, quick) {
  const [tenants, each] = quick ? [4, 3] : [8, 6];
  const lone = await alone(server, tenants, each);
  const burst = await bursts(server, tenants);
  await admin(server, "PUT", "/admin/tenants/empty", SETTINGS);
  const empty = await harness(server, "size/empty");
  const sizes = { empty, used: lone.size };
  for (const { name, used, most } of [
    { name: "bursts of 25", used: burst, most: 60 },
    { name: "each alone", used: lone.used, most: null },
  ]) {
    const { parts, total } = monthOf(used, sizes);
    table.told(`a verdict, ${name}: rows written in the tenant`, used.tenantWritten);
    table.told(`a verdict, ${name}: rows written in the account`, used.accountWritten);
    table.told(`a verdict, ${name}: rows read`, used.read);
    table.told(`a verdict, ${name}: rows of the reports`, used.fedRows);
    if (most === null) table.told(`the reference month, ${name}`, total, "USD");
    else table.held(`the reference month, ${name}`, total, most, "USD");
    say(`        ${shown(parts)}`);
  }
}
