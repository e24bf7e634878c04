import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as v from "valibot";
import { EVENT_TYPES, PLATFORM_EVENT_TYPES, TEST_EVENT } from "../../src/domain/webhooks/event.ts";
import { openApiDocument } from "../../src/http/openapi.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import { WEBHOOK_EVENTS } from "../../src/api/native/webhook-events.ts";
import { admin, makeTenant } from "../client.ts";
import { cleanUp, stopClock } from "../durable-objects/a-tenant.ts";
import { Receivers, ring } from "./receivers.ts";

// What the API's document says of the bodies that endpoints are sent. Generated types hold more of them
// in `clients/`.

let receivers: Receivers;
beforeEach(() => {
  stopClock();
  receivers = new Receivers();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const ALL = [...EVENT_TYPES, ...PLATFORM_EVENT_TYPES, TEST_EVENT, "batch.completed"];

describe("the document's webhooks", () => {
  const document = openApiDocument(
    ROUTES,
    { title: "Neurogate", version: "1" },
    WEBHOOK_EVENTS,
  ) as unknown as {
    readonly webhooks: Readonly<
      Record<
        string,
        {
          readonly post: {
            readonly operationId: string;
            readonly parameters: readonly { readonly name: string }[];
            readonly requestBody: {
              readonly content: Readonly<Record<string, { readonly schema: { $ref: string } }>>;
            };
          };
        }
      >
    >;
    readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
  };

  it("are all that can be told, each with a named schema", () => {
    expect(new Set(Object.keys(document.webhooks))).toEqual(new Set(ALL));
    for (const [type, { post }] of Object.entries(document.webhooks)) {
      const ref = post.requestBody.content["application/json"]?.schema.$ref ?? "";
      const schema = document.components.schemas[ref.replace("#/components/schemas/", "")];
      expect(schema).toMatchObject({ properties: { type: { const: type } } });
      expect(post.parameters.map(({ name }) => name)).toEqual([
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
      ]);
    }
    const ids = Object.values(document.webhooks).map(({ post }) => post.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.components.schemas["WebhookEvent"]).toMatchObject({
      discriminator: { propertyName: "type" },
    });
  });
});

/** Fails also where a body has more than its schema says. */
function expectHeld(text: string): string {
  const body = JSON.parse(text);
  const spec = WEBHOOK_EVENTS.find(({ type }) => type === body.type);
  if (spec === undefined) throw new Error(`no schema of ${body.type}`);
  expect(v.parse(spec.schema, body)).toEqual(body);
  return body.type;
}

describe("a schema", () => {
  it("holds the bodies of what a tenant is told of its quota, verdicts and endpoints", async () => {
    const tenant = await makeTenant(`told-${crypto.randomUUID().slice(0, 8)}`, {
      daily_neurons: 20,
    });
    const events = ["quota.threshold", "quota.exceeded", "webhook.disabled", "moderation.verdict"];
    const url = "https://hooks.acme.dev/";
    await tenant.call("POST", "/v1/webhooks", { url, events });
    const gone = "https://gone.acme.dev/";
    receivers.hosts.set("gone.acme.dev", () => new Response(null, { status: 410 }));
    await tenant.call("POST", "/v1/webhooks", { url: gone, events: ["moderation.verdict"] });
    const judged = await tenant.call("POST", "/v1/verdicts", { text: "Nice to meet you here" });
    expect(judged.status).toBe(200);
    await ring(tenant.id);
    const body = {
      model: "@cf/meta/llama-3.1-8b-instruct-fp8",
      max_tokens: 100,
      messages: [{ role: "user", content: "Hi" }],
    };
    let status = 200;
    for (let n = 0; n < 300 && status === 200; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- until the day's neurons are spent
      ({ status } = await tenant.call("POST", "/v1/chat/completions", body));
    }
    expect(status).toBe(429);
    await ring(tenant.id);
    const told = receivers.at("hooks.acme.dev").map(({ body: text }) => expectHeld(text));
    expect(new Set(told)).toEqual(new Set(events));
    const listed = await admin("GET", `/admin/tenants/${tenant.id}/events`);
    for (const event of listed.body.data) expectHeld(JSON.stringify(event));
  });

  it("holds the body of a share of the account's pool that is spent", async () => {
    const events = ["account.threshold"];
    await admin("POST", "/admin/webhooks", { url: "https://ops.acme.dev/", events });
    const capped = { daily_cap_neurons: 20, thresholds: [0.2], max_hold_share: 1 };
    await admin("PATCH", "/admin/account", capped);
    const tenant = await makeTenant(`spends-${crypto.randomUUID().slice(0, 8)}`);
    for (let at = 0; at < 2; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await tenant.call("POST", "/v1/verdicts", { text: "hello there" });
      vi.setSystemTime(Date.now() + 1000);
    }
    const { body } = await admin("GET", "/admin/events");
    expect(body.data.map((event: object) => expectHeld(JSON.stringify(event)))).toEqual(events);
  });
});
