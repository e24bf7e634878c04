import type { Replay, Webhook } from "../../src/domain/webhooks/webhook.ts";
import {
  isDown,
  LEAST_GAP_MS,
  OLD_SHARE,
  probeGapMs,
  type Delivery,
} from "../../src/domain/webhooks/delivery.ts";
import { type RecordedEvent, wants } from "../../src/domain/webhooks/event.ts";
import { ASKED_FOR } from "./delivery-store.ts";
import { deliveryIdOf } from "./event-id.ts";
import type { Outbox } from "./outbox.ts";

// What is to be delivered to an endpoint next. New events come first and have most of the places; what
// waits for another try has its own time, and a replay what is left. An endpoint that is down, and one
// that wants its events in order, is asked one thing at a time.

/** Deliveries that are planned at once. */
const MAX_BATCH = 32;

/** Events looked at for one batch. */
const MAX_SCAN = 200;

/**
 * Deliveries of an endpoint that is down that may wait for another try. While there are so many, the
 * events after its cursor wait there, and take no row: however long an endpoint is away, a bounded
 * number of deliveries is on the schedule.
 */
const MAX_WAITING = 100;

export interface Task {
  /** Null: it is not stored any more. */
  readonly event: RecordedEvent | null;
  /** As it is before this try. */
  readonly delivery: Delivery;
  /**
   * `fresh`: it was never tried. `waiting`: another try. `replay`: of a replay. `probe`: a new one that
   * is tried out of its turn, and remembered only if it is accepted.
   */
  readonly from: "fresh" | "waiting" | "replay" | "probe";
  /** Of a fresh one: all events up to this id were looked at before it. */
  readonly after: string;
}

export interface Work {
  readonly tasks: readonly Task[];
  /** All events up to this id are done when the tasks are. */
  readonly reached: string;
  /** Where the replay stands when all tasks are done. */
  readonly replay: Replay | null;
  /** It was to see whether an endpoint that is down is well again. */
  readonly isProbe: boolean;
}

/** The dispatcher's state of an endpoint, beside what is stored. */
export interface Moment {
  readonly nowMs: number;
  /** Attempts that still fit into this minute, and how many of them may be retries and replays. */
  readonly room: number;
  readonly oldRoom: number;
  /** Events up to this id are done, or on their way. */
  readonly reached: string;
  /** Ids of deliveries that are on their way or not written down yet. */
  readonly busy: ReadonlySet<string>;
  /** A replay is on its way. */
  readonly isReplaying: boolean;
  /** When it was last probed; 0: not that we know. */
  readonly probedMs: number;
}

/** Null: nothing is due. */
export function nextWork(outbox: Outbox, webhook: Webhook, moment: Moment): Work | null {
  if (!webhook.enabled || moment.room <= 0) return null;
  const work = planned(outbox, webhook, moment);
  if (work === null || work.tasks.length > 0) return work;
  if (work.replay?.after !== webhook.replay?.after) return work;
  // Nothing of it was wanted, but there may be more.
  return work.reached > moment.reached ? work : null;
}

function planned(outbox: Outbox, webhook: Webhook, moment: Moment): Work | null {
  const nothing = { tasks: [], reached: moment.reached, replay: webhook.replay, isProbe: false };
  const isAlone = isDown(webhook, webhook) || webhook.ordered;
  if (isAlone && moment.busy.size > 0) return null;
  if (webhook.notBeforeMs > moment.nowMs) {
    const asked = waitingTasks(outbox, webhook, moment, MAX_BATCH).filter(isAskedFor);
    return { ...nothing, tasks: isAlone ? asked.slice(0, 1) : asked };
  }
  if (webhook.ordered) return nextInOrder(outbox, webhook, moment);
  return isDown(webhook, webhook)
    ? nextProbe(outbox, webhook, moment)
    : nextBatch(outbox, webhook, moment);
}

const isAskedFor = ({ delivery }: Task): boolean => delivery.nextTryAtMs === ASKED_FOR;

function nextBatch(outbox: Outbox, webhook: Webhook, moment: Moment): Work {
  const most = Math.min(MAX_BATCH, moment.room);
  const fresh = freshTasks(outbox, webhook, moment.reached, most);
  const places = Math.max(Math.floor(most * OLD_SHARE), most - fresh.tasks.length);
  const old = Math.min(places, Math.max(0, moment.oldRoom));
  const waiting = waitingTasks(outbox, webhook, moment, old);
  const taken = fresh.tasks.slice(0, most - waiting.length);
  const again = moment.isReplaying
    ? { tasks: [], replay: webhook.replay }
    : replayTasks(
        outbox,
        webhook,
        Math.min(old - waiting.length, most - waiting.length - taken.length),
      );
  return {
    tasks: [...taken, ...waiting, ...again.tasks],
    reached: fresh.tasks[taken.length]?.after ?? fresh.reached,
    replay: again.replay,
    isProbe: false,
  };
}

/** What waits, then what is new, then a replay: each only when nothing is before it. */
function nextInOrder(outbox: Outbox, webhook: Webhook, moment: Moment): Work {
  const nothing = { tasks: [], reached: moment.reached, replay: webhook.replay, isProbe: false };
  if (outbox.deliveries.pending(webhook.id).count > 0) {
    const due = waitingTasks(outbox, webhook, moment, 1);
    if (due.length > 0 || !isProbeDue(webhook, moment)) return { ...nothing, tasks: due };
    const [head] = leastRecent(outbox, webhook, moment);
    return { ...nothing, tasks: head === undefined ? [] : [head], isProbe: true };
  }
  const fresh = freshTasks(outbox, webhook, moment.reached, 1);
  if (fresh.tasks.length > 0) return { ...nothing, ...fresh };
  return { ...nothing, reached: fresh.reached, ...replayTasks(outbox, webhook, 1) };
}

/**
 * One thing: a probe every so often, else what waits and is due, else the next event while not too many
 * wait. A probe is the newest event: what is old may be what the receiver cannot take.
 */
function nextProbe(outbox: Outbox, webhook: Webhook, moment: Moment): Work {
  const { reached } = moment;
  const nothing = { tasks: [], reached, replay: webhook.replay, isProbe: false };
  const [waiting] = waitingTasks(outbox, webhook, moment, 1);
  if (waiting !== undefined && isAskedFor(waiting)) return { ...nothing, tasks: [waiting] };
  const isFull = outbox.deliveries.pending(webhook.id).count >= MAX_WAITING;
  if (isProbeDue(webhook, moment)) {
    const [probe] = [
      ...newest(outbox, webhook, moment, isFull),
      ...leastRecent(outbox, webhook, moment),
    ];
    if (probe !== undefined) return { ...nothing, tasks: [probe], isProbe: true };
  }
  if (waiting !== undefined) return { ...nothing, tasks: [waiting] };
  return isFull ? nothing : { ...nothing, ...freshTasks(outbox, webhook, reached, 1) };
}

const isProbeDue = (webhook: Webhook, { probedMs, nowMs }: Moment): boolean =>
  isDown(webhook, webhook) && nowMs >= probeDueMs(webhook, probedMs, nowMs);

const probeDueMs = ({ failingSinceMs }: Webhook, probedMs: number, nowMs: number): number =>
  probedMs + probeGapMs(failingSinceMs ?? nowMs, nowMs);

/** The newest event that it was not sent, of the last ones. */
function newest(
  outbox: Outbox,
  webhook: Webhook,
  { reached }: Moment,
  isFull: boolean,
): readonly Task[] {
  if (outbox.events.last() <= reached) return [];
  const event = outbox.events
    .listLatest(reached, MAX_SCAN)
    .find((each) => wants(webhook, each) && outbox.deliveries.of(webhook, each.id) === null);
  if (event === undefined) return [];
  const from = isFull ? "probe" : "fresh";
  return [{ event, delivery: unsent(webhook, event.id), from, after: reached }];
}

const lastMs = ({ attempts }: Delivery): number => attempts.at(-1)?.atMs ?? 0;

/** Of those that failed in this outage, the one that was tried longest ago. */
function leastRecent(outbox: Outbox, webhook: Webhook, { nowMs }: Moment): readonly Task[] {
  const since = webhook.failingSinceMs ?? nowMs;
  return outbox.deliveries
    .listPending(webhook.id, MAX_WAITING)
    .filter(({ firstTryAtMs }) => firstTryAtMs !== null && firstTryAtMs >= since)
    .filter((delivery) => lastMs(delivery) + LEAST_GAP_MS <= nowMs)
    .toSorted((one, other) => lastMs(one) - lastMs(other))
    .slice(0, 1)
    .map((delivery) => waitingTask(outbox, delivery));
}

/**
 * When there is work for an endpoint; null: not before something happens.
 *
 * @param oldRoomAtMs when a retry or a replay fits into the minute
 */
export function workDueMs(
  outbox: Outbox,
  webhook: Webhook,
  { nowMs, probedMs, oldRoomAtMs }: Pick<Moment, "nowMs" | "probedMs"> & { oldRoomAtMs: number },
): number | null {
  if (!webhook.enabled) return null;
  const { count, nextMs } = outbox.deliveries.pending(webhook.id);
  if (nextMs === ASKED_FOR) return ASKED_FOR;
  const isBehind = outbox.events.last() > outbox.webhooks.position(webhook);
  const isProbed = isDown(webhook, webhook) && (isBehind || count > 0);
  const most = webhook.ordered ? 1 : isDown(webhook, webhook) ? MAX_WAITING : Infinity;
  const isBlocked = count >= most;
  // Without a limit in the way it is as it was: what is due at once says 0.
  const old = (dueMs: number): number =>
    isProbed || oldRoomAtMs <= nowMs ? dueMs : Math.max(dueMs, oldRoomAtMs);
  const due = [
    nextMs === null ? null : old(nextMs),
    isBehind && !isBlocked ? 0 : null,
    isProbed ? probeDueMs(webhook, probedMs, nowMs) : null,
    webhook.replay !== null && !isProbed && !isBlocked ? old(0) : null,
  ].filter((dueMs) => dueMs !== null);
  return due.length === 0 ? null : Math.max(webhook.notBeforeMs, Math.min(...due));
}

const waitingTask = (outbox: Outbox, delivery: Delivery): Task => ({
  event: outbox.events.read(delivery.eventId),
  delivery,
  from: "waiting",
  after: "",
});

const waitingTasks = (
  outbox: Outbox,
  { id }: Webhook,
  { nowMs, busy }: Moment,
  limit: number,
): Task[] =>
  limit <= 0
    ? []
    : outbox.deliveries
        .listPending(id, limit + busy.size)
        .filter(({ nextTryAtMs }) => nextTryAtMs !== null && nextTryAtMs <= nowMs)
        .filter((delivery) => !busy.has(delivery.id))
        .slice(0, limit)
        .toSorted((one, other) => (one.id < other.id ? -1 : 1))
        .map((delivery) => waitingTask(outbox, delivery));

function freshTasks(
  outbox: Outbox,
  webhook: Webhook,
  from: string,
  limit: number,
): { readonly tasks: Task[]; readonly reached: string } {
  const tasks: Task[] = [];
  let reached = from;
  if (outbox.events.last() <= reached) return { tasks, reached };
  for (const event of outbox.events.listAfter(reached, MAX_SCAN)) {
    const isWanted = wants(webhook, event);
    const isDone = event.id <= webhook.ahead && outbox.deliveries.of(webhook, event.id) !== null;
    if (isWanted && !isDone) {
      if (tasks.length >= limit) break;
      tasks.push({ event, delivery: unsent(webhook, event.id), from: "fresh", after: reached });
    }
    reached = event.id;
  }
  return { tasks, reached };
}

function replayTasks(
  outbox: Outbox,
  webhook: Webhook,
  limit: number,
): { readonly tasks: Task[]; readonly replay: Replay | null } {
  const tasks: Task[] = [];
  let { replay } = webhook;
  if (replay === null || limit <= 0) return { tasks, replay };
  const { before, only } = replay;
  const scanned = outbox.events.listAfter(replay.after, MAX_SCAN);
  for (const event of scanned) {
    if (event.id >= before) return { tasks, replay: null };
    if (wants(webhook, event)) {
      const delivery = outbox.deliveries.of(webhook, event.id) ?? unsent(webhook, event.id);
      const isAsked = only === "all" ? delivery.state !== "pending" : delivery.state === "failed";
      if (isAsked) {
        if (tasks.length >= limit) return { tasks, replay };
        const again = { ...delivery, firstTryAtMs: null };
        tasks.push({ event, delivery: again, from: "replay", after: "" });
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
  tries: 0,
});
