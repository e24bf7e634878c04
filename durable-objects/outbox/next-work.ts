import { type RecordedEvent, wants } from "../../src/domain/event.ts";
import type { Delivery } from "./delivery-store.ts";
import { deliveryIdOf } from "./event-id.ts";
import type { Outbox } from "./outbox.ts";
import type { Replay, Webhook } from "./webhook-store.ts";

// What is to be delivered to an endpoint next: first what waits for another try, then the events
// after its cursor, then those of a replay. An endpoint that fails is asked one thing at a time.

/** Deliveries between two commits: what a crash could make a receiver see twice. */
const MAX_BATCH = 32;

/** Events looked at for one batch. */
const MAX_SCAN = 200;

/**
 * Deliveries of an endpoint that may wait for another try. While there are so many, the events after
 * its cursor wait there, and take no row: however long an endpoint is away, a bounded number of
 * deliveries is on the schedule.
 */
const MAX_WAITING = 100;

/** One event more is tried every so often even then: how else would a recovery be seen soon? */
const PROBE_EVERY_MS = 300_000;

export interface Task {
  /** Null: it is not stored any more. */
  readonly event: RecordedEvent | null;
  /** As it is before this try. */
  readonly delivery: Delivery;
  /** Which of the three lists it was taken from: it moves on when the task is done. */
  readonly from: "waiting" | "cursor" | "replay";
}

export interface Work {
  readonly webhook: Webhook;
  readonly tasks: readonly Task[];
  /** Where the cursor and the replay stand when all tasks are done. */
  readonly cursor: string;
  readonly replay: Replay | null;
}

/**
 * Null: nothing is due.
 *
 * @param room attempts that still fit into this minute
 */
export function nextWork(
  outbox: Outbox,
  webhook: Webhook,
  { nowMs, room }: { readonly nowMs: number; readonly room: number },
): Work | null {
  if (!webhook.enabled || webhook.notBeforeMs > nowMs || room <= 0) return null;
  const work =
    webhook.failingSinceMs === null
      ? nextBatch(outbox, webhook, { nowMs, most: Math.min(MAX_BATCH, room) })
      : nextProbe(outbox, webhook, nowMs);
  if (work.tasks.length > 0 || work.replay?.after !== webhook.replay?.after) return work;
  outbox.webhooks.pass(webhook.id, work.cursor);
  // There is more to pass over: that much is written, so that it is not read again.
  return outbox.events.last() > work.cursor && work.cursor > webhook.cursor ? work : null;
}

function nextBatch(
  outbox: Outbox,
  webhook: Webhook,
  { nowMs, most }: { readonly nowMs: number; readonly most: number },
): Work {
  const waiting = waitingTasks(outbox, webhook, nowMs, most);
  const fresh = freshTasks(outbox, webhook, most - waiting.length);
  const room = most - waiting.length - fresh.tasks.length;
  const again = replayTasks(outbox, webhook, room);
  const tasks = [...waiting, ...fresh.tasks, ...again.tasks];
  return { webhook, tasks, cursor: fresh.cursor, replay: again.replay };
}

/** Whichever is due first: one that waits, or the next event. */
function nextProbe(outbox: Outbox, webhook: Webhook, nowMs: number): Work {
  const { replay } = webhook;
  const [waiting] = waitingTasks(outbox, webhook, nowMs, 1);
  const fresh = freshTasks(outbox, webhook, freshDueMs(outbox, webhook) <= nowMs ? 1 : 0);
  const [next] = fresh.tasks;
  const isNextFirst =
    waiting === undefined ||
    (next !== undefined && (next.event?.createdAtMs ?? 0) < (waiting.delivery.nextTryAtMs ?? 0));
  if (isNextFirst) return { webhook, ...fresh, replay };
  return { webhook, tasks: [waiting], cursor: webhook.cursor, replay };
}

/** When an endpoint may be sent what it was never sent. */
const freshDueMs = (outbox: Outbox, { id, failingSinceMs, lastTryAtMs }: Webhook): number =>
  failingSinceMs !== null && outbox.deliveries.pending(id).count >= MAX_WAITING
    ? lastTryAtMs + PROBE_EVERY_MS
    : 0;

/** When there is work for an endpoint; null: not before something happens. */
export function workDueMs(outbox: Outbox, webhook: Webhook): number | null {
  if (!webhook.enabled) return null;
  const due = [outbox.deliveries.pending(webhook.id).nextMs];
  const isBehind = outbox.events.last() > outbox.webhooks.position(webhook);
  if (isBehind) due.push(freshDueMs(outbox, webhook));
  if (webhook.failingSinceMs === null && webhook.replay !== null) due.push(0);
  const known = due.filter((dueMs) => dueMs !== null);
  return known.length === 0 ? null : Math.max(webhook.notBeforeMs, Math.min(...known));
}

const waitingTasks = (outbox: Outbox, { id }: Webhook, nowMs: number, limit: number): Task[] =>
  outbox.deliveries
    .listPending(id, limit)
    .filter(({ nextTryAtMs }) => nextTryAtMs !== null && nextTryAtMs <= nowMs)
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
    .map((delivery) => ({
      event: outbox.events.read(delivery.eventId),
      delivery,
      from: "waiting",
    }));

function freshTasks(
  outbox: Outbox,
  webhook: Webhook,
  limit: number,
): { readonly tasks: Task[]; readonly cursor: string } {
  const tasks: Task[] = [];
  let cursor = outbox.webhooks.position(webhook);
  if (outbox.events.last() <= cursor) return { tasks, cursor };
  for (const event of outbox.events.listAfter(cursor, MAX_SCAN)) {
    if (wants(webhook, event)) {
      if (tasks.length >= limit) break;
      tasks.push({ event, delivery: unsent(webhook, event.id), from: "cursor" });
    }
    cursor = event.id;
  }
  return { tasks, cursor };
}

function replayTasks(
  outbox: Outbox,
  webhook: Webhook,
  limit: number,
): { readonly tasks: Task[]; readonly replay: Replay | null } {
  const tasks: Task[] = [];
  let { replay } = webhook;
  if (replay === null) return { tasks, replay };
  const { before, only } = replay;
  const scanned = outbox.events.listAfter(replay.after, MAX_SCAN);
  for (const event of scanned) {
    if (event.id >= before) return { tasks, replay: null };
    if (wants(webhook, event)) {
      const delivery = outbox.deliveries.of(webhook, event.id) ?? unsent(webhook, event.id);
      const isAsked = only === "all" ? delivery.state !== "pending" : delivery.state === "failed";
      if (isAsked) {
        if (tasks.length >= limit) return { tasks, replay };
        tasks.push({ event, delivery: { ...delivery, firstTryAtMs: null }, from: "replay" });
      }
    }
    replay = { ...replay, after: event.id };
  }
  return { tasks, replay: scanned.length < MAX_SCAN ? null : replay };
}

/** An event that was never sent to this endpoint. */
const unsent = (webhook: Webhook, eventId: string): Delivery => ({
  id: deliveryIdOf(eventId, webhook.slot),
  webhookId: webhook.id,
  eventId,
  state: "failed",
  firstTryAtMs: null,
  nextTryAtMs: null,
  attempts: [],
});
