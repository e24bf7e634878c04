import { deliveriesAMinute, MOST_FAILING_MS } from "../../src/domain/delivery.ts";
import type { Attempted, Target } from "./attempt.ts";
import { Connections } from "./connections.ts";
import { nextWork, type Task, type Work, workDueMs } from "./next-work.ts";
import type { Outbox } from "./outbox.ts";
import { disableFailing, failedThere, recordResults, type Result } from "./record-results.ts";
import type { Message } from "./sign-delivery.ts";
import type { Webhook } from "./webhook-store.ts";

// Delivers what is due. Each endpoint that has work has a loop of its own: take some, try it, write
// down what became of it, until nothing is due. So no endpoint waits for another's, but for a
// connection. What is in flight when the object dies was not written down: it is sent again, under
// the same `webhook-id`.

/** After an event, so that those of one moment go out in one batch. */
export const GATHER_MS = 100;

/** When somebody must look whether loops that run still do: the object may have died. */
const WATCH_MS = 20_000;

/** After a loop that threw, which storage alone makes it do, or was denied its requests. */
const PAUSE_MS = 30_000;

/** A batch ends after so long, so that what it did is soon written down. */
const BATCH_MS = 5000;

/** An endpoint that took longer than this is a slow one, until it does not. */
const SLOW_MS = 2000;

/** Attempts at once to an endpoint that is well. */
const LANES = 2;

export interface CourierOptions {
  /** One transaction of the object, at its time. */
  readonly transact: (work: (nowMs: number) => void) => void;
  readonly wallMs: () => number;
  readonly attempt: (target: Target, message: Message) => Promise<Attempted>;
  /** At least 0, less than 1: jitter. */
  readonly random: () => number;
  /** Attempts to one endpoint in any rolling minute; absent: as to the platform's. */
  readonly mostAMinute?: () => number;
  /** A loop has ended: something else may be due next. */
  readonly onRest: () => void;
  readonly report: (error: unknown) => void;
}

export class Courier {
  readonly #outbox: Outbox;
  readonly #options: CourierOptions;
  readonly #connections = new Connections();
  readonly #loops = new Map<string, Promise<void>>();
  readonly #slow = new Set<string>();
  #pausedUntilMs = 0;

  constructor(outbox: Outbox, options: CourierOptions) {
    this.#outbox = outbox;
    this.#options = options;
  }

  /** Whether it is delivering. */
  get isBusy(): boolean {
    return this.#loops.size > 0;
  }

  /** Begins with every endpoint that has work due and is not being served. */
  wake(): void {
    const nowMs = this.#options.wallMs();
    if (nowMs < this.#pausedUntilMs) return;
    for (const webhook of this.#outbox.webhooks.all()) {
      const dueMs = this.#loops.has(webhook.id) ? null : this.#workDueMs(webhook);
      if (dueMs === null || dueMs > nowMs) continue;
      this.#loops.set(webhook.id, this.#run(webhook.id));
    }
  }

  /** Resolves when nothing is being delivered. */
  async rest(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- until none has begun meanwhile
    while (this.isBusy) await Promise.all(this.#loops.values());
  }

  /** When `wake` is needed next; null: not before something happens. */
  nextDueMs(): number | null {
    const nowMs = this.#options.wallMs();
    const due = this.#outbox.webhooks.all().map((webhook) => {
      if (this.#loops.has(webhook.id)) return nowMs + WATCH_MS;
      const dueMs = this.#workDueMs(webhook);
      return dueMs === null ? null : Math.max(dueMs, nowMs + GATHER_MS, this.#pausedUntilMs);
    });
    const known = due.filter((dueMs) => dueMs !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  /**
   * A delivery outside the schedule, for who tries an endpoint. It takes its turn like any other, and
   * is not made where the minute's are.
   */
  async try(webhook: Webhook, task: Task): Promise<Attempted> {
    if (this.#room(webhook) <= 0) return { kind: "not_made" };
    return this.#connections.use(true, () => this.#attempt(webhook, task));
  }

  #mostAMinute(): number {
    return this.#options.mostAMinute?.() ?? deliveriesAMinute();
  }

  #room(webhook: Webhook): number {
    return this.#outbox.webhooks.room(webhook, this.#mostAMinute(), this.#options.wallMs());
  }

  #workDueMs(webhook: Webhook): number | null {
    const { enabled, failingSinceMs } = webhook;
    const readyMs = workDueMs(this.#outbox, webhook);
    const nowMs = this.#options.wallMs();
    const roomMs = this.#outbox.webhooks.roomAtMs(webhook, this.#mostAMinute(), nowMs);
    // Without a limit in the way it is as it was: what is due at once says 0.
    const workMs = readyMs === null || roomMs <= nowMs ? readyMs : Math.max(readyMs, roomMs);
    const endMs = enabled && failingSinceMs !== null ? failingSinceMs + MOST_FAILING_MS : null;
    return workMs === null || endMs === null ? (workMs ?? endMs) : Math.min(workMs, endMs);
  }

  async #run(id: string): Promise<void> {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one batch after the other
      while (await this.#serve(id));
    } catch (error) {
      this.#pausedUntilMs = this.#options.wallMs() + PAUSE_MS;
      this.#options.report(error);
    } finally {
      this.#loops.delete(id);
      this.#options.onRest();
    }
  }

  /** One batch; false: nothing is due. */
  async #serve(id: string): Promise<boolean> {
    const { transact, random, wallMs } = this.#options;
    await Promise.resolve();
    const found = this.#outbox.webhooks.find(id);
    if (found === null) return false;
    const { failingSinceMs } = found;
    if (failingSinceMs !== null && failingSinceMs + MOST_FAILING_MS <= wallMs()) {
      transact((nowMs) => disableFailing(this.#outbox, found, nowMs));
      return false;
    }
    const room = this.#room(found);
    const work = nextWork(this.#outbox, found, { nowMs: wallMs(), room });
    if (work === null) return false;
    // While much is left of the minute, what a crash forgets is of no consequence, and no row.
    if (room - work.tasks.length < this.#mostAMinute() / 2) {
      transact((nowMs) => this.#outbox.webhooks.writeAhead(found, work.tasks.length, nowMs));
    }
    const results = await this.#deliver(work);
    transact((nowMs) => recordResults(this.#outbox, work, { results, random, nowMs }));
    if (results.length > 0 || work.tasks.length === 0) return true;
    this.#pausedUntilMs = wallMs() + PAUSE_MS;
    return false;
  }

  /** As far as it gets: nothing new is begun after a failure. */
  async #deliver({ webhook, tasks }: Work): Promise<Result[]> {
    const results: Result[] = [];
    const endMs = this.#options.wallMs() + BATCH_MS;
    let at = 0;
    let isOver = false;
    const lane = async (): Promise<void> => {
      while (!isOver && this.#options.wallMs() < endMs) {
        const task = tasks[at];
        if (task === undefined) return;
        at += 1;
        const isSlow = webhook.failingSinceMs !== null || this.#slow.has(webhook.id);
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const attempted = await this.#connections.use(isSlow, () => this.#attempt(webhook, task));
        if (attempted.kind === "attempted") results.push({ task, ...attempted });
        isOver ||= attempted.kind === "not_made" || failedThere(attempted.attempt);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return results;
  }

  async #attempt(webhook: Webhook, task: Task): Promise<Attempted> {
    const { attempt, wallMs } = this.#options;
    const object = task.event === null ? null : this.#outbox.objectOf(task.event);
    if (object === null) {
      const gone = { atMs: wallMs(), status: null, error: "object_gone", latencyMs: 0 } as const;
      return { kind: "attempted", attempt: gone, notBeforeMs: null };
    }
    this.#outbox.webhooks.countSent(webhook, wallMs());
    const { secret, oldSecret, url } = webhook;
    const isOverlap = oldSecret !== null && oldSecret.untilMs > wallMs();
    const secrets = isOverlap ? [secret, oldSecret.secret] : [secret];
    const attempted = await attempt(
      { url, secrets },
      { id: object.id, body: JSON.stringify(object) },
    );
    if (attempted.kind === "attempted") {
      if (attempted.attempt.latencyMs > SLOW_MS) this.#slow.add(webhook.id);
      else this.#slow.delete(webhook.id);
    }
    return attempted;
  }
}
