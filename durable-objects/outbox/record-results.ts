import { type Attempt, MOST_FAILING_MS, nextTryMs } from "../../src/domain/delivery.ts";
import type { Delivery } from "./delivery-store.ts";
import type { Task, Work } from "./next-work.ts";
import type { Outbox } from "./outbox.ts";
import { webhookObject } from "./webhook-object.ts";
import type { DisabledReason, Webhook } from "./webhook-store.ts";

/** What became of a task. */
export interface Result {
  readonly task: Task;
  readonly attempt: Attempt;
  /** The endpoint asked to be left alone until then; null: it did not. */
  readonly notBeforeMs: number | null;
}

/** More than can wait for a recovery, of which one is enough to be seen. */
const MAX_RELEASED = 2000;

/** The status with which an endpoint says that it is no more. */
const GONE = 410;

/**
 * What was done of some work, in one transaction: a row for each delivery that was tried, and where the
 * endpoint stands now.
 *
 * @param random at least 0, less than 1
 */
export function recordResults(
  outbox: Outbox,
  work: Work,
  { results, random, nowMs }: { results: readonly Result[]; random: () => number; nowMs: number },
): void {
  // It may have been changed, disabled or deleted while it was delivered to.
  const webhook = outbox.webhooks.find(work.webhook.id);
  if (webhook === null) return;
  for (const result of results) outbox.deliveries.write(after(result, { random, nowMs }));
  const isWell = results.some(({ attempt }) => attempt.error === null);
  const next = standing(moved(webhook, work, results), results, isWell, nowMs);
  if (isWell && webhook.failingSinceMs !== null) {
    outbox.deliveries.release(webhook.id, MAX_RELEASED, nowMs);
  }
  outbox.webhooks.write(next);
  if (!next.enabled) outbox.deliveries.giveUp(webhook.id);
  else if (results.some(({ attempt }) => attempt.status === GONE)) {
    disable(outbox, next, "gone", nowMs);
  } else disableFailing(outbox, next, nowMs);
}

/** Five days without a success, since the first failure after the last one. */
export function disableFailing(outbox: Outbox, webhook: Webhook, nowMs: number): void {
  const { enabled, failingSinceMs } = webhook;
  if (!enabled || failingSinceMs === null || nowMs < failingSinceMs + MOST_FAILING_MS) return;
  disable(outbox, webhook, "failing", nowMs);
}

/** What waits is left for a replay; the others are told. */
export function disable(
  outbox: Outbox,
  webhook: Webhook,
  reason: DisabledReason,
  nowMs: number,
): Webhook {
  const disabled = { ...webhook, enabled: false, disabledReason: reason, updatedAtMs: nowMs };
  outbox.webhooks.write(disabled);
  outbox.deliveries.giveUp(webhook.id);
  if (reason !== "request") {
    const data = { ...webhookObject(disabled) };
    const happening = { type: "webhook.disabled", subject: null, decision: null, data } as const;
    outbox.record(happening, nowMs);
  }
  return disabled;
}

function after(
  { task, attempt }: Result,
  { random, nowMs }: { random: () => number; nowMs: number },
): Delivery {
  const { delivery } = task;
  const firstTryAtMs = delivery.firstTryAtMs ?? attempt.atMs;
  const attempts = [...delivery.attempts, attempt];
  const tried = { ...delivery, firstTryAtMs, attempts, nextTryAtMs: null };
  if (attempt.error === null) return { ...tried, state: "delivered" };
  const nextTryAtMs =
    attempt.error === "object_gone" ? null : nextTryMs(firstTryAtMs, nowMs, random());
  return { ...tried, state: nextTryAtMs === null ? "failed" : "pending", nextTryAtMs };
}

/** The cursor and the replay move past what was done without a gap. */
function moved(webhook: Webhook, work: Work, results: readonly Result[]): Webhook {
  const done = new Set(results.map(({ task }) => task));
  const open = work.tasks.findIndex((task) => !done.has(task));
  const passed = open === -1 ? work.tasks : work.tasks.slice(0, open);
  const isOpen = (from: Task["from"]): boolean =>
    open !== -1 && work.tasks.slice(open).some((task) => task.from === from);
  const last = (from: Task["from"]): string | undefined =>
    passed.findLast((task) => task.from === from)?.delivery.eventId;
  const cursor = isOpen("cursor") ? (last("cursor") ?? webhook.cursor) : work.cursor;
  return {
    ...webhook,
    // Who enabled it meanwhile began anew, further on.
    cursor: cursor > webhook.cursor ? cursor : webhook.cursor,
    replay: replayAfter(webhook, work, isOpen("replay") ? last("replay") : null),
  };
}

/** @param last null: all of the work was done; undefined: nothing of it was */
function replayAfter({ replay }: Webhook, work: Work, last: string | null | undefined) {
  // Another replay was asked for meanwhile: it stays as it was asked.
  if (replay === null || replay.after !== work.webhook.replay?.after) return replay;
  if (last === null) return work.replay;
  return last === undefined ? replay : { ...replay, after: last };
}

function standing(
  webhook: Webhook,
  results: readonly Result[],
  isWell: boolean,
  nowMs: number,
): Webhook {
  if (results.length === 0) return webhook;
  const since = isWell ? null : webhook.failingSinceMs;
  return {
    ...webhook,
    failingSinceMs: results.some(({ attempt }) => failedThere(attempt)) ? (since ?? nowMs) : since,
    lastTryAtMs: nowMs,
    notBeforeMs: Math.max(0, ...results.map(({ notBeforeMs }) => notBeforeMs ?? 0)),
  };
}

/** Whether it failed, and that tells of the endpoint rather than of what was to be sent. */
export const failedThere = ({ error }: Attempt): boolean =>
  error !== null && error !== "object_gone";
