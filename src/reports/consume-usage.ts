import type { DaySums } from "../domain/usage/day-sums.ts";
import { type Day, dayOf } from "../domain/ledger/period.ts";
import { HOURS_KEPT_DAYS } from "../domain/usage/report-retention.ts";
import { rolledBefore } from "./upkeep-store.ts";
import { useReports } from "./open-reports.ts";
import { hourlyDayOf, writeRolledDays, writeRows } from "./reports-store.ts";
import { type RowVersion, versionOf } from "../domain/usage/report-rows.ts";
import { readMessage, type UsageMessage } from "./usage-message.ts";

// The consumer of the queue: writes the rows of all messages that the queue delivers together in one
// transaction, and tells each tenant's object that its rows are there. Only then does the object stop
// sending them. Whatever fails here is tried again by the queue, then by the object itself; nothing of
// it is in the way of a call.
//
// A message that cannot be written must not hold back the others that came with it: the delivery is
// then halved, and its halves again, until it stands alone.

/** The calls to a tenant's object. */
interface Fed {
  rowsArrived(generation: number, epoch: number, rows: readonly RowVersion[]): Promise<void>;
  /** Null: that generation has ended. */
  readReportDays(generation: number, days: readonly Day[]): Promise<readonly DaySums[] | null>;
}

/** The report to the `Account` object of messages that could not be delivered. */
interface Counts {
  countDeadMessages(messages: number): Promise<void>;
}

const DEAD = "neurogate-usage-dead";

/** As the `Account` object is known. */
export interface ConsumerDeps {
  readonly accountName: string;
}

/** Objects that are notified at the same time. */
const MOST_AT_ONCE = 20;

/** One message that cannot be written is found among a hundred with so many transactions. */
const MOST_TRANSACTIONS = 16;

/** Days of a tenant that are asked for at once. */
const MOST_DAYS = 16;

export async function consumeUsage(
  batch: MessageBatch,
  env: Env,
  deps: ConsumerDeps,
): Promise<void> {
  if (batch.queue === DEAD) return buryMessages(batch, env, deps);
  const parcels = batch.messages.map((message) => ({ message, sent: readMessage(message.body) }));
  // Nobody can make anything of these: the dead letter queue takes them after the last try.
  for (const { message } of parcels.filter(({ sent }) => sent === null)) {
    report("usage_not_delivered", new TypeError("not a message of this version"));
    message.retry();
  }
  const read = parcels.filter((parcel): parcel is Parcel => parcel.sent !== null);
  const written = await write(read, env, { left: MOST_TRANSACTIONS });
  await notifyAll(written, env);
}

interface Parcel {
  readonly message: Message;
  readonly sent: UsageMessage;
}

/** Those that are written, all at once or in halves; the others are tried again. */
async function write(
  parcels: readonly Parcel[],
  env: Env,
  transactions: { left: number },
): Promise<readonly Parcel[]> {
  if (parcels.length === 0) return [];
  try {
    if (transactions.left === 0) throw new Error("too much of it could not be written");
    transactions.left -= 1;
    await writeTogether(
      parcels.map(({ sent }) => sent),
      env,
    );
    return parcels;
  } catch (error) {
    if (parcels.length === 1 || transactions.left === 0) {
      report("usage_not_delivered", error);
      for (const { message } of parcels) message.retry();
      return [];
    }
    const middle = parcels.length >> 1;
    const first = await write(parcels.slice(0, middle), env, transactions);
    return [...first, ...(await write(parcels.slice(middle), env, transactions))];
  }
}

/** Where there is no database the objects send no more once they see it. */
const writeTogether = (messages: readonly UsageMessage[], env: Env): Promise<boolean | null> =>
  useReports(env, async (database) => {
    const nowMs = Date.now();
    const rolled = await rolledBeforeAny(database, messages, nowMs);
    const isOld = (row: UsageMessage["rows"][number]) => (hourlyDayOf(row) ?? rolled) < rolled;
    const owned = messages.map(({ tenant, life: generation, rows }) => ({
      tenant,
      generation,
      rows: rows.filter((row) => !isOld(row)),
    }));
    for (const message of messages) {
      const days = new Set(message.rows.filter(isOld).map((row) => hourlyDayOf(row) ?? 0));
      // oxlint-disable-next-line no-await-in-loop -- they are few: adjustments, rebuilds
      await writeOldDays(database, env, message, [...days]);
    }
    await writeRows(database, owned, { nowMs, rolled });
    return true;
  });

/** Only rows of hours that are old can be of a day that has none. */
async function rolledBeforeAny(
  database: D1Database,
  messages: readonly UsageMessage[],
  nowMs: number,
): Promise<Day> {
  const from = dayOf(nowMs) - HOURS_KEPT_DAYS;
  const isAnyOld = messages.some(({ rows }) =>
    rows.some((row) => (hourlyDayOf(row) ?? from) < from),
  );
  return isAnyOld ? rolledBefore(database) : from;
}

/** A late row of an hour says nothing of its day: the object adds up the whole day once more. */
async function writeOldDays(
  database: D1Database,
  env: Env,
  { tenant, life: generation }: UsageMessage,
  days: readonly Day[],
): Promise<void> {
  for (let at = 0; at < days.length; at += MOST_DAYS) {
    // oxlint-disable-next-line no-await-in-loop -- some days after the others
    const sums = await fedBy(env, tenant).readReportDays(
      generation,
      days.slice(at, at + MOST_DAYS),
    );
    if (sums === null) return;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await writeRolledDays(database, { tenant, generation }, sums);
  }
}

const fedBy = (env: Env, tenant: string): Fed => env.TENANT.getByName(tenant);

/** Each object once, some at a time. */
async function notifyAll(parcels: readonly Parcel[], env: Env): Promise<void> {
  // All workers take from it.
  const byTenant = Map.groupBy(parcels, ({ sent }) => sent.tenant).entries();
  const isBound = (env as Partial<Env>).REPORTS !== undefined;
  const worker = async (): Promise<void> => {
    for (const [tenant, some] of byTenant) {
      // oxlint-disable-next-line no-await-in-loop -- each worker notifies one after the other
      await notify(tenant, some, isBound ? env : null);
    }
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, worker));
}

async function notify(tenant: string, parcels: readonly Parcel[], env: Env | null): Promise<void> {
  // Rows that were sent before an object began anew are of another generation or epoch.
  const parts = Map.groupBy(parcels, ({ sent }) => `${sent.life}|${sent.epoch}`);
  for (const some of parts.values()) {
    try {
      const rows = some.flatMap(({ sent }) => sent.rows.map(versionOf));
      const [first] = some;
      if (env !== null && first !== undefined) {
        // oxlint-disable-next-line no-await-in-loop -- nearly always there is one
        await fedBy(env, tenant).rowsArrived(first.sent.life, first.sent.epoch, rows);
      }
      for (const { message } of some) message.ack();
    } catch (error) {
      report("usage_not_delivered", error);
      for (const { message } of some) message.retry();
    }
  }
}

/** Their rows still wait in the objects, which send them again. */
async function buryMessages(
  batch: MessageBatch,
  env: Env,
  { accountName }: ConsumerDeps,
): Promise<void> {
  for (const { body } of batch.messages) {
    const sent = readMessage(body);
    log("error", "usage_message_dead", {
      tenant: sent?.tenant ?? null,
      rows: sent?.rows.length ?? null,
    });
  }
  const account = env.ACCOUNT.getByName(accountName) as unknown as Counts;
  await account.countDeadMessages(batch.messages.length);
  batch.ackAll();
}

/** The name of what failed, never its message. */
const report = (event: string, error: unknown): void =>
  log("error", event, { error: error instanceof Error ? error.name : "unknown" });

function log(level: string, event: string, fields: Readonly<Record<string, unknown>>): void {
  // oxlint-disable-next-line no-console -- structured logs go to the console
  console.error(JSON.stringify({ level, event, ...fields }));
}
