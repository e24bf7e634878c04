import { TEST_EVENT } from "../../src/domain/event.ts";
import type { LookupFailure } from "../../src/domain/failure.ts";
import type { Courier } from "./courier.ts";
import type { Delivery } from "./delivery-store.ts";
import { deliveryIdOf } from "./event-id.ts";
import type { Outbox } from "./outbox.ts";
import { webhookObject } from "./webhook-object.ts";

// A test delivery: one attempt at once, whatever state the endpoint is in, and its result in the
// reply. It is listed among the others, and changes nothing of how the endpoint stands.

export type TriedWebhook =
  | { readonly kind: "delivery"; readonly delivery: Delivery }
  | Extract<LookupFailure, { kind: "not_found" }>
  | { readonly kind: "unavailable" };

interface TryDeps {
  readonly outbox: Outbox;
  readonly courier: Courier;
  readonly transact: <Result>(work: (nowMs: number) => Result) => Result;
}

export async function tryWebhook(
  { outbox, courier, transact }: TryDeps,
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
  };
  const delivery: Delivery = { ...untried, state: "failed", firstTryAtMs: null };
  const attempted = await courier.try(webhook, { event, delivery, from: "waiting" });
  if (attempted.kind === "not_made") return { kind: "unavailable" };
  const { attempt } = attempted;
  const tried: Delivery = {
    ...delivery,
    state: attempt.error === null ? "delivered" : "failed",
    firstTryAtMs: attempt.atMs,
    attempts: [attempt],
  };
  transact(() => {
    // It may have been deleted while it was asked.
    const found = outbox.webhooks.find(id);
    if (found === null) return;
    outbox.deliveries.write(tried);
    // With the attempt counted, which is one of the minute's.
    outbox.webhooks.write(found);
  });
  return { kind: "delivery", delivery: tried };
}
