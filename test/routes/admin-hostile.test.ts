import { env, exports } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Mount, mountsOf } from "../../src/http/mount.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import { admin, ask, makeKey, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { makeTeamKey, Team, type TeamKey } from "../http/access-team.ts";

// The platform's routes, every one in the list, against those who have no business there: strangers,
// tenants, forged and expired tokens of Access, the pages of other sites, and script in every text.

const HEADER = "Cf-Access-Jwt-Assertion";
const OWN = "https://gateway.test";
const EVIL = "https://evil.example";

const PLATFORM = mountsOf(ROUTES).filter(({ auth }) => auth.kind === "platform");
const CHANGING = PLATFORM.filter(({ method }) => method !== "GET");
const table = (mounts: readonly Mount[]) =>
  mounts.map((mount) => ({ name: `${mount.method} ${mount.path}`, mount }) as const);

/** A tenant that is there, so that only who asks stands in the way. */
const pathOf = ({ path }: Mount, id = "missing"): string =>
  path
    .replace(":tenant", "acme")
    .replace(":month", "2026-11")
    .replace(":index", "0")
    .replace(/:\w+\+?/g, id);

let acme: TestTenant;
let before: unknown;
let team: Team;
let key: TeamKey;
const tokens: Record<string, string> = {};
const keys: Record<string, string> = {};

/** A tenant, and all that was ever done to it. */
async function asItIs(tenant: string): Promise<unknown> {
  const { body } = await admin("GET", `/admin/tenants/${tenant}`);
  const { body: audit } = await admin("GET", `/admin/audit?tenant=${tenant}`);
  return { tenant: body, acts: audit.data };
}

beforeAll(async () => {
  acme = await makeTenant("acme");
  keys["call"] = await makeKey("acme", "call");
  keys["review"] = await makeKey("acme", "review");
  keys["manage"] = acme.key;
  before = await asItIs("acme");
  team = new Team("hostile");
  key = await makeTeamKey("known");
  await team.publish(key);
  const stranger = { ...(await makeTeamKey("stranger")), kid: key.kid };
  const hourAgo = Math.floor(Date.now() / 1000) - 3600;
  tokens["good"] = await team.sign(key);
  tokens["expired"] = await team.sign(key, { exp: hourAgo });
  tokens["forged"] = await team.sign(stranger);
  tokens["of another application"] = await team.sign(key, { aud: ["b".repeat(64)] });
});

const sent = ({ method, route }: Mount) =>
  method === "GET" || route.body === undefined ? {} : { body: {} };

function expectRefused(reply: Reply): void {
  expect(reply.status).toBe(401);
  const { request_id: _, instance: __, ...told } = reply.body;
  expect(told).toEqual({
    type: "about:blank",
    title: "Unauthorized",
    status: 401,
    detail: expect.any(String),
    kind: "invalid_key",
  });
  expect(reply.headers.get("WWW-Authenticate")).toBe("Bearer");
  expectInert(reply);
}

/** Whatever a browser makes of it, nothing runs. */
function expectInert({ headers }: Reply): void {
  expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
  expect(headers.get("Content-Security-Policy")).toMatch(
    /^default-src 'none';.*frame-ancestors 'none'/,
  );
  expect(headers.get("Set-Cookie")).toBeNull();
  expect(headers.get("Access-Control-Allow-Credentials")).toBeNull();
}

describe.each(table(PLATFORM))("$name is closed to", ({ mount }) => {
  const visit = (headers: Record<string, string>): Promise<Reply> =>
    ask(mount.method, pathOf(mount), { ...sent(mount), headers, env: team.settings });

  it("nobody in particular", async () => {
    expectRefused(await visit({}));
  });

  it.each(["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer a b"])(
    "the header %o",
    async (authorization) => {
      expectRefused(await visit({ Authorization: authorization }));
    },
  );

  it("what is nearly the admin token", async () => {
    const token = env.ADMIN_TOKEN;
    for (const wrong of [`${token}x`, token.slice(1), token.toUpperCase(), `${token},${token}`]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expectRefused(await visit({ Authorization: `Bearer ${wrong}` }));
    }
  });

  it("the admin token anywhere but in its header", async () => {
    const token = env.ADMIN_TOKEN;
    expectRefused(await visit({ Cookie: `token=${token}; Authorization=Bearer ${token}` }));
    expectRefused(await visit({ "X-Api-Key": token, "X-Admin-Token": token }));
    const path = `${pathOf(mount)}?token=${token}&access_token=${token}`;
    expectRefused(await ask(mount.method, path, sent(mount)));
  });

  it.each(["call", "review", "manage"])("a tenant's key of the role %s", async (role) => {
    expectRefused(await visit({ Authorization: `Bearer ${keys[role]}` }));
  });

  it.each(["expired", "forged", "of another application"])(
    "a token of Access that is %s",
    async (which) => {
      expectRefused(await visit({ [HEADER]: tokens[which] ?? "" }));
    },
  );

  it("a good token of Access in a cookie alone", async () => {
    expectRefused(await visit({ Cookie: `CF_Authorization=${tokens["good"]}` }));
  });
});

describe.each(table(CHANGING))("the page of another site cannot use $name", ({ mount }) => {
  it.each(["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=b"])(
    "by a form of %s, whatever the browser adds",
    async (type) => {
      const headers = {
        Origin: EVIL,
        "Sec-Fetch-Site": "cross-site",
        "Content-Type": type,
        Cookie: `CF_Authorization=${tokens["good"]}`,
        [HEADER]: tokens["good"] ?? "",
      };
      const body = '{"plan":"paid","daily_neurons":1,"overage_cap_neurons":0}';
      const ways = { headers, body, env: team.settings };
      expectRefused(await ask(mount.method, pathOf(mount), ways));
    },
  );

  it("by a script: no preflight is answered for it", async () => {
    const response = await exports.default.fetch(
      new Request(OWN + pathOf(mount), {
        method: "OPTIONS",
        headers: { Origin: EVIL, "Access-Control-Request-Method": mount.method },
      }),
    );
    expect(response.status).toBe(405);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
  });

  it("and a form of our own host's is no JSON", async () => {
    if (mount.route.body === undefined) return;
    const headers = { Origin: OWN, "Content-Type": "text/plain", [HEADER]: tokens["good"] ?? "" };
    const reply = await ask(mount.method, pathOf(mount), {
      headers,
      body: '{"plan":"paid","daily_neurons":1,"overage_cap_neurons":0}',
      env: team.settings,
    });
    expect([reply.status, reply.body.kind]).toEqual([415, "unsupported_media_type"]);
  });
});

// Whatever the order of what was tried.
afterAll(async () => {
  expect(await asItIs("acme"), "nothing of that has changed anything").toEqual(before);
});

const SCRIPT = `</script><script>alert(1)</script><img src=x onerror=alert(2)>`;

/** Each text that somebody may write, wherever it is taken. */
const WRITTEN: readonly (readonly [string, string, unknown])[] = [
  [
    "PUT",
    "/admin/tenants/beset",
    { plan: "paid", daily_neurons: 9000, overage_cap_neurons: 0, aliases: { [SCRIPT]: "auto" } },
  ],
  ["POST", "/admin/tenants/beset/keys", { name: SCRIPT }],
  [
    "POST",
    "/admin/tenants/beset/grants",
    { neurons: 5, reason: SCRIPT, expires_at: "2036-01-01T00:00:00Z" },
  ],
  [
    "PUT",
    "/admin/tenants/beset/policies/house",
    { terms: { block: [SCRIPT.slice(0, 60)] }, spam_phrases: [SCRIPT.slice(0, 60)] },
  ],
  [
    "POST",
    "/admin/tenants/beset/webhooks",
    { url: "https://hooks.acme.dev/", events: ["quota.exceeded"], description: SCRIPT },
  ],
  [
    "POST",
    "/admin/webhooks",
    { url: "https://hooks.acme.dev/", events: ["quota.exceeded"], description: SCRIPT },
  ],
  ["POST", "/admin/tenants/beset/erasures", { user_id: SCRIPT }],
];

/** What no field takes: it comes back in what is said of it, if at all. */
const REFUSED: readonly (readonly [string, string, unknown])[] = [
  ["PUT", "/admin/tenants/beset", { plan: SCRIPT, daily_neurons: 1 }],
  ["PUT", "/admin/tenants/beset", { plan: "free", daily_neurons: 1, [SCRIPT]: 1 }],
  ["PUT", "/admin/state", { tenants: { [SCRIPT]: {} } }],
  ["PATCH", "/admin/tenants/beset", { rpm: { [SCRIPT]: 1 } }],
  ["POST", "/admin/webhooks", { url: `javascript:${SCRIPT}`, events: [SCRIPT] }],
];

function expectText(reply: Reply): void {
  expect(reply.headers.get("Content-Type")).not.toMatch(/html|xml|svg/);
  expectInert(reply);
}

const newest = async (path: string): Promise<Reply["body"]> =>
  (await admin("GET", path)).body.data[0];

let verdict: string;

/** Of what was written, where the path names one thing. */
const besetPath = (mount: Mount, id?: string): string =>
  pathOf({ ...mount, path: mount.path.replace(":tenant", "beset") }, id);

describe("script in every text", () => {
  beforeAll(async () => {
    for (const [method, path, body] of WRITTEN) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      const reply = await admin(method, path, body);
      expect(reply.status, `${method} ${path}: ${JSON.stringify(reply.body)}`).toBeLessThan(300);
      expectText(reply);
    }
    const besetKey = await makeKey("beset", "manage");
    for (const text of [`You idiot ${SCRIPT}`, `Kill yourself ${SCRIPT}`]) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      const reply = await ask("POST", "/v1/verdicts", {
        key: besetKey,
        body: { text, user_id: SCRIPT, content_id: SCRIPT, metadata: { note: SCRIPT } },
      });
      expect(reply.status).toBe(200);
      expectText(reply);
      verdict = reply.body.id;
    }
  });

  it("comes back to the letter, as text", async () => {
    expect((await newest("/admin/tenants/beset/grants")).reason).toBe(SCRIPT);
    expect((await newest("/admin/tenants/beset/webhooks")).description).toBe(SCRIPT);
    expect((await newest("/admin/webhooks")).description).toBe(SCRIPT);
    expect(await newest("/admin/tenants/beset/verdicts")).toMatchObject({
      user_id: SCRIPT,
      content_id: SCRIPT,
      metadata: { note: SCRIPT },
    });
    const listed = (await admin("GET", "/admin/tenants/beset/keys")).body.data;
    expect(listed.map(({ name }: { name: string | null }) => name)).toContain(SCRIPT);
  });

  it.each(REFUSED)("is told as JSON what is wrong with %s %s", async (method, path, body) => {
    const reply = await admin(method, path, body);
    expect(reply.status).toBe(400);
    expect(reply.headers.get("Content-Type")).toBe("application/problem+json");
    expectText(reply);
  });

  it.each(table(PLATFORM.filter(({ method }) => method === "GET")))(
    "is text in what $name answers, and in what it refuses",
    async ({ mount }) => {
      const path = besetPath(mount);
      const evil = encodeURIComponent(SCRIPT);
      const asked = [
        path,
        `${path}?cursor=${evil}&from=${evil}&user_id=${evil}&${evil}=${evil}`,
        besetPath(mount, evil),
        besetPath(mount, mount.path.includes("/policies/") ? "house" : verdict),
        `${path}/${evil}`,
      ];
      for (const each of asked) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const reply = await read(each, "text/html,application/xhtml+xml");
        const type = reply.headers.get("Content-Type") ?? "";
        expectInert(reply);
        if (/html/.test(type)) expect(reply.text).not.toMatch(/<script|<img|onerror=alert/);
        else expect(type).not.toMatch(/xml|svg/);
      }
    },
  );
});

/** As a person's browser asks for a page. A stream is read no further than its first part. */
async function read(path: string, accept: string) {
  const response = await exports.default.fetch(
    new Request(OWN + path, {
      headers: { Authorization: `Bearer ${env.ADMIN_TOKEN}`, Accept: accept },
    }),
  );
  const { status, headers } = response;
  if (headers.get("Content-Type")?.startsWith("text/event-stream") !== true) {
    return { status, headers, body: null, text: await response.text() };
  }
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return { status, headers, body: null, text: new TextDecoder().decode(first?.value) };
}
