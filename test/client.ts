import {
  createExecutionContext,
  runInDurableObject,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import * as v from "valibot";
import { expect } from "vitest";
import { ACCOUNT_NAME } from "../durable-objects/account/account-protocol.ts";
import type { Role } from "../src/domain/tenant/role.ts";
import { actionOf, failureKinds, type Mount, mountsOf } from "../src/http/mount.ts";
import worker from "../src/index.ts";
import { ROUTES } from "../src/routes/routes.ts";
import { changedNothing } from "./audited.ts";
import { hide, hideContent } from "./printed.ts";

// A tenant's and the platform's way into the Worker, for tests. Three things are held for every
// request that is sent from here: the reply is what its route declares (so schema and reality
// cannot drift apart), an act of the platform is in the audit log once it is done, and nothing
// secret or moderated is printed.

const ORIGIN = "https://gateway.test";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into replies freely
  readonly body: any;
}

export interface Ask {
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bindings that are other than the test run's, e.g. `{ INFERENCE: "workers-ai" }`. */
  readonly env?: Readonly<Record<string, unknown>>;
}

/** Bindings with which a batch or a pipeline is made and not run: a run would go on after its test. */
export const WITHOUT_RUNS = {
  BATCHES: { create: () => Promise.resolve({}) },
  PIPELINES: { create: () => Promise.resolve({}) },
};

/** One request; `key` is a tenant key or the admin token, `body` is sent as JSON. */
export async function ask(method: string, path: string, options: Ask = {}): Promise<Reply> {
  const { key, body, headers, env: other } = options;
  hide(key);
  hideContent(body);
  const request = new Request(ORIGIN + path, {
    method,
    headers: {
      ...(key === undefined || key === null ? {} : { Authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: encoded(body) }),
  });
  const response =
    other === undefined ? await exports.default.fetch(request) : await fetchAs(other, request);
  const text = new TextDecoder().decode(await response.arrayBuffer());
  const isJson = /^application\/(problem\+)?json\b/.test(
    response.headers.get("content-type") ?? "",
  );
  const reply: Reply = {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== "" ? JSON.parse(text) : text,
  };
  if (isJson && text !== "") expectDeclared(method, path, reply);
  if (other === undefined) await expectRecorded(method, path, reply);
  hide(reply.body?.key);
  hide(reply.body?.secret);
  return reply;
}

function encoded(body: unknown): string | Uint8Array<ArrayBuffer> {
  if (body instanceof Uint8Array) return body.slice();
  return typeof body === "string" ? body : JSON.stringify(body);
}

const environments = new WeakMap<object, Env>();

async function fetchAs(
  other: Readonly<Record<string, unknown>>,
  request: Request,
): Promise<Response> {
  const own: Env = environments.get(other) ?? { ...env, ...other };
  environments.set(other, own);
  const ctx = createExecutionContext();
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], own, ctx);
  // A long reply is a part of its call until it was read.
  const isJson = response.headers.get("content-type") === "application/json";
  const whole = isJson ? new Response(await response.arrayBuffer(), response) : response;
  await waitOnExecutionContext(ctx);
  return whole;
}

// What a route declares

const MOUNTS = mountsOf(ROUTES).map((mount) => ({
  mount,
  pattern: new RegExp(
    `^${mount.path
      .replaceAll("$", "\\$")
      .replace(/(?<=\/):\w+\+/g, "[^/]+(?:/[^/]+)*")
      .replace(/(?<=\/):\w+/g, "[^/]+")}$`,
  ),
}));

/** The mount that answers a request, found without the router's own table. */
export const mountFor = (method: string, path: string): Mount | undefined =>
  MOUNTS.find(
    ({ mount, pattern }) =>
      mount.method === (method === "HEAD" ? "GET" : method) &&
      // A colon or a dollar sign may be escaped.
      pattern.test((path.split("?")[0] ?? "").replace(/%3a/i, ":").replace("%24", "$$")),
  )?.mount;

function expectDeclared(method: string, path: string, { status, headers, body }: Reply): void {
  const mount = mountFor(method, path);
  const label = `${method} ${path}`;
  if (status < 300) {
    if (mount === undefined) throw new Error(`${label} is answered by no route`);
    // Parsing leaves out what the schema does not know: an undeclared key is a difference.
    const parsed = v.safeParse(mount.route.reply.schema, body);
    expect(parsed.issues ?? [], `${label} is what its route declares`).toEqual([]);
    expect(parsed.output, `${label} has declared keys only`).toEqual(body);
    return;
  }
  const failure = failureIn(body);
  expect(failure.request_id, `${label} names its request`).toBe(headers.get("x-request-id"));
  // 405 and paths that are not there belong to no route; a closed gateway answers for all.
  const ofAll = ["unavailable", "method_not_allowed"].includes(failure.kind);
  if (mount !== undefined && !ofAll) {
    expect(failureKinds(mount), `${label} declares its failures`).toContain(failure.kind);
  }
}

/** Not of environments that a test has made: there the log may be one that forgets. */
async function expectRecorded(method: string, path: string, reply: Reply): Promise<void> {
  const mount = mountFor(method, path);
  if (mount?.auth.kind !== "platform" || reply.status >= 300) return;
  const { audit } = mount.route;
  if (audit === undefined || changedNothing(reply.body)) return;
  const requestId = reply.headers.get("x-request-id");
  const account = env.ACCOUNT.getByName(ACCOUNT_NAME);
  const acts = await runInDurableObject(account, (_, { storage }) =>
    storage.sql
      .exec<{ action: string }>("SELECT action FROM audit WHERE request_id = ?", requestId)
      .toArray()
      .map(({ action }) => action),
  );
  // The one of an act; of several acts there may be more entries, all of that name.
  const expected = audit === "act" ? [actionOf(mount)] : expect.arrayContaining([actionOf(mount)]);
  expect(acts, `${method} ${path} is in the audit log`).toEqual(expected);
}

/** A failing reply's own members, in whichever of the shapes. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into replies freely
export function failureIn(body: any): any {
  return body.success === false ? body.errors[0] : (body.error ?? body);
}

// Tenants

export const admin = (method: string, path: string, body?: unknown): Promise<Reply> =>
  ask(method, path, { key: env.ADMIN_TOKEN, ...(body === undefined ? {} : { body }) });

/** The deployed engine, on the real `Ai` class with the fake behind it. */
export const WORKERS_AI = { INFERENCE: "workers-ai" } as const;

export interface TestTenant {
  readonly id: string;
  readonly key: string;
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Ask["headers"],
  ) => Promise<Reply>;
  /** The same through the engine that is deployed. */
  readonly onWorkersAi: TestTenant["call"];
}

/** A new tenant with a key; settings over plan free and 10,000 neurons. */
export async function makeTenant(
  id: string,
  settings: Readonly<Record<string, unknown>> = {},
  role: Role = "manage",
): Promise<TestTenant> {
  const made = await admin("PUT", `/admin/tenants/${id}`, {
    plan: "free",
    daily_neurons: 10_000,
    ...(settings["plan"] === "paid" && { overage_cap_neurons: "unlimited" }),
    ...settings,
  });
  if (made.status >= 300) throw new Error(`the tenant was not made: ${JSON.stringify(made.body)}`);
  const key = await makeKey(id, role);
  const calls =
    (other?: Ask["env"]): TestTenant["call"] =>
    (method, path, body, headers) =>
      ask(method, path, {
        key,
        body,
        ...(headers === undefined ? {} : { headers }),
        ...(other === undefined ? {} : { env: other }),
      });
  return { id, key, call: calls(), onWorkersAi: calls(WORKERS_AI) };
}

export async function makeKey(tenant: string, role: Role): Promise<string> {
  const issued = await admin("POST", `/admin/tenants/${tenant}/keys`, { role });
  return issued.body.key as string;
}

/** Calls of the dearest models fit into a free account's day, and hold more than one call may of it. */
export const admitDearCalls = (): Promise<Reply> =>
  admin("PATCH", "/admin/account", { max_hold_share: 1 });
