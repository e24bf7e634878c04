import { viewOf } from "./delivery-view.ts";
import type { DisabledReason, Replay, Webhook } from "../../src/domain/webhooks/webhook.ts";
import {
  type Attempt,
  type DeliveryControl,
  isOutage,
  MOST_FAILING_MS,
  nextTryMs,
  standingAfter,
  WELL,
  type Delivery,
} from "../../src/domain/webhooks/delivery.ts";
import { EXHAUSTED_EVENT, TEST_EVENT } from "../../src/domain/webhooks/event.ts";
import type { Task } from "./next-work.ts";
import type { Outbox } from "./outbox.ts";
import { deliveryObject, webhookObject } from "../../src/domain/webhooks/webhook-object.ts";

/** What became of a task. */
export interface Result {
  readonly task: Task;
  readonly attempt: Attempt;
  /** The endpoint asked to be left alone until then; null: it did not. */
  readonly notBeforeMs: number | null;
  readonly control: DeliveryControl | null;
}

/** The status with which an endpoint says that it is no more. */
export const GONE = 410;

export interface Progress {
  /** In the order in which they ended. */
  readonly results: readonly Result[];
  /** All events up to this id are done, but the open ones. */
  readonly reached: string;
  readonly open: readonly string[];
  /** How far a replay is; null: there is none. */
  readonly replay: { readonly begin: Replay; readonly end: Replay | null } | null;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly nowMs: number;
}

/**
 * What was done for an endpoint, in one transaction: a row for each delivery that was tried, and where
 * the endpoint stands now.
 */
export function recordResults(outbox: Outbox, id: string, progress: Progress): void {
  const { results, nowMs } = progress;
  // It may have been changed, disabled or deleted while it was delivered to.
  const found = outbox.webhooks.find(id);
  if (found === null) return;
  let webhook = moved(found, progress);
  for (const result of results) {
    const delivery = after(result, progress);
    const { task, attempt, notBeforeMs } = result;
    if (task.from !== "probe" || attempt.error === null) outbox.deliveries.write(delivery);
    if (isExhausted(result, delivery)) tellExhausted(outbox, result, delivery, nowMs);
    const { eventId, firstTryAtMs } = delivery;
    const first = firstTryAtMs ?? attempt.atMs;
    const tried = { eventId, firstTryAtMs: first, attempt, notBeforeMs };
    const next = { ...webhook, ...standingAfter(webhook, tried, nowMs), lastTryAtMs: nowMs };
    if (attempt.error === null) release(outbox, webhook, nowMs);
    webhook = next;
  }
  outbox.webhooks.write(webhook);
  const reason = disablingOf(results);
  if (!webhook.enabled) outbox.deliveries.giveUp(webhook.id);
  else if (reason !== null) disable(outbox, webhook, reason, nowMs);
  else disableFailing(outbox, webhook, nowMs);
}

/** A try that is about to be made: a crash goes on with the next one. The last of all is not forgotten. */
export function recordBegun(
  outbox: Outbox,
  { delivery, from }: Task,
  { random, nowMs }: Pick<Progress, "random" | "nowMs">,
): void {
  const webhook = outbox.webhooks.find(delivery.webhookId);
  if (webhook === null || !webhook.enabled) return;
  const firstTryAtMs = delivery.firstTryAtMs ?? nowMs;
  const made = madeSince(firstTryAtMs, delivery.attempts) + 1;
  const nextTryAtMs = nextTryMs({ firstMs: firstTryAtMs, made }, nowMs, random());
  if (nextTryAtMs === null) return;
  const tries = delivery.tries + 1;
  outbox.deliveries.write({ ...delivery, state: "pending", firstTryAtMs, nextTryAtMs, tries });
  if (from === "fresh" && delivery.eventId > webhook.ahead) {
    outbox.webhooks.write({ ...webhook, ahead: outbox.events.last() });
  }
}

const disablingOf = (results: readonly Result[]): DisabledReason | null => {
  if (results.some(({ attempt }) => attempt.status === GONE)) return "gone";
  return results.some(({ control }) => control === "disable") ? "receiver" : null;
};

/**
 * It is well again: what failed in this outage is due. What had failed before, while others were
 * accepted, keeps to its schedule.
 */
function release(outbox: Outbox, { id, failingSinceMs }: Webhook, nowMs: number): void {
  if (failingSinceMs === null) return;
  outbox.deliveries.release(id, nowMs, ({ firstTryAtMs, attempts }) => {
    const last = attempts.at(-1);
    const isOfOutage = firstTryAtMs !== null && firstTryAtMs >= failingSinceMs;
    return isOfOutage && last !== undefined && isOutage(last);
  });
}

/** Its owner says, or has shown, that it is well: all that waits is due, whatever it failed with. */
export function resume(outbox: Outbox, webhook: Webhook, nowMs: number): Webhook {
  outbox.deliveries.release(webhook.id, nowMs, () => true);
  return { ...webhook, ...WELL };
}

export const isPastFailing = ({ enabled, failingSinceMs }: Webhook, nowMs: number): boolean =>
  enabled && failingSinceMs !== null && nowMs >= failingSinceMs + MOST_FAILING_MS;

/** Five days without a success, since the first failure after the last one. */
export function disableFailing(outbox: Outbox, webhook: Webhook, nowMs: number): void {
  if (isPastFailing(webhook, nowMs)) disable(outbox, webhook, "failing", nowMs);
}

/** Pending deliveries are left for a replay; an event is recorded for the other endpoints. */
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
  { task, attempt, notBeforeMs }: Result,
  { random, nowMs }: Pick<Progress, "random" | "nowMs">,
): Delivery {
  const { delivery } = task;
  const firstTryAtMs = delivery.firstTryAtMs ?? attempt.atMs;
  const attempts = [...delivery.attempts, attempt];
  const tries = delivery.tries + 1;
  const tried = { ...delivery, firstTryAtMs, attempts, tries, nextTryAtMs: null };
  if (attempt.error === null) return { ...tried, state: "delivered" };
  const nextMs = nextOf({ firstTryAtMs, attempts }, { random, nowMs });
  if (nextMs === null) return { ...tried, state: "failed" };
  return { ...tried, state: "pending", nextTryAtMs: Math.max(nextMs, notBeforeMs ?? 0) };
}

const madeSince = (firstTryAtMs: number, attempts: readonly Attempt[]): number =>
  attempts.filter(({ atMs }) => atMs >= firstTryAtMs).length;

function nextOf(
  { firstTryAtMs, attempts }: { firstTryAtMs: number; attempts: readonly Attempt[] },
  { random, nowMs }: Pick<Progress, "random" | "nowMs">,
): number | null {
  const error = attempts.at(-1)?.error;
  if (error === "object_gone" || error === "aborted") return null;
  const made = madeSince(firstTryAtMs, attempts);
  return nextTryMs({ firstMs: firstTryAtMs, made }, nowMs, random());
}

/** Given up, though there is something to tell; what tells of that is not told of itself. */
function isExhausted({ task, attempt }: Result, { state }: Delivery): boolean {
  const type = task.event?.type ?? TEST_EVENT;
  if (state !== "failed" || attempt.error === "object_gone") return false;
  return type !== EXHAUSTED_EVENT && type !== TEST_EVENT;
}

function tellExhausted(outbox: Outbox, { task }: Result, delivery: Delivery, nowMs: number): void {
  const view = viewOf(delivery, { event: task.event, nextAttemptMs: null });
  const data = deliveryObject(view, { replies: false });
  const happening = { type: EXHAUSTED_EVENT, subject: null, decision: null, data } as const;
  outbox.record(happening, nowMs);
}

/** The cursor and the replay move past what was done without a gap. */
function moved(webhook: Webhook, { results, reached, open, replay }: Progress): Webhook {
  const [firstOpen] = open.toSorted();
  const done = results
    .filter(({ task }) => task.from === "fresh" || task.from === "probe")
    .map(({ task }) => task.delivery.eventId);
  const cursor =
    firstOpen === undefined
      ? reached
      : done.filter((id) => id < firstOpen).reduce((most, id) => later(most, id), webhook.cursor);
  const position = later(cursor, webhook.cursor);
  const ahead = [reached, ...done].reduce((most, id) => later(most, id), webhook.ahead);
  return {
    ...webhook,
    // If it was enabled meanwhile, it began anew, further on.
    cursor: position,
    ahead: ahead > position ? ahead : "",
    replay: replayAfter(webhook, replay),
  };
}

const later = (one: string, other: string): string => (one > other ? one : other);

function replayAfter({ replay }: Webhook, progress: Progress["replay"]): Replay | null {
  // Another replay was requested meanwhile: it stays as it is.
  if (progress === null || replay === null || replay.after !== progress.begin.after) return replay;
  return progress.end;
}
