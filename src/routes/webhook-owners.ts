import type { FailureKind } from "../domain/ledger/failure.ts";
import {
  EVENT_TYPES,
  type EventType,
  PLATFORM_EVENT_TYPES,
  TEST_EVENT,
} from "../domain/webhooks/event.ts";
import type { KeyCaller, MirrorCaller, PlatformCaller } from "../http/call.ts";
import type { FailureOf } from "../http/route.ts";
import {
  NewPlatformWebhookInput,
  NewWebhookInput,
  PlatformWebhookPatchInput,
  WebhookPatchInput,
} from "../api/native/webhook.ts";
import { idempotencyOf } from "../http/call-labels.ts";
import {
  type AccountObject,
  KEY_USED,
  readAccount,
  readTenant,
  writeAccount,
  writeTenant,
  TENANT_READ,
} from "../edge/bindings.ts";

// Owners of endpoints: a tenant and the platform. Their routes do the same (`webhooks.ts`), with
// another object, at another path.

export interface OwnerCall {
  readonly env: Env;
  readonly request: Request;
  readonly fingerprint: () => Promise<string>;
  readonly caller: KeyCaller | MirrorCaller | PlatformCaller;
}

interface Words {
  readonly summary: string;
  readonly description?: string;
}

type KeyUsed = (typeof KEY_USED)[number];

export interface WebhookOwner {
  readonly base: "/v1" | "/admin";
  readonly mirror: "/admin/tenants/:tenant" | null;
  readonly auth:
    | { readonly kind: "key"; readonly roles: readonly [] }
    | { readonly kind: "platform" };
  /** What its object may answer to any request. */
  readonly refusals: readonly (typeof TENANT_READ)[number][];
  /** Where an idempotency key is honoured. */
  readonly keyRefusals: readonly KeyUsed[];
  readonly eventTypes: readonly EventType[];
  readonly newWebhook: typeof NewWebhookInput | typeof NewPlatformWebhookInput;
  readonly webhookPatch: typeof WebhookPatchInput | typeof PlatformWebhookPatchInput;
  readonly words: Readonly<Record<Operation, Words>>;
  readonly objectOf: (call: OwnerCall) => WebhookObject;
  /** Whether the caller may see what receivers replied: that is for the owner of the endpoint. */
  readonly ownsReplies: (call: OwnerCall) => boolean;
}

type Operation =
  | "create"
  | "list"
  | "get"
  | "patch"
  | "remove"
  | "rotate"
  | "test"
  | "deliveries"
  | "replay"
  | "replayDelivery"
  | "events"
  | "event";

type Refused<K extends FailureKind = never> = FailureOf<
  (typeof TENANT_READ)[number] | "invalid_key" | "invalid_request" | "unavailable" | K
>;

type Answer<Method extends keyof AccountObject, Kind extends string> = Extract<
  Awaited<ReturnType<AccountObject[Method]>>,
  { readonly kind: Kind }
>;
type Argument<Method extends keyof AccountObject> = Parameters<AccountObject[Method]>[0];

/** What an owner's object does with endpoints. */
interface WebhookObject {
  /** `repeated`: an earlier request with the same idempotency key made it. */
  create(
    webhook: Argument<"createWebhook">,
  ): Promise<
    | (Answer<"createWebhook", "webhook"> & { readonly repeated: boolean })
    | Refused<KeyUsed | "over_limit">
  >;
  list(): Promise<
    | {
        readonly kind: "webhooks";
        readonly webhooks: readonly Answer<"readWebhook", "webhook">["webhook"][];
      }
    | Refused
  >;
  read(id: string): Promise<Answer<"readWebhook", "webhook"> | Refused>;
  change(
    id: string,
    change: Parameters<AccountObject["changeWebhook"]>[1],
  ): Promise<Answer<"changeWebhook", "webhook"> | Refused>;
  remove(id: string): Promise<{ readonly kind: "deleted" } | Refused>;
  /** `repeated`: as of `create`. */
  rotate(
    request: Argument<"rotateWebhook">,
  ): Promise<
    (Answer<"rotateWebhook", "webhook"> & { readonly repeated: boolean }) | Refused<KeyUsed>
  >;
  test(id: string): Promise<Answer<"tryWebhook", "delivery"> | Refused>;
  listDeliveries(
    query: Argument<"listDeliveries">,
  ): Promise<Answer<"listDeliveries", "deliveries"> | Refused>;
  replay(request: Argument<"replayWebhook">): Promise<Answer<"replayWebhook", "webhook"> | Refused>;
  replayDelivery(
    id: string,
  ): Promise<Answer<"replayDelivery", "delivery"> | Refused<"webhook_disabled">>;
  listEvents(
    query: Argument<"listEvents">,
  ): Promise<
    | ({ readonly kind: "events" } & Exclude<
        Awaited<ReturnType<AccountObject["listEvents"]>>,
        { readonly kind: string }
      >)
    | Refused
  >;
  readEvent(id: string): Promise<Answer<"readEvent", "event"> | Refused>;
}

function objectOfTenant({ env, caller, ...request }: OwnerCall): WebhookObject {
  if (!("tenant" in caller)) throw new Error("the caller names no tenant");
  const call = { env, caller };
  return {
    create: async (webhook) => {
      const read = await idempotencyOf(request);
      if (read.kind !== "read") return read;
      const { idempotency } = read;
      const creation = { route: "POST /v1/webhooks", webhook, idempotency };
      return writeTenant(call, (tenant, by) => tenant.createWebhook(by, creation));
    },
    list: () => readTenant(call, (tenant, by) => tenant.listWebhooks(by)),
    read: (id) => readTenant(call, (tenant, by) => tenant.readWebhook(by, id)),
    change: (id, change) => writeTenant(call, (tenant, by) => tenant.changeWebhook(by, id, change)),
    remove: (id) => writeTenant(call, (tenant, by) => tenant.deleteWebhook(by, id)),
    rotate: async (rotation) => {
      const read = await idempotencyOf(request);
      if (read.kind !== "read") return read;
      const route = `POST /v1/webhooks/${rotation.id}/rotate`;
      const { idempotency } = read;
      return writeTenant(call, (tenant, by) =>
        tenant.rotateWebhook(by, { route, rotation, idempotency }),
      );
    },
    test: (id) => writeTenant(call, (tenant, by) => tenant.tryWebhook(by, id)),
    listDeliveries: (query) => readTenant(call, (tenant, by) => tenant.listDeliveries(by, query)),
    replay: (range) => writeTenant(call, (tenant, by) => tenant.replayWebhook(by, range)),
    replayDelivery: (id) => writeTenant(call, (tenant, by) => tenant.replayDelivery(by, id)),
    listEvents: (query) => readTenant(call, (tenant, by) => tenant.listEvents(by, query)),
    readEvent: (id) => readTenant(call, (tenant, by) => tenant.readEvent(by, id)),
  };
}

const objectOfPlatform = ({ env }: OwnerCall): WebhookObject => ({
  create: async (webhook) => {
    const made = await writeAccount(env, (account) => account.createWebhook(webhook));
    return made.kind === "webhook" ? { ...made, repeated: false } : made;
  },
  list: async () => {
    const webhooks = await readAccount(env, (account) => account.listWebhooks());
    return "kind" in webhooks ? webhooks : { kind: "webhooks", webhooks };
  },
  read: (id) => readAccount(env, (account) => account.readWebhook(id)),
  change: (id, change) => writeAccount(env, (account) => account.changeWebhook(id, change)),
  remove: (id) => writeAccount(env, (account) => account.deleteWebhook(id)),
  rotate: async (rotation) => {
    const rotated = await writeAccount(env, (account) => account.rotateWebhook(rotation));
    return rotated.kind === "webhook" ? { ...rotated, repeated: false } : rotated;
  },
  test: (id) => writeAccount(env, (account) => account.tryWebhook(id)),
  listDeliveries: (query) => readAccount(env, (account) => account.listDeliveries(query)),
  replay: (range) => writeAccount(env, (account) => account.replayWebhook(range)),
  replayDelivery: (id) => writeAccount(env, (account) => account.replayDelivery(id)),
  listEvents: async (query) => {
    const page = await readAccount(env, (account) => account.listEvents(query));
    return "kind" in page ? page : { kind: "events", ...page };
  },
  readEvent: (id) => readAccount(env, (account) => account.readEvent(id)),
});

export const TENANT_OWNER: WebhookOwner = {
  base: "/v1",
  mirror: "/admin/tenants/:tenant",
  auth: { kind: "key", roles: [] },
  refusals: TENANT_READ,
  keyRefusals: KEY_USED,
  eventTypes: [...EVENT_TYPES, TEST_EVENT],
  newWebhook: NewWebhookInput,
  webhookPatch: WebhookPatchInput,
  objectOf: objectOfTenant,
  ownsReplies: ({ caller }) => caller.kind === "key",
  words: {
    create: { summary: "Add an endpoint; its secret is shown once" },
    list: { summary: "All endpoints, newest first, without their secrets" },
    get: { summary: "One endpoint" },
    patch: {
      summary: "Change an endpoint; one that was disabled goes on from now",
      description:
        "Another `url`, and `enabled: true`, end a wait that the endpoint had asked for: all that waits goes out.",
    },
    remove: { summary: "Delete an endpoint; nothing is delivered to it any more" },
    rotate: { summary: "Replace an endpoint's secret; both sign for an overlap" },
    test: {
      summary: "Deliver a test event at once, and say how that went",
      description:
        "One attempt, whether the endpoint is enabled or not. It is not tried again. If it is accepted, a wait that the endpoint had asked for ends, and all that waits goes out.",
    },
    deliveries: {
      summary: "Deliveries to an endpoint with their attempts, newest event first",
      description:
        "What is behind the endpoint's cursor was not tried yet and is not listed. A page looks at a bounded number: it may hold fewer than `limit`, so go on while `has_more`.",
    },
    replay: {
      summary: "Deliver the events of a time once more",
      description:
        "Under the same `webhook-id`, the oldest first, after what is new. One range at a time: a later one replaces it. A wait that the endpoint had asked for ends. While it is disabled the replay waits until it is enabled.",
    },
    replayDelivery: {
      summary: "Deliver one event to one endpoint once more",
      description:
        "It is tried at once, even if the endpoint asked for a wait, and then by the whole schedule. If it is accepted, all waiting messages are sent. Of a disabled endpoint: 409.",
    },
    events: {
      summary: "What happened, oldest first",
      description:
        "Only what an endpoint had subscribed to is recorded. The id of the last event is the cursor of what follows, also after the last page. A page looks at a bounded number of events: it may hold fewer than `limit`, so go on while `has_more`.",
    },
    event: { summary: "One event" },
  },
};

export const PLATFORM_OWNER: WebhookOwner = {
  base: "/admin",
  mirror: null,
  auth: { kind: "platform" },
  refusals: [],
  keyRefusals: [],
  eventTypes: [...PLATFORM_EVENT_TYPES, TEST_EVENT],
  newWebhook: NewPlatformWebhookInput,
  webhookPatch: PlatformWebhookPatchInput,
  objectOf: objectOfPlatform,
  ownsReplies: () => true,
  words: {
    create: { summary: "Add an endpoint of the platform; its secret is shown once" },
    list: { summary: "All endpoints of the platform, newest first, without their secrets" },
    get: { summary: "One endpoint of the platform" },
    patch: {
      summary: "Change an endpoint of the platform; one that was disabled goes on from now",
    },
    remove: { summary: "Delete an endpoint of the platform" },
    rotate: {
      summary: "Replace the secret of an endpoint of the platform; both sign for an overlap",
    },
    test: {
      summary: "Deliver a test event to an endpoint of the platform, and say how that went",
    },
    deliveries: { summary: "Deliveries to an endpoint of the platform, newest event first" },
    replay: { summary: "Deliver the events of a time to an endpoint of the platform once more" },
    replayDelivery: { summary: "Deliver one event to one endpoint of the platform once more" },
    events: {
      summary: "What happened that the platform subscribed to, oldest first",
      description:
        "The id of the last event is the cursor of what follows, also after the last page.",
    },
    event: { summary: "One event of the platform" },
  },
};
