import { useReports } from "./open-reports.ts";
import { writeRows } from "./reports-store.ts";
import { readMessage, type RowVersion, type UsageMessage, versionOf } from "./usage-message.ts";

// The consumer of the queue: writes a message's rows into the reports, and tells the tenant's object
// that they are there. Only then does the object stop sending them. Whatever fails here is tried again
// by the queue, then by the object itself; nothing of it is in the way of a call.

/** What a tenant's object is told, as far as this is concerned. */
interface Fed {
  rowsArrived(life: number, epoch: number, rows: readonly RowVersion[]): Promise<void>;
}

/** What the `Account` object is told of messages that nobody could deliver. */
interface Counts {
  countDeadMessages(messages: number): Promise<void>;
}

const DEAD = "neurogate-usage-dead";

/** As the `Account` object is known. */
export interface ConsumerDeps {
  readonly accountName: string;
}

export async function consumeUsage(
  batch: MessageBatch,
  env: Env,
  deps: ConsumerDeps,
): Promise<void> {
  if (batch.queue === DEAD) return buryMessages(batch, env, deps);
  await Promise.all(batch.messages.map((message) => deliver(message, env)));
}

async function deliver(message: Message, env: Env): Promise<void> {
  try {
    const sent = readMessage(message.body);
    // Nobody can make anything of it: the dead letter queue takes it after the last try.
    if (sent === null) throw new TypeError("not a message of this version");
    await deliverRows(sent, env);
    message.ack();
  } catch (error) {
    report("usage_not_delivered", error);
    message.retry();
  }
}

async function deliverRows({ tenant, life, epoch, rows }: UsageMessage, env: Env): Promise<void> {
  const written = await useReports(env, async (database) => {
    await writeRows(database, { tenant, life }, rows, Date.now());
    return true;
  });
  // The object sends no more once it sees that there is no database.
  if (written === null) return;
  const object = env.TENANT.getByName(tenant) as unknown as Fed;
  await object.rowsArrived(life, epoch, rows.map(versionOf));
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
