import { encodeTime } from "ulid";
import * as v from "valibot";
import { readConfig } from "../config.ts";
import type { BatchParams } from "../domain/moderation/batch.ts";
import { BATCH_ROUTE } from "../domain/ledger/rate-limit.ts";
import { itemIds } from "../domain/runs/item-ids.ts";
import { callerOfRun, OVER } from "../domain/runs/run.ts";
import { batchItemsKey } from "../domain/generation/stored-picture.ts";
import { bucketOf, tenantObject, type TenantAnswer } from "../edge/bindings.ts";
import { moderationDeps, readContent } from "../edge/moderation-deps.ts";
import { VerdictInput } from "../api/native/content.ts";
import { readJoined } from "../io/joined-file.ts";
import { type RanItem, runItem } from "./run-item.ts";

// One step of a batch: gets the work from the object, runs its items as governed calls, and reports. A
// repeated run has the same result.

const TIME_CHARACTERS = 10;

/** Lets other requests run first, where everything shares one process. */
const PAUSE_MS = 20;

export async function runStep(
  env: Env,
  params: BatchParams,
  step: number,
): Promise<TenantAnswer<"reportStep", string>> {
  const { tenant: tenantId, life: generation, batch: id } = params;
  const tenant = () => tenantObject(env, tenantId);
  await scheduler.wait(PAUSE_MS);
  const work = await tenant().beginStep(generation, { id, step });
  if (work.kind === "done") return { kind: "next" };
  if (work.kind !== "run") return work;
  const { batch, indexes, roundAtMs, most } = work;
  const bucket = bucketOf(env);
  const key = batchItemsKey({ tenant: tenantId, generation }, id);
  const { ends } = batch;
  const bodies = bucket === null ? null : await readJoined(bucket, key, { ends, indexes });
  if (bodies === null) {
    await tenant().failBatch(generation, { id, as: "items_missing" });
    return OVER;
  }
  const read = readConfig(env);
  if (read.kind !== "ready") throw new Error("misconfigured");
  const deps = moderationDeps({ env, config: read.config, caller: { tenant: tenantId } });
  const roundTime = encodeTime(roundAtMs, TIME_CHARACTERS);
  const run = async (index: number): Promise<RanItem> => {
    const { callId, requestId, verdictId } = itemIds(id, roundTime, index);
    const body = v.parse(VerdictInput, bodies.get(index));
    const content = readContent(body, { verdictId, batchId: id });
    if (content.kind !== "content") throw new Error("an item that was read before cannot be read");
    const request = {
      callId,
      requestId,
      route: BATCH_ROUTE,
      tenantId,
      caller: callerOfRun(batch),
      userId: body.user_id ?? null,
      context: batch.context,
      runId: id,
      policyName: body.policy ?? null,
      contents: [content.content],
      idempotency: null,
      isPatient: true as const,
    };
    return runItem(deps, request, index, () => tenant().chargeOf(generation, callId));
  };
  const ran = await inTurn(indexes, most, run);
  const waits = ran.flatMap((one) => waitOf(one) ?? []);
  return tenant().reportStep(generation, {
    id,
    step,
    results: ran.flatMap((one) => (one.kind === "result" ? [one.result] : [])),
    waitMs: waits.length === 0 ? null : Math.max(...waits),
    stop: ran.find((one) => one.kind === "stop") ?? null,
  });
}

/** How long no further item is worth starting, in milliseconds; null: it is now. */
const waitOf = (ran: RanItem): number | null =>
  ran.kind === "wait" ? ran.ms : ran.kind === "result" ? (ran.waitMs ?? null) : null;

/** Runs `most` items at once. After one that has no result, or is to be waited after, none are started. */
async function inTurn(
  indexes: readonly number[],
  most: number,
  run: (index: number) => Promise<RanItem>,
): Promise<readonly RanItem[]> {
  const left = [...indexes];
  const ran: RanItem[] = [];
  const worker = async (): Promise<void> => {
    for (let index = left.shift(); index !== undefined; index = left.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- one item after the other
      const one = await run(index);
      ran.push(one);
      if (one.kind !== "result" || waitOf(one) !== null) left.length = 0;
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, indexes.length) }, worker));
  return ran;
}
