import type { Happening } from "../../../src/domain/webhooks/event.ts";
import type { WebhookView } from "../../../src/domain/webhooks/webhook-object.ts";
import type { DeliveryQuery } from "../../outbox/delivery-store.ts";
import { Dispatcher, type DispatcherOptions, restOrLate } from "../../outbox/dispatcher.ts";
import { Outbox } from "../../outbox/outbox.ts";
import type { PlatformEvent } from "../../outbox/platform-event-store.ts";
import { type TriedWebhook, tryWebhook } from "../../outbox/try-webhook.ts";
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  type EventQuery,
  listDeliveries,
  listEvents,
  listWebhooks,
  type NewWebhook,
  readEvent,
  readWebhook,
  replayDelivery,
  type ReplayRequest,
  replayWebhook,
  type RotateSecret,
  rotateSecret,
  type WebhookChange,
} from "../../outbox/webhooks.ts";
import type { AccountContext, AccountFeature } from "../account-feature.ts";

/** How long the platform's events and deliveries can be read back. */
const EVENTS_KEPT_MS = 30 * 86_400_000;

/** Rows of each table deleted in one alarm. */
const MOST_PURGED = 500;

export type DeliveryMeans = Pick<DispatcherOptions, "attempt" | "random" | "timer">;

/** Webhooks of the platform: its endpoints, and events of the account and of all tenants. */
export class PlatformWebhooks implements AccountFeature {
  readonly name = "webhooks";
  readonly #context: AccountContext;
  readonly #outbox: Outbox;
  readonly #dispatcher: Dispatcher;

  constructor(context: AccountContext, means: DeliveryMeans) {
    this.#context = context;
    const { db, wallMs, transact, arm, report } = context;
    this.#outbox = new Outbox(db, () => null);
    this.#dispatcher = new Dispatcher(this.#outbox, {
      ...means,
      wallMs,
      transact,
      onRest: () => void arm().catch((error: unknown) => report("arm_failed", error)),
      report: (error) => report("delivery_failed", error),
    });
  }

  /** Inside a transaction. */
  record({ type, data }: Pick<Happening, "type" | "data">, nowMs: number): void {
    this.#outbox.record({ type, subject: null, decision: null, data }, nowMs);
  }

  /** Events that tenants forward, at least once: a tenant repeats what was not confirmed. */
  forward(tenant: string, events: readonly PlatformEvent[]): Promise<void> {
    return this.#context.change((nowMs) => {
      for (const { type, data } of events) this.record({ type, data: { ...data, tenant } }, nowMs);
    });
  }

  /** What the reconciliation found: each as its GET returns it. */
  recordDrifts(drifts: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    return this.#context.change((nowMs) => {
      for (const data of drifts) this.record({ type: "reconciliation.drift", data }, nowMs);
    });
  }

  create(made: NewWebhook): Promise<ReturnType<typeof createWebhook>> {
    return this.#context.change((nowMs) => createWebhook(this.#outbox, made, nowMs));
  }

  list(): readonly WebhookView[] {
    return listWebhooks(this.#outbox);
  }

  read(id: string): ReturnType<typeof readWebhook> {
    return readWebhook(this.#outbox, id);
  }

  change(id: string, changed: WebhookChange): Promise<ReturnType<typeof changeWebhook>> {
    return this.#context.change((nowMs) => changeWebhook(this.#outbox, id, changed, nowMs));
  }

  rotate(request: RotateSecret): Promise<ReturnType<typeof rotateSecret>> {
    return this.#context.change((nowMs) => rotateSecret(this.#outbox, request, nowMs));
  }

  delete(id: string): Promise<ReturnType<typeof deleteWebhook>> {
    return this.#context.change(() => deleteWebhook(this.#outbox, id));
  }

  try(id: string): Promise<TriedWebhook> {
    const { transact } = this.#context;
    return tryWebhook({ outbox: this.#outbox, dispatcher: this.#dispatcher, transact }, id);
  }

  listDeliveries(query: DeliveryQuery): ReturnType<typeof listDeliveries> {
    return listDeliveries(this.#outbox, query, this.#context.wallMs());
  }

  replay(request: ReplayRequest): Promise<ReturnType<typeof replayWebhook>> {
    return this.#context.change((nowMs) => replayWebhook(this.#outbox, request, nowMs));
  }

  replayDelivery(id: string): Promise<ReturnType<typeof replayDelivery>> {
    return this.#context.change((nowMs) => replayDelivery(this.#outbox, id, nowMs));
  }

  listEvents(query: EventQuery): ReturnType<typeof listEvents> {
    return listEvents(this.#outbox, query);
  }

  readEvent(id: string): ReturnType<typeof readEvent> {
    return readEvent(this.#outbox, id);
  }

  facts() {
    const endpoints = this.#outbox.webhooks.all();
    const enabled = endpoints.filter((webhook) => webhook.enabled).length;
    return {
      endpoints: { enabled, disabled: endpoints.length - enabled },
      deliveries: this.#outbox.deliveries.counts(),
    };
  }

  forget(): void {
    this.#outbox.forget();
  }

  /** Events of the platform are few: every alarm looks for old ones. */
  purge(nowMs: number): void {
    this.#outbox.purge(nowMs - EVENTS_KEPT_MS, MOST_PURGED, nowMs);
  }

  dueMs(): number | null {
    return this.#dispatcher.nextDueMs();
  }

  /** Begins to deliver what is due. */
  wake(): void {
    this.#dispatcher.wake();
  }

  /** While something is delivered, what became due at another endpoint is begun too. */
  wakeIfBusy(): void {
    if (this.#dispatcher.isBusy) this.#dispatcher.wake();
  }

  /** Resolves when nothing is being delivered, or after 20 seconds. */
  rest(): Promise<void> {
    return restOrLate(this.#dispatcher);
  }
}
