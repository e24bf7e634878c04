import { createMessageBatch, env, runDurableObjectAlarm } from "cloudflare:test";
import { ACCOUNT_NAME } from "../../durable-objects/account/account-protocol.ts";
import type { RebuildStatus } from "../../src/domain/usage/rebuild.ts";
import { consumeUsage } from "../../src/reports/consume-usage.ts";
import type { UsageMessage } from "../../src/reports/usage-message.ts";
import { expectKind, inTenant, PLATFORM, tenantStub } from "../durable-objects/a-tenant.ts";

// A queue that a test holds in its hands: what objects send lies in it until the test delivers it, once,
// twice, in any order, or not at all.

export class FakeQueue {
  sent: UsageMessage[] = [];
  /** While set, nothing can be sent. */
  isDown = false;

  async send(message: unknown): Promise<void> {
    if (this.isDown) throw new Error("the queue is down");
    this.sent.push(structuredClone(message) as UsageMessage);
  }

  /** Rings a tenant's alarm with this queue bound. An object that starts anew has the real one again. */
  async ring(id: string): Promise<void> {
    await inTenant(id, (_, instance) => {
      const object = instance as { env: Env };
      object.env = { ...object.env, USAGE: this as unknown as Queue };
    });
    await runDurableObjectAlarm(env.TENANT.getByName(id));
  }

  /** Rings the alarm of the `Account` object, which sends nothing. */
  async ringAccount(): Promise<void> {
    await runDurableObjectAlarm(env.ACCOUNT.getByName(ACCOUNT_NAME));
  }

  take(): UsageMessage[] {
    const taken = this.sent;
    this.sent = [];
    return taken;
  }
}

export interface Delivered {
  readonly acked: number;
  readonly retried: number;
}

/** As the queue does, in one batch. */
export async function deliver(
  messages: readonly unknown[],
  {
    queue = "neurogate-usage",
    bindings,
  }: { readonly queue?: string; readonly bindings?: Env } = {},
): Promise<Delivered> {
  const batch = createMessageBatch(
    queue,
    messages.map((body, at) => ({ id: `m-${at}`, timestamp: new Date(), attempts: 1, body })),
  );
  let acked = 0;
  let retried = 0;
  for (const message of batch.messages) {
    message.ack = () => void (acked += 1);
    message.retry = () => void (retried += 1);
  }
  batch.ackAll = () => void (acked += batch.messages.length);
  await consumeUsage(batch, bindings ?? env, { accountName: ACCOUNT_NAME });
  return { acked, retried };
}

/** How far a tenant's feed is. */
export const standingOf = async (id: string): Promise<RebuildStatus> =>
  expectKind(await tenantStub(id).readRebuild(PLATFORM), "rebuild");

export const reportRows = async (
  table: string,
  tenant: string,
): Promise<readonly Record<string, unknown>[]> => {
  const { results } = await env.REPORTS.prepare(`SELECT * FROM ${table} WHERE tenant = ?`)
    .bind(tenant)
    .all();
  return results;
};
