import { type Happening, wants } from "../../src/domain/event.ts";
import type { Database } from "../database.ts";
import { EventStore } from "./event-store.ts";
import { WebhookStore } from "./webhook-store.ts";

/**
 * What is to be told, and to whom. An event is recorded in the transaction of what it tells of, so
 * that neither is there without the other; the delivery follows (`courier.ts`).
 */
export class Outbox {
  readonly events: EventStore;
  readonly webhooks: WebhookStore;

  constructor(db: Database) {
    this.events = new EventStore(db);
    this.webhooks = new WebhookStore(db);
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.events.forget();
    this.webhooks.forget();
  }

  /**
   * Inside a transaction. What no endpoint subscribed to is not recorded and costs no row; an
   * endpoint that is not enabled still has its events kept, for a replay or the feed.
   */
  record(happening: Happening, nowMs: number): void {
    if (!this.webhooks.all().some((webhook) => wants(webhook, happening))) return;
    this.events.insert(happening, nowMs);
  }
}
