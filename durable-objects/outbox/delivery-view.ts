import { decodeTime } from "ulid";
import type { Delivery } from "../../src/domain/webhooks/delivery.ts";
import type { DeliveryView } from "../../src/domain/webhooks/webhook-object.ts";

const ULID_AT = 4;

/** A delivery with what it needs to be shown: it was made with its event, whose id has the time. */
export const viewOf = (
  delivery: Delivery,
  seen: Pick<DeliveryView, "event" | "nextAttemptMs">,
): DeliveryView => ({
  ...delivery,
  ...seen,
  createdAtMs: decodeTime(delivery.eventId.slice(ULID_AT)),
});
