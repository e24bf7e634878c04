import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { ACCOUNT, type Mount, mountsOf } from "../../src/http/mount.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import {
  admin,
  ask,
  failureIn,
  makeKey,
  makeTenant,
  type Reply,
  type TestTenant,
} from "../client.ts";
import { GOOD_BODIES, goodRequest } from "./good-requests.ts";

// Who may ask what, over every route in the list: a new route is covered by being in it. There is
// one test a route and matter; it tries every key, and a failure names the route and the first key.

const MOUNTS = mountsOf(ROUTES);
const label = ({ method, path }: Mount): string => `${method} ${path}`;

/** Keys, roles or ids, tried one after the other. */
async function forEachOf<Case>(cases: readonly Case[], check: (one: Case) => Promise<void>) {
  for (const one of cases) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await check(one);
  }
}

/** One test for each route. */
const forEachMount = (
  mounts: readonly Mount[],
  name: (label: string) => string,
  check: (mount: Mount, label: string) => Promise<void>,
): void => {
  for (const mount of mounts) it(name(label(mount)), () => check(mount, label(mount)));
};

const GUARDED = MOUNTS.filter(({ auth }) => auth.kind !== "none");
const KEYED = MOUNTS.filter(({ auth }) => auth.kind === "key");
const PLATFORM = MOUNTS.filter(({ auth }) => auth.kind === "platform");
const OPEN = MOUNTS.filter(({ auth }) => auth.kind === "none");

/** A path with every parameter filled. */
const pathOf = ({ path }: Mount, params: Readonly<Record<string, string>> = {}): string =>
  path.replace(/(?<=\/):(\w+)\+?/g, (_, name: string) => params[name] ?? PARAMS[name] ?? "nobody");

/** What a path must name for the one that calls to be let in at all. */
const PARAMS: Readonly<Record<string, string>> = {
  account: "acme",
  index: "0",
  month: "2026-11",
  model: "@cf/huggingface/distilbert-sst-2-int8",
};

interface Sent {
  readonly path?: string;
  readonly env?: Readonly<Record<string, unknown>>;
}

function send(mount: Mount, key: string | null, options: Sent = {}): Promise<Reply> {
  const { path = pathOf(mount), ...rest } = options;
  const { query, ...request } = goodRequest(mount.route);
  return ask(mount.method, path + query, { key, ...request, ...rest });
}

const kindOf = ({ body }: Reply): string => failureIn(body).kind;

/** `what` names the route and the key, or whatever else was tried. */
function expectRefused(reply: Reply, what: string): void {
  expect(kindOf(reply), what).toBe("invalid_key");
  // Google's front end says it in another way.
  if (what.includes("/v1alpha1/")) {
    expect(reply.status, what).toBe(what.endsWith("without a key") ? 403 : 400);
    return;
  }
  expect(reply.status, what).toBe(401);
  expect(reply.headers.get("WWW-Authenticate"), what).toBe("Bearer");
}

const keyNamed = (name: string): string => {
  const key = keys[name];
  if (key === undefined) throw new Error(`the key was not made: ${name}`);
  return key;
};

let acme: TestTenant;
let other: TestTenant;
let acmeVerdict: string;
let acmeKeyId: string;
let acmeImage: string;
let acmeWebhook: string;
let acmeBatch: string;
let acmeRun: string;
let acmeErasure: string;
let acmeSession: string;
const keys: Record<string, string> = {};

beforeAll(async () => {
  await migrateReports(env.REPORTS);
  acme = await makeTenant("acme");
  other = await makeTenant("other");
  const made = await acme.call("POST", "/v1/verdicts", {
    text: "Nice to meet you all here today",
    user_id: "u_acme_1",
    content_id: "post_acme_1",
  });
  acmeVerdict = made.body.id;
  const images = await acme.call("POST", "/v1/images", { prompt: "zyzzyva", user_id: "u_acme_1" });
  acmeImage = images.body.data[0].id;
  const webhook = await acme.call("POST", "/v1/webhooks", GOOD_BODIES["POST /v1/webhooks"]);
  acmeWebhook = webhook.body.id;
  const batch = await acme.call("POST", "/v1/verdicts/batches", {
    items: [{ text: "Nice to meet you all here today", user_id: "u_acme_1" }],
  });
  acmeBatch = batch.body.id;
  const run = await acme.call("POST", "/v1/pipelines/runs", {
    documents: [{ type: "other", content: "zyzzyva", user_id: "u_acme_1" }],
    steps: ["moderate"],
  });
  acmeRun = run.body.id;
  const erasure = await acme.call("POST", "/v1/erasures", { user_id: "u_acme_gone" });
  acmeErasure = erasure.body.id;
  const session = await acme.call("POST", "/v1/sessions", GOOD_BODIES["POST /v1/sessions"]);
  acmeSession = session.body.id;
  await acme.call("PUT", "/v1/policies/house", { terms: { block: ["zyzzyva"] } });
  keys["call"] = await makeKey("acme", "call");
  keys["review"] = await makeKey("acme", "review");
  keys["score"] = await makeKey("acme", "score");
  keys["manage"] = acme.key;
  const listed = await acme.call("GET", "/v1/keys");
  acmeKeyId = listed.body.data.at(-1).id;
  const revoked = await acme.call("POST", "/v1/keys", { role: "manage" });
  await acme.call("DELETE", `/v1/keys/${revoked.body.id}`);
  keys["revoked"] = revoked.body.key;
  const expires_at = new Date(Date.now() + 200).toISOString();
  keys["expired"] = (await acme.call("POST", "/v1/keys", { role: "manage", expires_at })).body.key;
  await scheduler.wait(220);
  const tail = acme.key.endsWith("A") ? "B" : "A";
  keys["forged"] = acme.key.slice(0, -1) + tail;
  // Another tenant's name on a good secret and checksum.
  keys["renamed"] = acme.key.replace("ng_acme_", "ng_other_");
  keys["unknown tenant"] = acme.key.replace("ng_acme_", "ng_nobody_");
  keys["malformed"] = "ng_acme_short";
  keys["not a key"] = "undefined";
  keys["admin token cut short"] = env.ADMIN_TOKEN.slice(0, -1);
});

const BAD_KEYS = [
  "revoked",
  "expired",
  "forged",
  "renamed",
  "unknown tenant",
  "malformed",
  "not a key",
  "admin token cut short",
];

/** The same objects each time: what is wrong with an environment is logged once. */
const MISCONFIGURED = [{ KEY_SECRETS: "" }, { ADMIN_TOKEN: "short" }, { INFERENCE: "gpt" }];

describe("routes with a key", () => {
  forEachMount(
    GUARDED,
    (name) => `${name} is closed without a right key`,
    async (mount, name) => {
      expectRefused(await send(mount, null), `${name} without a key`);
      await forEachOf(BAD_KEYS, async (bad) => {
        expectRefused(await send(mount, keyNamed(bad)), `${name} with a key that is: ${bad}`);
      });
      const wrong = mount.auth.kind === "platform" ? acme.key : env.ADMIN_TOKEN;
      expectRefused(await send(mount, wrong), `${name} with the other kind of credential`);
    },
  );

  forEachMount(
    GUARDED,
    (name) => `${name} is closed, not open, while a server secret is missing`,
    async (mount, name) => {
      const key = mount.auth.kind === "platform" ? env.ADMIN_TOKEN : acme.key;
      await forEachOf(MISCONFIGURED, async (missing) => {
        const reply = await send(mount, key, { env: missing });
        const what = `${name} with ${JSON.stringify(missing)}`;
        expect(reply.status, what).toBe(503);
        expect(kindOf(reply), what).toBe("unavailable");
        expect(reply.headers.get("x-should-retry"), what).toBe("false");
      });
    },
  );

  forEachMount(
    GUARDED,
    (name) => `${name} answers only its own methods`,
    async (mount) => {
      const reply = await ask("OPTIONS", pathOf(mount), { key: acme.key });
      expect(reply.status).toBe(405);
      expect(reply.headers.get("Allow")?.split(", ")).toContain(mount.method);
    },
  );
});

/** The embedded engine is asked for what it cannot do: nothing ran, and the caller was let in. */
const UNABLE: readonly number[] = [501];

const ROLES = ["call", "review", "manage", "score"] as const;

describe("the role", () => {
  forEachMount(
    KEYED,
    (name) => `for ${name}`,
    async (mount, name) => {
      const admitted = mount.auth.kind === "key" ? mount.auth.roles : [];
      await forEachOf(ROLES, async (role) => {
        const id = role === "manage" ? "missing" : acmeKeyId;
        const path = pathOf(mount, { name: "house", id });
        const reply = await send(mount, keyNamed(role), { path });
        const what = `${name} with a key of role ${role}`;
        if (role === "manage" || admitted.includes(role)) {
          expect(kindOf(reply), what).not.toBe("role_required");
          expect([200, 201, 202, 204, 404, ...UNABLE], what).toContain(reply.status);
        } else {
          expect(reply.status, what).toBe(403);
          expect(kindOf(reply), what).toBe("role_required");
        }
      });
    },
  );

  // One suspension for all of them: what a suspended tenant asks changes nothing.
  describe("of a suspended tenant", () => {
    beforeAll(async () => {
      await admin("PATCH", "/admin/tenants/other", { suspended: true });
      return async () => {
        await admin("PATCH", "/admin/tenants/other", { suspended: false });
      };
    });

    forEachMount(
      KEYED,
      (name) => `is refused on ${name}`,
      async (mount) => {
        const reply = await send(mount, other.key, { path: pathOf(mount, { account: "other" }) });
        expect(reply.status).toBe(403);
        expect(kindOf(reply)).toBe("tenant_suspended");
      },
    );
  });
});

describe("what a role opens", () => {
  // The contract, section 2. `manage` opens everything; a route that is not here opens to it alone.
  it.each([
    {
      role: "call" as const,
      routes: [
        "POST /v1/verdicts/batches",
        "GET /v1/verdicts/batches",
        "GET /v1/verdicts/batches/:id",
        "POST /v1/verdicts/batches/:id/cancel",
        "GET /v1/verdicts/batches/:id/steps",
        "POST /v1/pipelines/runs",
        "GET /v1/pipelines/runs",
        "GET /v1/pipelines/runs/:id",
        "POST /v1/pipelines/runs/:id/cancel",
        "GET /v1/pipelines/runs/:id/steps",
        "GET /v1/pipelines/runs/:id/events",
        "POST /v1/verdicts",
        "GET /v1/verdicts/:id",
        "GET /v1/verdicts/:id/revisions",
        "POST /v1/moderations",
        "POST /v1alpha1/comments:analyze",
        "POST /v1alpha1/comments:suggestscore",
        "POST /v1/embeddings",
        "POST /v1/chat/completions",
        "POST /v1/completions",
        "POST /v1/responses",
        "GET /v1/responses/:id",
        "DELETE /v1/responses/:id",
        "GET /v1/responses/:id/input_items",
        "POST /v1/sessions",
        "GET /v1/sessions/:id",
        "DELETE /v1/sessions/:id",
        "POST /v1/sessions/:id/messages",
        "GET /v1/sessions/:id/messages",
        "GET /v1/limits",
        "GET /v1/live",
        "GET /v1/usage",
        "GET /v1/refusals",
        "GET /v1/invariants",
        "POST /v1/translations",
        `POST ${ACCOUNT}/ai/run/:model+`,
        `GET ${ACCOUNT}/ai/models/schema`,
        `GET ${ACCOUNT}/ai/models/search`,
        `GET ${ACCOUNT}/ai/tasks/search`,
        `GET ${ACCOUNT}/ai/tomarkdown/supported`,
        "GET /v1/models",
        "GET /v1/models/:id+",
        "POST /v1/quote",
        "POST /v1/documents",
        "GET /v1/documents",
        "GET /v1/documents/:id",
        "DELETE /v1/documents/:id",
        "POST /v1/documents/:id/embed",
        "POST /v1/documents/search",
        "POST /v1/documents/answer",
        "POST /v1/images/generations",
        "POST /v1/images/edits",
        "POST /v1/images/variations",
        "POST /v1/images",
        "GET /v1/images/:id",
        "GET /v1/images/:id/metadata",
        "POST /v1/images/:id/variations",
        "GET /v1/transformations",
        "POST /v1/audio/speech",
        "POST /v1/audio/transcriptions",
        "POST /v1/audio/translations",
      ],
    },
    {
      role: "score" as const,
      routes: ["POST /v1alpha1/comments:analyze", "POST /v1alpha1/comments:suggestscore"],
    },
    {
      role: "review" as const,
      routes: [
        "GET /v1/verdicts",
        "GET /v1/verdicts/:id",
        "GET /v1/verdicts/:id/revisions",
        "POST /v1/verdicts/:id/review",
        "POST /v1/verdicts/claim",
        "GET /v1/verdicts/:id/content",
        "GET /v1/verdicts/:id/content/:index",
        "GET /v1/images/:id",
        "GET /v1/images/:id/metadata",
      ],
    },
  ])("is no more for $role than the contract says", ({ role, routes }) => {
    const own = KEYED.filter(({ path, route }) => path === route.path);
    const opened = own.filter(({ auth }) => auth.kind === "key" && auth.roles.includes(role));
    expect(opened.map(label).toSorted()).toEqual(routes.toSorted());
  });

  it("is the same below an account", () => {
    const again = KEYED.filter(({ path, route, mirrored }) => path !== route.path && !mirrored);
    expect(again.map(({ path }) => path)).toContain(`${ACCOUNT}/ai/v1/embeddings`);
    for (const { path, route, auth } of again) {
      expect(path).toBe(`${ACCOUNT}/ai${route.path}`);
      expect(route.surface).toBe("openai");
      expect(auth).toEqual(route.auth);
    }
  });

  it("is /healthz, /openapi.json and the discovery document for everybody", () => {
    expect(OPEN.map(label).toSorted()).toEqual([
      "GET /$discovery/rest",
      "GET /healthz",
      "GET /openapi.json",
    ]);
  });
});

describe("another tenant", () => {
  forEachMount(
    KEYED,
    (name) => `on ${name} reads, changes and spends nothing of this one`,
    async (mount, name) => {
      const before = await acme.call("GET", "/v1/limits");
      const ids = [
        acmeVerdict,
        acmeKeyId,
        acmeImage,
        acmeErasure,
        acmeWebhook,
        acmeBatch,
        acmeRun,
        acmeSession,
      ];
      const takesId = mount.path.includes("/:id");
      await forEachOf(takesId ? ids : ids.slice(0, 1), async (id) => {
        const path = pathOf(mount, { id, name: "house", account: "other" });
        const reply = await send(mount, other.key, { path });
        const what = `${name} with the other tenant's key, for ${id}`;
        // A problem's `instance` is the path that was asked for.
        const told = JSON.stringify({ ...reply.body, instance: null });
        for (const own of [...ids, "u_acme_1", "post_acme_1", "zyzzyva"]) {
          // A model that is not there is named as it was asked for.
          if (own === id && kindOf(reply) === "model_not_found") continue;
          expect(told, what).not.toContain(own);
        }
        if (takesId) expect(reply.status, what).toBe(404);
      });
      const after = await acme.call("GET", "/v1/limits");
      expect(after.body.posted_micro_neurons).toBe(before.body.posted_micro_neurons);
      expect((await acme.call("GET", `/v1/verdicts/${acmeVerdict}`)).status).toBe(200);
      expect((await ask("GET", "/v1/limits", { key: keyNamed("call") })).status).toBe(200);
    },
  );
});

/** What a failing reply tells, but for the name of its request. */
function unnamed({ body }: Reply): unknown {
  const { request_id: _, ...told } = failureIn(body);
  return told;
}

const headerNames = ({ headers }: Reply): string[] => [...headers.keys()].toSorted();

/** Accounts in a path that are not the key's own. */
const BAD_ACCOUNTS = [
  "other",
  "nobody",
  "%20",
  "ACME",
  "acme%20",
  "%",
  "acme%2F..",
  ":account",
  "__proto__",
];

describe("an account", () => {
  const mounts = KEYED.filter(({ account }) => account);

  forEachMount(
    mounts,
    (name) => `on ${name} that is not the key's own tells nothing`,
    async (mount, name) => {
      const bad = await send(mount, keyNamed("forged"));
      await forEachOf(BAD_ACCOUNTS, async (account) => {
        const reply = await send(mount, acme.key, { path: pathOf(mount, { account }) });
        const what = `${name} with another's key, for the account ${account}`;
        expectRefused(reply, what);
        expect(unnamed(reply), what).toEqual(unnamed(bad));
        expect(headerNames(reply), what).toEqual(headerNames(bad));
      });
    },
  );

  forEachMount(
    mounts,
    (name) => `on ${name} is the tenant's own however it is written`,
    async (mount) => {
      const reply = await send(mount, acme.key, { path: pathOf(mount, { account: "%61cme" }) });
      expect([200, 404, ...UNABLE]).toContain(reply.status);
    },
  );
});

describe("the platform", () => {
  forEachMount(
    PLATFORM,
    (name) => `on ${name} is let in`,
    async (mount) => {
      const reply = await send(mount, env.ADMIN_TOKEN, {
        path: pathOf(mount, { tenant: "platform-probe" }),
      });
      expect([200, 201, 202, 400, 404]).toContain(reply.status);
      if (reply.status === 404) expect(kindOf(reply)).toBe("not_found");
    },
  );
});

describe("open routes", () => {
  forEachMount(
    OPEN,
    (name) => `${name} needs no key`,
    async (mount) => {
      expect((await send(mount, null)).status).toBe(200);
    },
  );
});

describe("a gateway without secrets", () => {
  it("answers nothing but /healthz, which says that it is not configured", async () => {
    const closed = { env: { KEY_SECRETS: "" } };
    expect((await ask("GET", "/healthz", closed)).body).toMatchObject({
      status: "ok",
      configured: false,
    });
    expect((await ask("GET", "/openapi.json", closed)).status).toBe(503);
    expect((await ask("GET", "/no/such/path", closed)).status).toBe(503);
  });

  it("makes no tenant for a key that names none", async () => {
    await ask("GET", "/v1/limits", { key: keyNamed("unknown tenant") });
    const tenants = await admin("GET", "/admin/tenants");
    expect(tenants.body.data.map(({ id }: { id: string }) => id)).not.toContain("nobody");
  });
});
