import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { admin, ask, makeKey, makeTenant, type TestTenant } from "../client.ts";
import { GEMMA } from "../routes/session-client.ts";
import { cleanUp, rows, stopClock } from "./a-tenant.ts";

// How many sessions may begin.

let tenant: TestTenant;
let made = 0;
beforeEach(async () => {
  stopClock();
  made += 1;
  tenant = await makeTenant(`session-limits-${made}`);
});
afterEach(cleanUp);

const begin = (key: string) => ask("POST", "/v1/sessions", { key, body: { model: GEMMA } });

describe("a session begins", () => {
  it("within the rate of requests", async () => {
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { rpm: { requests: 2 } });
    const replies = [await begin(tenant.key), await begin(tenant.key), await begin(tenant.key)];
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(replies[2]?.body.kind).toBe("rate_limited");
    expect(await rows(tenant.id, "SELECT id FROM sessions")).toHaveLength(2);
    expect((await tenant.call("GET", "/v1/refusals")).body.data).toMatchObject([
      {
        kind: "rate_limited",
        policy: "requests",
        count: 1,
        key_ids: [expect.stringMatching(/^key_/)],
        first_request_id: replies[2]?.body.request_id,
      },
    ]);
  });

  it.each([
    ["no-such", {}, 404, "model_not_found"],
    ["@cf/baai/bge-m3", {}, 400, "invalid_request"],
    ["@cf/meta/llama-2-7b-chat-int8", {}, 404, "model_retired"],
    [GEMMA, { models: ["@cf/meta/llama-3.1-8b-instruct-fp8"] }, 403, "model_not_allowed"],
    ["auto", {}, 200, undefined],
    ["own", { aliases: { own: GEMMA } }, 200, undefined],
  ])("with a model that can answer: %s", async (model, settings, status, kind) => {
    await admin("PATCH", `/admin/tenants/${tenant.id}`, settings);
    const reply = await tenant.call("POST", "/v1/sessions", { model });
    expect([reply.status, reply.body.kind]).toEqual([status, kind]);
    const listed = await rows(tenant.id, "SELECT id FROM sessions");
    expect(listed).toHaveLength(status === 200 ? 1 : 0);
  });

  it("while its key has fewer than 2,000, whatever other keys have", async () => {
    const [busy, other] = [await makeKey(tenant.id, "call"), await makeKey(tenant.id, "call")];
    const first = await begin(busy);
    const path = `/v1/sessions/${first.body.id}`;
    await rows(
      tenant.id,
      `WITH RECURSIVE n(at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < 1999)
        INSERT INTO sessions SELECT id || at, lineage, user_id, model, created_at_ms, NULL
        FROM sessions, n`,
    );
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const refused = await begin(busy);
    expect([refused.status, refused.body.kind]).toEqual([400, "over_limit"]);
    expect(refused.body.detail).toContain("at most 2000 sessions");
    expect((await begin(other)).status).toBe(200);
    expect((await ask("DELETE", path, { key: busy })).status).toBe(204);
    expect((await begin(busy)).status).toBe(200);
    expect((await begin(busy)).status).toBe(400);
  });
});
