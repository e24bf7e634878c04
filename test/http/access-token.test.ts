import { env } from "cloudflare:workers";
import { base64url, exportSPKI, importJWK, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ask, makeTenant, type Reply } from "../client.ts";
import { makeTeamKey, Team, type TeamKey } from "./access-team.ts";

// Tokens of Cloudflare Access, against a local server that publishes keys as Access does.

const HEADER = "Cf-Access-Jwt-Assertion";

let key: TeamKey;
let strange: TeamKey;

beforeAll(async () => {
  [key, strange] = await Promise.all([makeTeamKey("first"), makeTeamKey("strange")]);
  await makeTenant("acme");
});

afterEach(() => {
  vi.useRealTimers();
});

const nowS = (): number => Math.floor(Date.now() / 1000);

let teams = 0;

/** A new one each time, whose keys nobody has read yet. */
async function aTeam(...keys: readonly TeamKey[]): Promise<Team> {
  teams += 1;
  const team = new Team(`team-${teams}`);
  if (keys.length > 0) await team.publish(...keys);
  return team;
}

const visit = (team: Team, token: string, headers: Record<string, string> = {}): Promise<Reply> =>
  ask("GET", "/admin/tenants", { headers: { [HEADER]: token, ...headers }, env: team.settings });

function expectRefused(reply: Reply): void {
  expect(reply.status).toBe(401);
  expect(reply.body.kind).toBe("invalid_key");
}

describe("a token of Cloudflare Access", () => {
  it("opens what the admin token opens", async () => {
    const team = await aTeam(key);
    expect((await visit(team, await team.sign(key))).status).toBe(200);
  });

  it("of a service, which has a name and no address, does too", async () => {
    const team = await aTeam(key);
    const token = await team.sign(key, { email: undefined, common_name: "88bf3b6d.access" });
    expect((await visit(team, token)).status).toBe(200);
  });

  it("for one of several applications does too", async () => {
    const team = await aTeam(key);
    const settings = { ...team.settings, ACCESS_AUD: `${"b".repeat(64)}, ${"c".repeat(64)}` };
    const headers = { [HEADER]: await team.sign(key, { aud: ["c".repeat(64)] }) };
    expect((await ask("GET", "/admin/tenants", { headers, env: settings })).status).toBe(200);
  });

  it("does so while clocks differ by seconds", async () => {
    const team = await aTeam(key);
    expect((await visit(team, await team.sign(key, { exp: nowS() - 2 }))).status).toBe(200);
    expect((await visit(team, await team.sign(key, { nbf: nowS() + 3 }))).status).toBe(200);
  });

  it("opens nothing that is a tenant's", async () => {
    const team = await aTeam(key);
    const headers = { [HEADER]: await team.sign(key) };
    expectRefused(await ask("GET", "/v1/limits", { headers, env: team.settings }));
  });

  it("opens nothing where Access is not set up", async () => {
    const team = await aTeam(key);
    const headers = { [HEADER]: await team.sign(key) };
    expectRefused(await ask("GET", "/admin/tenants", { headers }));
    expect(await team.timesAsked()).toBe(0);
  });

  it("is read from its header: a cookie alone opens nothing", async () => {
    const team = await aTeam(key);
    const headers = { Cookie: `CF_Authorization=${await team.sign(key)}` };
    expectRefused(await ask("GET", "/admin/tenants", { headers, env: team.settings }));
  });
});

describe("is refused", () => {
  it.each<[string, () => Record<string, unknown>]>([
    ["expired", () => ({ exp: nowS() - 6 })],
    ["not valid yet", () => ({ nbf: nowS() + 60 })],
    ["without an end", () => ({ exp: undefined })],
    ["for another application", () => ({ aud: ["b".repeat(64)] })],
    ["for no application", () => ({ aud: undefined })],
    ["of another team", () => ({ iss: "https://other.cloudflareaccess.com" })],
    ["of no team", () => ({ iss: undefined })],
    ["of nobody", () => ({ email: undefined })],
    ["of an empty name", () => ({ email: "", common_name: "x.access" })],
    ["of a name with a line break", () => ({ email: "alice@example.com\nadmin_token" })],
    ["of a name that is too long", () => ({ email: `${"a".repeat(250)}@b.de` })],
    ["of a name that is no text", () => ({ email: ["alice@example.com"] })],
  ])("when it is %s", async (_, claims) => {
    const team = await aTeam(key);
    expectRefused(await visit(team, await team.sign(key, claims())));
    // It is this that was wrong, and nothing else.
    expect((await visit(team, await team.sign(key))).status).toBe(200);
  });

  it("when it ends while its keys are known", async () => {
    const team = await aTeam(key);
    const token = await team.sign(key);
    expect((await visit(team, token)).status).toBe(200);
    vi.setSystemTime(Date.now() + 3_700_000);
    expectRefused(await visit(team, token));
  });

  it("when its signature is another's under the same name of a key", async () => {
    const team = await aTeam(key);
    const forged = await team.sign({ ...strange, kid: key.kid });
    expectRefused(await visit(team, forged));
  });

  it("when what it says was changed", async () => {
    const team = await aTeam(key);
    const [header, , signature] = (await team.sign(key)).split(".");
    const claims = base64url.encode(JSON.stringify(team.claims({ email: "mallory@example.com" })));
    expectRefused(await visit(team, `${header}.${claims}.${signature}`));
  });

  it("when it is not signed at all", async () => {
    const team = await aTeam(key);
    expectRefused(await visit(team, new UnsecuredJWT(team.claims()).encode()));
    const none = base64url.encode(JSON.stringify({ alg: "none", kid: key.kid }));
    const claims = base64url.encode(JSON.stringify(team.claims()));
    expectRefused(await visit(team, `${none}.${claims}.`));
  });

  it("when it was signed with the public key as a shared secret", async () => {
    const team = await aTeam(key);
    const publicKey = await importJWK(key.publicJwk, "RS256", { extractable: true });
    const secret = new TextEncoder().encode(await exportSPKI(publicKey as CryptoKey));
    const token = await new SignJWT(team.claims())
      .setProtectedHeader({ alg: "HS256", kid: key.kid })
      .sign(secret);
    expectRefused(await visit(team, token));
  });

  it("when it brings its own key", async () => {
    const team = await aTeam(key);
    const token = await new SignJWT(team.claims())
      .setProtectedHeader({ alg: "RS256", jwk: strange.publicJwk, kid: strange.kid })
      .sign(strange.privateKey);
    expectRefused(await visit(team, token));
  });

  it.each(["x", "a.b.c", ".", "..", "eyJhbGciOiJSUzI1NiJ9..", "x".repeat(20_000)])(
    "when it is no token: %s",
    async (token) => {
      const team = await aTeam(key);
      expectRefused(await visit(team, token));
    },
  );
});

describe("the keys", () => {
  it("are read once, and anew when they are ten minutes old", async () => {
    const team = await aTeam(key);
    const token = await team.sign(key);
    await visit(team, token);
    await visit(team, token);
    expect(await team.timesAsked()).toBe(1);
    vi.setSystemTime(Date.now() + 601_000);
    expect((await visit(team, token)).status).toBe(200);
    expect(await team.timesAsked()).toBe(2);
  });

  it("are read anew for one that is not known, at most every thirty seconds", async () => {
    const team = await aTeam(key);
    const token = await team.sign(strange);
    for (let time = 0; time < 5; time += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expectRefused(await visit(team, token));
    }
    expect(await team.timesAsked()).toBe(1);
    await team.publish(key, strange);
    vi.setSystemTime(Date.now() + 31_000);
    expect((await visit(team, token)).status).toBe(200);
    expect(await team.timesAsked()).toBe(2);
  });

  it.each([
    ["fails", { status: 500 }],
    ["sends elsewhere", { status: 302 }],
    ["gives no JSON", { body: "<html>" }],
    ["gives no keys", { body: { keys: "none" } }],
    ["gives more than keys can be", { body: `{"keys":[${" ".repeat(70_000)}]}` }],
  ])("open nothing when their server %s", async (_, answer) => {
    const team = await aTeam();
    await team.answer(answer);
    const reply = await visit(team, await team.sign(key));
    expect([reply.status, reply.body.kind]).toEqual([503, "unavailable"]);
  });

  it("open nothing when their server is not there", async () => {
    const settings = { ACCESS_ISSUER: "http://127.0.0.1:1", ACCESS_AUD: "a".repeat(64) };
    const team = await aTeam(key);
    const headers = { [HEADER]: await team.sign(key, { iss: settings.ACCESS_ISSUER }) };
    const reply = await ask("GET", "/admin/tenants", { headers, env: settings });
    expect([reply.status, reply.body.kind]).toEqual([503, "unavailable"]);
  });

  it("open nothing when their server is silent", async () => {
    const team = await aTeam();
    await team.answer({ hang: true });
    expect((await visit(team, await team.sign(key))).status).toBe(503);
  });

  it("are not asked for again at once when their server fails, and the admin token goes on", async () => {
    const team = await aTeam();
    await team.answer({ status: 500 });
    const token = await team.sign(key);
    for (let time = 0; time < 5; time += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await visit(team, token)).status).toBe(503);
    }
    expect(await team.timesAsked()).toBe(1);
    const both = await visit(team, token, { Authorization: `Bearer ${env.ADMIN_TOKEN}` });
    expect(both.status).toBe(200);
    await team.publish(key);
    vi.setSystemTime(Date.now() + 5001);
    expect((await visit(team, token)).status).toBe(200);
  });
});

describe("both credentials at once", () => {
  it("are judged by the admin token alone", async () => {
    const team = await aTeam(key);
    const good = await team.sign(key);
    const bad = await team.sign(strange);
    const right = { Authorization: `Bearer ${env.ADMIN_TOKEN}` };
    const wrong = { Authorization: `Bearer ${env.ADMIN_TOKEN.slice(1)}` };
    expect((await visit(team, good, right)).status).toBe(200);
    expect((await visit(team, bad, right)).status).toBe(200);
    expectRefused(await visit(team, good, wrong));
    expectRefused(await visit(team, good, { Authorization: "Basic YWRtaW46" }));
    expect(await team.timesAsked()).toBe(0);
  });
});

async function actorOf(headers: Record<string, string>, team: Team): Promise<unknown> {
  const path = "/admin/account/reopen";
  const done = await ask("POST", path, { headers, env: team.settings });
  expect(done.status).toBe(200);
  const { body } = await ask("GET", "/admin/audit", { key: env.ADMIN_TOKEN });
  const entry = body.data.find(
    ({ request_id }: { request_id: string }) => request_id === done.headers.get("x-request-id"),
  );
  return entry.actor;
}

describe("the audit log", () => {
  it("says who it was, and by which credential", async () => {
    const team = await aTeam(key);
    const person = { [HEADER]: await team.sign(key) };
    const token = await team.sign(key, { email: undefined, common_name: "88bf3b6d.access" });
    const admin = { Authorization: `Bearer ${env.ADMIN_TOKEN}` };
    expect(await actorOf(person, team)).toBe("access:alice@example.com");
    expect(await actorOf({ [HEADER]: token }, team)).toBe("access:88bf3b6d.access");
    expect(await actorOf(admin, team)).toBe("admin_token");
    expect(await actorOf({ ...person, ...admin }, team)).toBe("admin_token");
  });
});

describe("what another site has a browser send", () => {
  const OWN = "https://gateway.test";

  it.each([
    { Origin: "https://evil.example" },
    { Origin: "null" },
    { Origin: "http://gateway.test" },
    { Origin: "https://gateway.test.evil.example" },
    { Origin: OWN, "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
    { "Sec-Fetch-Site": "cross-site" },
  ])("changes nothing, though Access vouches for the person: %o", async (sent) => {
    const team = await aTeam(key);
    const headers = { [HEADER]: await team.sign(key), ...(sent as Record<string, string>) };
    const ways = { headers, env: team.settings };
    expectRefused(await ask("POST", "/admin/account/reopen", ways));
    expectRefused(await ask("DELETE", "/admin/tenants/acme", ways));
    expectRefused(
      await ask("PATCH", "/admin/tenants/acme", { ...ways, body: { suspended: true } }),
    );
    // What only reads is answered: the other site's page cannot see it.
    const read = await ask("GET", "/admin/tenants/acme", ways);
    expect(read.status).toBe(200);
    expect(read.headers.get("Access-Control-Allow-Origin")).toBeNull();
    expect(read.headers.get("Access-Control-Allow-Credentials")).toBeNull();
  });

  it.each([
    { Origin: OWN, "Sec-Fetch-Site": "same-origin" },
    { Origin: OWN },
    { "Sec-Fetch-Site": "none" },
    {},
  ])("is told from what our own page sends, and from what no browser does: %o", async (sent) => {
    const team = await aTeam(key);
    const headers = { [HEADER]: await team.sign(key), ...(sent as Record<string, string>) };
    const reply = await ask("POST", "/admin/account/reopen", { headers, env: team.settings });
    expect(reply.status).toBe(200);
  });
});
