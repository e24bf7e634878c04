import type { DisabledReason, Replay, Webhook } from "../../src/domain/webhooks/webhook.ts";
import {
  decodeSent,
  encodeSent,
  NONE_SENT,
  roomAtMs,
  roomFor,
  type Sent,
  withSent,
} from "../../src/domain/webhooks/delivery-pace.ts";
import { OLD_SHARE } from "../../src/domain/webhooks/delivery.ts";
import type { Subscription } from "../../src/domain/webhooks/event.ts";
import type { Decision } from "../../src/domain/moderation/verdict.ts";
import type { Database } from "../database.ts";

type WebhookRow = {
  id: string;
  slot: number;
  url: string;
  description: string | null;
  events: string;
  decisions: string | null;
  enabled: number;
  disabled_reason: DisabledReason | null;
  secret: string;
  old_secret: string | null;
  old_secret_until_ms: number | null;
  cursor: string;
  replay: string | null;
  failing_since_ms: number | null;
  not_before_ms: number;
  last_try_at_ms: number;
  sent: string;
  ordered: number;
  outage: string;
  ahead: string;
  created_at_ms: number;
  updated_at_ms: number;
};

/** All endpoints: they are few (`MAX_WEBHOOKS`), read with every event, and kept in memory. */
export class WebhookStore {
  readonly #db: Database;
  #all: readonly Webhook[] | undefined;
  /** Events that an endpoint did not ask for are passed over in memory: that is worth no row. */
  readonly #passed = new Map<string, string>();
  /** What was sent since it was last written, too. It was sent, whatever a transaction came to. */
  readonly #sent = new Map<string, Sent>();
  /** Of these, retries and replays. A crash forgets them, which costs new messages a minute at most. */
  readonly #old = new Map<string, Sent>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.#all = undefined;
  }

  /** In the order in which they were made. */
  all(): readonly Webhook[] {
    this.#all ??= this.#db.run<WebhookRow>("SELECT * FROM webhooks ORDER BY id").map(toWebhook);
    return this.#all;
  }

  find(id: string): Webhook | null {
    return this.all().find((webhook) => webhook.id === id) ?? null;
  }

  /** Up to where all events were handed over or passed over. */
  position({ id, cursor }: Webhook): string {
    const passed = this.#passed.get(id) ?? cursor;
    return passed > cursor ? passed : cursor;
  }

  pass(id: string, eventId: string): void {
    this.#passed.set(id, eventId);
  }

  /** How many more attempts fit into this minute. */
  room(webhook: Webhook, limit: number, nowMs: number): number {
    return roomFor(this.#sentTo(webhook), limit, nowMs);
  }

  /** When one more attempt fits: now, or later. */
  roomAtMs(webhook: Webhook, limit: number, nowMs: number): number {
    return roomAtMs(this.#sentTo(webhook), limit, nowMs);
  }

  /** How many retries and replays fit into this minute, which new messages have the most of. */
  oldRoom({ id }: Webhook, limit: number, nowMs: number): number {
    return roomFor(this.#old.get(id) ?? NONE_SENT, oldLimit(limit), nowMs);
  }

  oldRoomAtMs({ id }: Webhook, limit: number, nowMs: number): number {
    return roomAtMs(this.#old.get(id) ?? NONE_SENT, oldLimit(limit), nowMs);
  }

  /** An attempt is made. It takes no row: it is written with what became of it. */
  countSent(webhook: Webhook, nowMs: number, isOld: boolean): void {
    this.#sent.set(webhook.id, withSent(this.#sentTo(webhook), 1, nowMs));
    if (!isOld) return;
    this.#old.set(webhook.id, withSent(this.#old.get(webhook.id) ?? NONE_SENT, 1, nowMs));
  }

  /** Writes so many attempts before they are made: a crash among them forgets none. */
  writeAhead(webhook: Webhook, attempts: number, nowMs: number): void {
    const sent = this.#sentTo(webhook);
    this.#sent.set(webhook.id, sent);
    this.#db.run(
      "UPDATE webhooks SET sent = ? WHERE id = ?",
      encodeSent(withSent(sent, attempts, nowMs)),
      webhook.id,
    );
  }

  #sentTo({ id, sent }: Webhook): Sent {
    return this.#sent.get(id) ?? sent;
  }

  write(webhook: Webhook): void {
    this.#db.run(
      `INSERT OR REPLACE INTO webhooks (id, slot, url, description, events, decisions, enabled,
        disabled_reason, secret, old_secret, old_secret_until_ms, cursor, replay,
        failing_since_ms, not_before_ms, last_try_at_ms, sent, ordered, outage, ahead, created_at_ms,
        updated_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      webhook.id,
      webhook.slot,
      webhook.url,
      webhook.description,
      JSON.stringify(webhook.events),
      webhook.decisions === null ? null : JSON.stringify(webhook.decisions),
      webhook.enabled ? 1 : 0,
      webhook.disabledReason,
      webhook.secret,
      webhook.oldSecret?.secret ?? null,
      webhook.oldSecret?.untilMs ?? null,
      webhook.cursor,
      webhook.replay === null ? null : JSON.stringify(webhook.replay),
      webhook.failingSinceMs,
      webhook.notBeforeMs,
      webhook.lastTryAtMs,
      encodeSent(this.#sentTo(webhook)),
      webhook.ordered ? 1 : 0,
      JSON.stringify(webhook.outage),
      webhook.ahead,
      webhook.createdAtMs,
      webhook.updatedAtMs,
    );
    this.forget();
  }

  delete(id: string): void {
    this.#db.run("DELETE FROM webhooks WHERE id = ?", id);
    this.#passed.delete(id);
    this.#sent.delete(id);
    this.#old.delete(id);
    this.forget();
  }
}

/** One at least: a retry comes to its turn whatever the limit. */
const oldLimit = (limit: number): number => Math.max(1, Math.floor(limit * OLD_SHARE));

const toWebhook = (row: WebhookRow): Webhook => ({
  id: row.id,
  slot: row.slot,
  url: row.url,
  description: row.description,
  events: JSON.parse(row.events) as Subscription["events"],
  decisions: row.decisions === null ? null : (JSON.parse(row.decisions) as Decision[]),
  enabled: row.enabled === 1,
  disabledReason: row.disabled_reason,
  secret: row.secret,
  oldSecret:
    row.old_secret === null || row.old_secret_until_ms === null
      ? null
      : { secret: row.old_secret, untilMs: row.old_secret_until_ms },
  cursor: row.cursor,
  replay: row.replay === null ? null : (JSON.parse(row.replay) as Replay),
  failingSinceMs: row.failing_since_ms,
  notBeforeMs: row.not_before_ms,
  lastTryAtMs: row.last_try_at_ms,
  sent: decodeSent(row.sent),
  ordered: row.ordered === 1,
  outage: JSON.parse(row.outage) as string[],
  ahead: row.ahead,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});
