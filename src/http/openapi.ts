import type { FailureKind } from "../domain/ledger/failure.ts";
import { ACCESS_HEADER } from "./access-token.ts";
import { GOOGLE_KEY_HEADER, GOOGLE_KEY_PARAM, KEY_HEADER } from "./authenticate.ts";
import { CONTEXT_HEADER, IDEMPOTENCY_HEADER } from "./call-labels.ts";
import { REASONS, statusesOf } from "./failure-status.ts";
import { LARGE_BODY_BYTES } from "./intake.ts";
import { type Mount, failureKinds, mountsOf, paramNames, pathTemplate } from "./mount.ts";
import { errorSchema, ERROR_SCHEMAS } from "./openapi-errors.ts";
import { fieldParameters, type Json, type JsonObject, jsonSchema } from "./openapi-schema.ts";
import { type WebhookSpec, webhooksOf } from "./openapi-webhooks.ts";
import { perspectiveStatuses } from "./perspective-error.ts";
import type { BodySpec, Route } from "./route.ts";

// The OpenAPI 3.1 document, from the schemas that parse requests and type replies, so that it matches the
// checks. https://spec.openapis.org/oas/v3.1.1

function parameters({ path, route }: Mount): JsonObject[] {
  const described = fieldParameters(route.params, "path");
  const inPath = paramNames(path).map(
    (name): JsonObject =>
      described.find((parameter) => parameter["name"] === name) ?? {
        name,
        in: "path",
        required: true,
        schema: { type: "string" },
      },
  );
  const inHeader = [
    ...(honoursKey(route) ? [IDEMPOTENCY_KEY] : []),
    ...(makesCalls(route) ? [CONTEXT] : []),
  ];
  return [...inPath, ...fieldParameters(route.query, "query"), ...inHeader];
}

/** Whether a repeat with the same idempotency key gets what the first request made. */
export const honoursKey = ({ failures, ignoresIdempotencyKey }: Route): boolean =>
  failures.includes("idempotency_key_reused") && ignoresIdempotencyKey !== true;

/** Whether the request makes governed calls, at once or later: they have its label. */
export const makesCalls = ({ admits, startsCalls }: Route): boolean =>
  admits !== undefined || startsCalls === true;

const CONTEXT: JsonObject = {
  name: CONTEXT_HEADER,
  in: "header",
  required: false,
  description:
    "The caller's own label of the calls that the request makes, in their journal lines and inferences: 1 to 64 letters, digits and `. _ : / @ -`, beginning with a letter or a digit. No place for a person.",
  schema: { type: "string" },
};

const IDEMPOTENCY_KEY: JsonObject = {
  name: IDEMPOTENCY_HEADER,
  in: "header",
  required: false,
  description:
    "1 to 255 visible ASCII characters, bare or in double quotes. A repeat with the same key and body within 24 hours gets what the first request made.",
  schema: { type: "string" },
};

function failureReplies(mount: Mount): JsonObject {
  const isPerspective = mount.route.surface === "perspective";
  const byStatus = new Map<number, FailureKind[]>();
  for (const kind of failureKinds(mount)) {
    for (const status of isPerspective ? perspectiveStatuses(kind) : statusesOf(kind)) {
      byStatus.set(status, [...(byStatus.get(status) ?? []), kind]);
    }
  }
  const replies = [...byStatus].map(([status, kinds]) => [
    String(status),
    {
      description: `${reasonOf(status)}: ${kinds.map((kind) => `\`${kind}\``).join(", ")}`,
      headers: { "x-request-id": { $ref: "#/components/headers/RequestId" } },
      content: errorSchema(mount.route.surface, kinds),
    },
  ]);
  return Object.fromEntries(replies);
}

const reasonOf = (status: number): string =>
  Object.entries(REASONS).find(([known]) => Number(known) === status)?.[1] ?? "Failed";

function successReplies(route: Route): JsonObject {
  const { status, otherStatus } = route.reply;
  const statuses = otherStatus === undefined ? [status] : [status, otherStatus];
  return Object.fromEntries(statuses.map((each) => [String(each), successReply(route)]));
}

function successReply({ reply, summary }: Route): JsonObject {
  const headers = { "x-request-id": { $ref: "#/components/headers/RequestId" } };
  if (reply.status === 204) return { description: summary, headers };
  const content = {
    [reply.contentType ?? "application/json"]: { schema: jsonSchema(reply.schema, "output") },
    ...Object.fromEntries((reply.otherTypes ?? []).map((type) => [type, {}])),
  };
  return { description: summary, headers, content };
}

function bodyContent({ schema, as }: BodySpec): JsonObject {
  const described = { schema: jsonSchema(schema, "input") };
  if (as === "multipart") return { "multipart/form-data": described };
  // OpenAPI 3.1 describes plain bytes by leaving the schema out.
  const bytes = as === "unread" ? { "application/octet-stream": {} } : {};
  return { "application/json": described, ...bytes };
}

/** `GET /v1/verdicts/:id` is `getVerdictsId`: the parameters keep it unique. */
export function operationId({ method, path }: Pick<Mount, "method" | "path">): string {
  const words = path.replace(/^\/v1\//, "/").match(/[A-Za-z0-9]+/g) ?? [];
  return (
    method.toLowerCase() + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("")
  );
}

function tagOf(path: string): string {
  if (path.startsWith("/client/")) return "workers-ai";
  if (path.startsWith("/v1alpha1/") || path.startsWith("/$discovery/")) return "perspective";
  if (path.startsWith("/admin/tenants")) return "tenants";
  return /^\/v1\/([\w-]+)/.exec(path)?.[1] ?? (path.startsWith("/admin/") ? "admin" : "service");
}

/** As Google's clients send a key, or as on the other surfaces. */
const AS_GOOGLE: readonly JsonObject[] = [
  { tenantKey: [] },
  { googleKey: [] },
  { namedKey: [] },
  { queryKey: [] },
];

const SECURITY: Readonly<Record<Mount["auth"]["kind"], readonly JsonObject[]>> = {
  none: [],
  key: [{ tenantKey: [] }, { namedKey: [] }],
  platform: [{ adminToken: [] }, { accessToken: [] }],
};

const isAsGoogle = (auth: Mount["auth"]): boolean => auth.kind === "key" && auth.asGoogle === true;

/** How large a body may be, and the checks before a large one is read. */
function sizeOf({ limitBytes }: BodySpec, { auth, route }: Mount): string {
  const most = `At most ${limitBytes} bytes.`;
  if (auth.kind !== "key" || limitBytes <= LARGE_BODY_BYTES) return most;
  const checks =
    route.admits === undefined
      ? "the key, the tenant and the role"
      : "the key, the tenant, the role, the rates and the quota";
  return `${most} More than ${LARGE_BODY_BYTES} bytes are read only if ${checks} allow the call.`;
}

function operation(mount: Mount): JsonObject {
  const { route, auth } = mount;
  const roles =
    auth.kind === "key" ? `Roles: ${[...new Set([...auth.roles, "manage"])].join(", ")}.` : null;
  const description = [route.description ?? null, roles]
    .filter((part) => part !== null)
    .join("\n\n");
  return {
    operationId: operationId(mount),
    tags: [tagOf(mount.path)],
    summary: route.summary,
    ...(description === "" ? {} : { description }),
    security: isAsGoogle(auth) ? AS_GOOGLE : SECURITY[auth.kind],
    parameters: parameters(mount),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            description: sizeOf(route.body, mount),
            required: route.body.optional !== true,
            content: bodyContent(route.body),
          },
        }),
    responses: { ...successReplies(route), ...failureReplies(mount) },
  };
}

const NO_EVENTS = { webhooks: {}, schemas: {} };

export function openApiDocument(
  routes: readonly Route[],
  info: { readonly title: string; readonly version: string; readonly description?: string },
  events: readonly WebhookSpec[] = [],
): JsonObject {
  const mounts = mountsOf(routes);
  const paths: Record<string, Record<string, Json>> = {};
  for (const mount of mounts) {
    (paths[pathTemplate(mount.path)] ??= {})[mount.method.toLowerCase()] = operation(mount);
  }
  const { webhooks, schemas } = events.length === 0 ? NO_EVENTS : webhooksOf(events);
  const bearer = { type: "http", scheme: "bearer" };
  return {
    openapi: "3.1.1",
    info: { ...info },
    tags: [...new Set(mounts.map(({ path }) => tagOf(path)))].toSorted().map((name) => ({ name })),
    paths,
    ...(events.length === 0 ? {} : { webhooks }),
    components: {
      securitySchemes: {
        tenantKey: { ...bearer, description: "A tenant's key: `ng_<tenant>_…`." },
        namedKey: { type: "apiKey", in: "header", name: KEY_HEADER },
        adminToken: { ...bearer, description: "The platform's token, `ADMIN_TOKEN`." },
        googleKey: { type: "apiKey", in: "header", name: GOOGLE_KEY_HEADER },
        queryKey: {
          type: "apiKey",
          in: "query",
          name: GOOGLE_KEY_PARAM,
          description: "A tenant's key of role `score`, and no other.",
        },
        accessToken: {
          type: "apiKey",
          in: "header",
          name: ACCESS_HEADER,
          description:
            "A token of Cloudflare Access, which adds it to the requests that it passes on.",
        },
      },
      headers: {
        RequestId: {
          description: "Names this request in problems, journal lines and logs.",
          schema: { type: "string" },
        },
      },
      schemas: { ...ERROR_SCHEMAS, ...schemas },
    },
  };
}
