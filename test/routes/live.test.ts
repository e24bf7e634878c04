import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { MOST_WATCHERS } from "../../durable-objects/watchers.ts";
import { tenantObject } from "../../src/edge/bindings.ts";
import { admin, ask, makeKey, makeTenant, type TestTenant } from "../client.ts";

// A tenant's standing as it changes.

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("watched");
});

const dataOf = (text: string): unknown => JSON.parse(/data: (.*)/.exec(text)?.[1] ?? "null");

describe("GET /v1/live", () => {
  it("begins with the limits, as they are read, for key and platform alike", async () => {
    const live = await tenant.call("GET", "/v1/live");
    const limits = await tenant.call("GET", "/v1/limits");
    expect(live.status).toBe(200);
    expect(live.headers.get("content-type")).toBe("text/event-stream");
    expect(live.headers.get("cache-control")).toBe("no-store");
    expect(dataOf(live.body)).toEqual(limits.body);
    const mirrored = await admin("GET", "/admin/tenants/watched/live");
    expect(dataOf(mirrored.body)).toEqual(limits.body);
  });

  it("tells of a call within seconds", async () => {
    const key = await makeKey("watched", "call");
    const response = await exports.default.fetch("https://gateway.test/v1/live?for_s=20", {
      headers: { Authorization: `Bearer ${key}` },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const before = dataOf((await reader?.read())?.value ?? "") as { posted_micro_neurons: number };
    await tenant.call("POST", "/v1/verdicts", { text: "Nice to meet you all" });
    let text = "";
    while (!text.includes("data:")) {
      // oxlint-disable-next-line no-await-in-loop -- as they come
      const { value, done } = (await reader?.read()) ?? { value: "", done: true };
      if (done) break;
      text += value;
    }
    const after = dataOf(text) as { posted_micro_neurons: number };
    expect(after.posted_micro_neurons).toBeGreaterThan(before.posted_micro_neurons);
    await reader?.cancel();
  });

  it.each(["61", "-1", "1.5", "x"])("refuses for_s=%s", async (text) => {
    const reply = await tenant.call("GET", `/v1/live?for_s=${text}`);
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
  });

  it("is not for a key of reviews, nor for one that has ended", async () => {
    const review = await makeKey("watched", "review");
    const refused = await ask("GET", "/v1/live", { key: review });
    expect(refused.body.kind).toBe("role_required");
    const { body } = await admin("POST", "/admin/tenants/watched/keys", { role: "call" });
    await admin("DELETE", `/admin/tenants/watched/keys/${body.id}`);
    expect((await ask("GET", "/v1/live", { key: body.key })).status).toBe(401);
  });

  it("is open so often at once and no more", async () => {
    await makeTenant("crowded");
    const object = tenantObject(env, "crowded");
    const kinds = [];
    for (let n = 0; n <= MOST_WATCHERS; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { kind } = await object.watchLimits({ kind: "platform" }, { watcher: `w${n}` });
      kinds.push(kind);
    }
    expect(kinds).toEqual([...Array(MOST_WATCHERS).fill("limits"), "over_limit"]);
    const reply = await admin("GET", "/admin/tenants/crowded/live");
    expect([reply.status, reply.body.kind]).toEqual([400, "over_limit"]);
  });
});
