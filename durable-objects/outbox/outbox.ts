import {
  EXHAUSTED_EVENT,
  type Happening,
  nameFor,
  PLATFORM_EVENT_TYPES,
  type RecordedEvent,
  type Subscription,
  wants,
} from "../../src/domain/webhooks/event.ts";
import { dayOf } from "../../src/domain/ledger/period.ts";
import type { Database } from "../database.ts";
import { DeliveryStore } from "./delivery-store.ts";
import {
  type EventObject,
  eventObject,
  type ListedEvent,
} from "../../src/domain/webhooks/event-object.ts";
import { EventStore } from "./event-store.ts";
import type { PlatformEventStore } from "./platform-event-store.ts";
import { DailyNoticeStore } from "./daily-notice-store.ts";
import { WebhookStore } from "./webhook-store.ts";

/** Reads what an event tells of, as its GET returns it; null: it is not stored any more. */
export type ReadSubject = (
  type: RecordedEvent["type"],
  subject: string,
) => Readonly<Record<string, unknown>> | null;

/**
 * Events and their endpoints. An event is recorded in the transaction that causes it, so that neither is
 * there without the other. The dispatcher delivers it later (`dispatcher.ts`).
 */
export class Outbox {
  readonly events: EventStore;
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  /** Null: the platform gets no events of this object. */
  readonly platformEvents: PlatformEventStore | null;
  readonly notices: DailyNoticeStore;
  readonly #readSubject: ReadSubject;

  constructor(
    db: Database,
    readSubject: ReadSubject,
    reports: PlatformEventStore | null = null,
    notices: DailyNoticeStore = new DailyNoticeStore(db),
  ) {
    this.events = new EventStore(db);
    this.webhooks = new WebhookStore(db);
    this.deliveries = new DeliveryStore(db);
    this.notices = notices;
    this.platformEvents = reports;
    this.#readSubject = readSubject;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.events.forget();
    this.webhooks.forget();
    this.deliveries.forget();
    this.platformEvents?.forget();
    this.notices.forget();
  }

  /**
   * Inside a transaction. What no endpoint subscribed to is not recorded and costs no row; an
   * endpoint that is not enabled still has its events kept, for a replay or the feed.
   */
  record(happening: Happening, nowMs: number): void {
    const { type, data } = happening;
    if (this.#isWanted(happening)) this.events.insert(happening, nowMs);
    if (data !== null && isReported(type)) this.platformEvents?.add(type, data);
  }

  /**
   * As `record`, and only once on a UTC day.
   *
   * @param data is called only when the event is recorded
   */
  recordOnceADay(
    type: Happening["type"],
    data: () => NonNullable<Happening["data"]>,
    nowMs: number,
  ): void {
    if (this.platformEvents === null && !this.#isWanted({ type, decision: null })) return;
    if (this.notices.has(dayOf(nowMs), type)) return;
    this.notices.add(dayOf(nowMs), type);
    this.record({ type, subject: null, decision: null, data: data() }, nowMs);
  }

  /** As it is delivered; null: what it tells of is not stored any more. */
  objectOf(event: RecordedEvent, to: Pick<Subscription, "events">): EventObject | null {
    const data = this.#dataOf(event);
    return data === null ? null : eventObject({ ...event, type: nameFor(to, event.type) }, data);
  }

  /** As it is listed. */
  listed(event: RecordedEvent): ListedEvent {
    const data = this.#dataOf(event);
    return data === null ? { ...eventObject(event, {}), data } : eventObject(event, data);
  }

  /** More waits for an endpoint that was disabled than one step gives up. */
  get isGivingUp(): boolean {
    return this.#toGiveUp().length > 0;
  }

  /** Deletes what is past its retention; true when there is more. */
  purge(beforeMs: number, limit: number, nowMs: number): boolean {
    this.notices.purge(dayOf(nowMs));
    const ids = this.webhooks.all().map(({ id }) => id);
    return [
      ...this.#toGiveUp().map((id) => this.deliveries.giveUp(id)),
      this.events.purge(beforeMs, limit),
      this.deliveries.purge(ids, beforeMs, limit),
    ].includes(true);
  }

  /** Endpoints that were disabled while more waited for them than one step gives up. */
  #toGiveUp(): readonly string[] {
    return this.webhooks
      .all()
      .filter(({ id, enabled }) => !enabled && this.deliveries.pending(id).count > 0)
      .map(({ id }) => id);
  }

  #dataOf({ type, subject, data }: RecordedEvent): EventObject["data"] | null {
    return subject === null ? data : this.#readSubject(type, subject);
  }

  #isWanted(happening: Pick<Happening, "type" | "decision">): boolean {
    return this.webhooks.all().some((webhook) => wants(webhook, happening));
  }
}

/** A tenant's own messages are its own affair. */
const isReported = (type: RecordedEvent["type"]): boolean =>
  type !== EXHAUSTED_EVENT && (PLATFORM_EVENT_TYPES as readonly string[]).includes(type);
