import { type JsonObject, jsonSchema } from "./openapi-schema.ts";
import type { Schema } from "./route.ts";

// The `webhooks` of the OpenAPI document: the requests that we send. Each body has a name of its own, so
// that a generator makes a type of it. https://spec.openapis.org/oas/v3.1.1#webhooks

export interface WebhookSpec {
  readonly type: string;
  readonly summary: string;
  /** Of the whole body. */
  readonly schema: Schema;
  /** An old name of an event, which new endpoints do not get. */
  readonly deprecated: boolean;
}

/** `moderation.verdict` is `ModerationVerdictEvent`. */
export const eventSchemaName = (type: string): string =>
  `${type
    .split(/[._]/)
    .map((word) => `${word[0]?.toUpperCase() ?? ""}${word.slice(1)}`)
    .join("")}Event`;

const header = (name: string, description: string): JsonObject => ({
  name,
  in: "header",
  required: true,
  description,
  schema: { type: "string" },
});

const HEADERS: readonly JsonObject[] = [
  header("webhook-id", "The event's id, the same with every attempt."),
  header("webhook-timestamp", "When this attempt was made: seconds since 1970."),
  header("webhook-signature", "`v1,` and a signature; several while secrets rotate."),
];

const ANSWERS: JsonObject = {
  "2XX": {
    description: "Delivered. Any other status is a failure, and the event is sent again.",
    headers: {
      "webhook-delivery": {
        description:
          "`abort-message`: do not send this event again. `disable`: send nothing more to this endpoint. With any status.",
        schema: { type: "string", enum: ["abort-message", "disable"] },
      },
    },
  },
  "410": { description: "The endpoint is gone: it is disabled." },
  "429": {
    description:
      "Too many requests: we wait as long as `Retry-After` says, up to an hour. The same holds for 503.",
    headers: { "Retry-After": { schema: { type: "string" } } },
  },
};

const ref = (name: string): string => `#/components/schemas/${name}`;

export function webhooksOf(specs: readonly WebhookSpec[]): {
  readonly webhooks: JsonObject;
  readonly schemas: JsonObject;
} {
  const named = specs.map((spec) => ({ spec, name: eventSchemaName(spec.type) }));
  const entries = named.map(({ spec: { type, summary, deprecated }, name }) => {
    const content = { "application/json": { schema: { $ref: ref(name) } } };
    const post = {
      operationId: `on${name}`,
      summary,
      ...(deprecated ? { deprecated } : {}),
      security: [],
      parameters: HEADERS,
      requestBody: { required: true, content },
      responses: ANSWERS,
    };
    return [type, { post }] as const;
  });
  const schemas = named.map(({ spec, name }) => [name, jsonSchema(spec.schema, "output")] as const);
  const union = {
    oneOf: named.map(({ name }) => ({ $ref: ref(name) })),
    discriminator: {
      propertyName: "type",
      mapping: Object.fromEntries(named.map(({ spec, name }) => [spec.type, ref(name)])),
    },
  };
  return {
    webhooks: Object.fromEntries(entries),
    schemas: { ...Object.fromEntries(schemas), WebhookEvent: union },
  };
}
