import { describe, expect, it } from "vitest";
import { NO_EVENT } from "../../../src/domain/webhooks/event.ts";
import { eventObject } from "../../../src/domain/webhooks/event-object.ts";
import {
  deliveryIdOf,
  firstEventIdAt,
  nextEventId,
  partsOfDelivery,
} from "../../../durable-objects/outbox/event-id.ts";

const NOW = Date.UTC(2036, 10, 20);

const event = {
  id: nextEventId(NO_EVENT, NOW),
  type: "moderation.verdict",
  subject: "vrd_1",
  decision: "block",
  data: null,
  createdAtMs: NOW,
} as const;

describe("an event's object", () => {
  const stage = { name: "judge", scores: { toxicity: 0.5 }, note: "é".repeat(40) };

  it("is whole up to 20 kB of UTF-8", () => {
    const data = { id: "vrd_1", stages: Array.from({ length: 140 }, () => stage) };
    const body = JSON.stringify(eventObject(event, data));
    expect(new TextEncoder().encode(body).byteLength).toBeLessThanOrEqual(20_000);
    expect(JSON.parse(body).data).toEqual(data);
  });

  it("is without its stages beyond that, and says so", () => {
    const data = { id: "vrd_1", stages: Array.from({ length: 170 }, () => stage), revision: 2 };
    // Its characters would fit.
    expect(JSON.stringify(data).length).toBeLessThan(20_000);
    expect(eventObject(event, data).data).toEqual({ id: "vrd_1", revision: 2, truncated: true });
  });
});

describe("ids of events", () => {
  it("are in the order in which they were given, also within a millisecond and when time stands", () => {
    const times = [NOW, NOW, NOW, NOW + 1, NOW + 1, NOW - 5000, NOW + 2];
    const ids: string[] = [];
    for (const at of times) ids.push(nextEventId(ids.at(-1) ?? NO_EVENT, at));
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^evt_[0-9A-HJKMNP-TV-Z]{25}0$/);
    expect(firstEventIdAt(NOW) < (ids[0] ?? "")).toBe(true);
    expect(firstEventIdAt(NOW + 1) > (ids[2] ?? "")).toBe(true);
  });

  it("are named by those of their deliveries", () => {
    const id = deliveryIdOf(event.id, 20);
    expect(id).toMatch(/^dlv_[0-9A-HJKMNP-TV-Z]{25}M$/);
    expect(partsOfDelivery(id)).toEqual({ eventId: event.id, slot: 20 });
    expect(partsOfDelivery("dlv_").slot).toBeLessThan(1);
  });
});
