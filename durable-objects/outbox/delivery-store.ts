import type { Webhook } from "../../src/domain/webhooks/webhook.ts";
import {
  type Attempt,
  type DeliveryState,
  LEAST_GAP_MS,
  type Delivery,
} from "../../src/domain/webhooks/delivery.ts";
import type { Database } from "../database.ts";
import { deliveryIdOf, firstDeliveryIdAt, partsOfDelivery } from "./event-id.ts";

export interface DeliveryQuery {
  readonly webhookId: string;
  /** Deliveries before this id, newest first. */
  readonly before: string | null;
  /** Null: all. */
  readonly state: DeliveryState | null;
  readonly limit: number;
}

interface Pending {
  /** At most `MAX_COUNTED_PENDING`. */
  readonly count: number;
  /** When the first of them is due. */
  readonly nextMs: number | null;
}

/** A delivery that its owner wants now, before all others, even if the endpoint asked for time. */
export const ASKED_FOR = 0;

/** A whole schedule, and one that was replayed after it. */
const MAX_ATTEMPTS_KEPT = 20;

/** Rows of one step: what waits beyond that keeps to its schedule. */
const MAX_RELEASED = 500;
const MAX_GIVEN_UP = 1000;

/** Rows looked at for one page, so that a state that few are in costs a bounded amount. */
const MAX_SCAN = 2000;

/** How many there are is asked for a bound of a hundred: more are not counted. */
const MAX_COUNTED_PENDING = 200;

/** A gauge that says this says enough; the partial index of each state makes it no more rows. */
const MAX_COUNTED = 10_000;

/** Sorts after every id. */
const AFTER_ALL = "~";

type DeliveryRow = {
  webhook_id: string;
  id: string;
  state: DeliveryState;
  first_try_at_ms: number | null;
  next_try_at_ms: number | null;
  attempts: string;
  tries: number;
};

type AttemptTuple = readonly [
  atMs: number,
  status: number | null,
  error: Attempt["error"],
  latencyMs: number,
  reply?: string,
];

export class DeliveryStore {
  readonly #db: Database;
  /** Of each endpoint: read with every commit. */
  readonly #pending = new Map<string, Pending>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.#pending.clear();
  }

  write(delivery: Delivery): void {
    const kept = delivery.attempts.slice(-MAX_ATTEMPTS_KEPT);
    this.#db.run(
      `INSERT OR REPLACE INTO deliveries (webhook_id, id, state, first_try_at_ms, next_try_at_ms,
        attempts, tries) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      delivery.webhookId,
      delivery.id,
      delivery.state,
      delivery.firstTryAtMs,
      delivery.nextTryAtMs,
      JSON.stringify(kept.map(toTuple)),
      delivery.tries,
    );
    this.#pending.delete(delivery.webhookId);
  }

  read(webhookId: string, id: string): Delivery | null {
    const [row] = this.#db.run<DeliveryRow>(
      "SELECT * FROM deliveries WHERE webhook_id = ? AND id = ?",
      webhookId,
      id,
    );
    return row === undefined ? null : toDelivery(row);
  }

  /** The one of an event to an endpoint. */
  of(webhook: Webhook, eventId: string): Delivery | null {
    return this.read(webhook.id, deliveryIdOf(eventId, webhook.slot));
  }

  /** Those of an endpoint that wait for another try. */
  pending(webhookId: string): Pending {
    const known = this.#pending.get(webhookId);
    if (known !== undefined) return known;
    const [row] = this.#db.run<{ count: number; next_ms: number | null }>(
      `SELECT COUNT(*) AS count, MIN(next_try_at_ms) AS next_ms FROM (
        SELECT next_try_at_ms FROM deliveries WHERE webhook_id = ? AND state = 'pending'
          ORDER BY next_try_at_ms LIMIT ${MAX_COUNTED_PENDING})`,
      webhookId,
    );
    const pending = { count: row?.count ?? 0, nextMs: row?.next_ms ?? null };
    this.#pending.set(webhookId, pending);
    return pending;
  }

  /** Those that did not arrive, over all endpoints; of each kind at most `MAX_COUNTED`. */
  counts(): { readonly waiting: number; readonly failed: number } {
    const of = (state: "pending" | "failed"): number =>
      this.#db.run<{ count: number }>(
        `SELECT COUNT(*) AS count FROM (
          SELECT 1 FROM deliveries WHERE state = '${state}' LIMIT ${MAX_COUNTED})`,
      )[0]?.count ?? 0;
    return { waiting: of("pending"), failed: of("failed") };
  }

  /** Those to be tried again, the first one that is due first. */
  listPending(webhookId: string, limit: number): Delivery[] {
    return this.#db
      .run<DeliveryRow>(
        `SELECT * FROM deliveries WHERE webhook_id = ? AND state = 'pending'
          ORDER BY next_try_at_ms, id LIMIT ?`,
        webhookId,
        limit,
      )
      .map(toDelivery);
  }

  delete(webhookId: string, id: string): void {
    this.#db.run("DELETE FROM deliveries WHERE webhook_id = ? AND id = ?", webhookId, id);
    this.#pending.delete(webhookId);
  }

  /**
   * The endpoint is well again: what waits is due, or will be as soon as the least gap allows.
   *
   * @param isOf what is released of those that wait
   */
  release(webhookId: string, nowMs: number, isOf: (waiting: Delivery) => boolean): void {
    for (const delivery of this.listPending(webhookId, MAX_RELEASED).filter(isOf)) {
      const dueMs = Math.max(nowMs, (delivery.attempts.at(-1)?.atMs ?? 0) + LEAST_GAP_MS);
      if (dueMs < (delivery.nextTryAtMs ?? 0)) this.write({ ...delivery, nextTryAtMs: dueMs });
    }
  }

  /**
   * The endpoint is disabled: what waits does so for a replay, so many at a time; true when there may be
   * more.
   */
  giveUp(webhookId: string): boolean {
    const { length } = this.#db.run(
      `UPDATE deliveries SET state = 'failed', next_try_at_ms = NULL
        WHERE webhook_id = ? AND id IN (SELECT id FROM deliveries
          WHERE webhook_id = ? AND state = 'pending' ORDER BY next_try_at_ms LIMIT ?)
        RETURNING 1 AS given`,
      webhookId,
      webhookId,
      MAX_GIVEN_UP,
    );
    this.#pending.delete(webhookId);
    return length === MAX_GIVEN_UP;
  }

  /** Newest first; the scan is bounded: a page may hold fewer and still name where to go on. */
  list(query: DeliveryQuery): {
    readonly deliveries: readonly Delivery[];
    readonly next: string | null;
  } {
    const { webhookId, before, state, limit } = query;
    const scanned = this.#db.run<DeliveryRow>(
      "SELECT * FROM deliveries WHERE webhook_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
      webhookId,
      before ?? AFTER_ALL,
      MAX_SCAN + 1,
    );
    const within = scanned.slice(0, MAX_SCAN);
    const found = within.filter((row) => state === null || row.state === state);
    const deliveries = found.slice(0, limit).map(toDelivery);
    if (found.length > limit) return { deliveries, next: deliveries.at(-1)?.id ?? null };
    return { deliveries, next: scanned.length > MAX_SCAN ? (within.at(-1)?.id ?? null) : null };
  }

  /**
   * Deletes at most `limit` deliveries of events recorded before `beforeMs`, and of endpoints that
   * are there no more; true when there may be more.
   *
   * @param webhookIds those that are there, in order
   */
  purge(webhookIds: readonly string[], beforeMs: number, limit: number): boolean {
    const endpoints = ["", ...webhookIds];
    const ranges = endpoints.flatMap((id, at) => [
      { from: [id, ""], to: [id, firstDeliveryIdAt(beforeMs)] },
      { from: [id, AFTER_ALL], to: [endpoints[at + 1] ?? AFTER_ALL, ""] },
    ]);
    let left = limit;
    for (const { from, to } of ranges) {
      if (left === 0) return true;
      left -= this.#db.run(
        `DELETE FROM deliveries WHERE (webhook_id, id) IN (SELECT webhook_id, id FROM deliveries
          WHERE (webhook_id, id) >= (?, ?) AND (webhook_id, id) < (?, ?) LIMIT ?) RETURNING 1 AS gone`,
        ...from,
        ...to,
        left,
      ).length;
    }
    this.forget();
    return left === 0;
  }
}

const toTuple = ({ atMs, status, error, latencyMs, reply }: Attempt): AttemptTuple =>
  reply === null ? [atMs, status, error, latencyMs] : [atMs, status, error, latencyMs, reply];

const toDelivery = (row: DeliveryRow): Delivery => {
  const attempts = (JSON.parse(row.attempts) as AttemptTuple[]).map(toAttempt);
  return {
    id: row.id,
    webhookId: row.webhook_id,
    eventId: partsOfDelivery(row.id).eventId,
    state: row.state,
    firstTryAtMs: row.first_try_at_ms,
    nextTryAtMs: row.next_try_at_ms,
    attempts,
    // Those of an earlier version were not counted.
    tries: Math.max(row.tries, attempts.length),
  };
};

const toAttempt = ([atMs, status, error, latencyMs, reply]: AttemptTuple): Attempt => ({
  atMs,
  status,
  error,
  latencyMs,
  reply: reply ?? null,
});
