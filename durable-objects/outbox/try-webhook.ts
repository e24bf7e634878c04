import { viewOf } from "./delivery-view.ts";
import type { Delivery } from "../../src/domain/webhooks/delivery.ts";
import { TEST_EVENT } from "../../src/domain/webhooks/event.ts";
import type { LookupFailure } from "../../src/domain/ledger/failure.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { deliveryIdOf } from "./event-id.ts";
import type { Outbox } from "./outbox.ts";
import { resume } from "./record-results.ts";
import { type DeliveryView, webhookObject } from "../../src/domain/webhooks/webhook-object.ts";

// A test delivery: one attempt at once, whatever state the endpoint is in, and its result in the
// reply. It is listed among the others. One that fails changes nothing of how the endpoint stands; one
// that is accepted shows that it is well, and what waits goes out.

export type TriedWebhook =
  | { readonly kind: "delivery"; readonly delivery: DeliveryView }
  | Extract<LookupFailure, { kind: "not_found" }>
  | { readonly kind: "unavailable" };

interface TryDeps {
  readonly outbox: Outbox;
  readonly dispatcher: Dispatcher;
  readonly transact: <Result>(work: (nowMs: number) => Result) => Result;
}

export async function tryWebhook(
  { outbox, dispatcher, transact }: TryDeps,
  id: string,
): Promise<TriedWebhook> {
  const webhook = outbox.webhooks.find(id);
  if (webhook === null) return { kind: "not_found", what: "webhook" };
  const data = { ...webhookObject(webhook) };
  const happening = { type: TEST_EVENT, subject: null, decision: null, data } as const;
  const event = transact((nowMs) => outbox.events.insert(happening, nowMs));
  const untried = {
    id: deliveryIdOf(event.id, webhook.slot),
    webhookId: id,
    eventId: event.id,
    nextTryAtMs: null,
    attempts: [],
    tries: 0,
  };
  const delivery: Delivery = { ...untried, state: "failed", firstTryAtMs: null };
  const attempted = await dispatcher.try(webhook, { event, delivery, from: "fresh", after: "" });
  if (attempted.kind === "not_made") return { kind: "unavailable" };
  const { attempt } = attempted;
  const tried: Delivery = {
    ...delivery,
    state: attempt.error === null ? "delivered" : "failed",
    firstTryAtMs: attempt.atMs,
    attempts: [attempt],
    tries: 1,
  };
  transact((nowMs) => {
    // It may have been deleted during the attempt.
    const found = outbox.webhooks.find(id);
    if (found === null) return;
    outbox.deliveries.write(tried);
    // With the attempt counted, which is one of the minute's.
    const isShownWell = found.enabled && attempt.error === null;
    outbox.webhooks.write(isShownWell ? resume(outbox, found, nowMs) : found);
  });
  return { kind: "delivery", delivery: viewOf(tried, { event, nextAttemptMs: null }) };
}
