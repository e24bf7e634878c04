import { afterEach, describe, expect, it } from "vitest";
import { env } from "cloudflare:workers";
import { reset, runInDurableObject } from "cloudflare:test";
import { DEFAULT_ROUTING } from "../../src/domain/generation/routing.ts";
import { makeTenant, type TestTenant } from "../client.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const path = "/v1/policies/default";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`table-${made}`, settings);
};

afterEach(() => reset());

describe("the routing table of a policy", () => {
  it("is the default one where none was put", async () => {
    const tenant = await aTenant();
    expect((await tenant.call("GET", path)).body.routing).toEqual(DEFAULT_ROUTING);
    const put = await tenant.call("PUT", path, {});
    expect(put.body).toMatchObject({ version: 2, routing: DEFAULT_ROUTING });
  });

  it("is the default one of a policy that was put before there were tables", async () => {
    const tenant = await aTenant();
    await runInDurableObject(env.TENANT.getByName(tenant.id), (_, state) => {
      const stored = state.storage.sql.exec<{ body: string }>("SELECT body FROM policies").one();
      const { routing, ...old } = JSON.parse(stored.body);
      expect(routing).toEqual(DEFAULT_ROUTING);
      state.storage.sql.exec("UPDATE policies SET body = ?", JSON.stringify(old));
    });
    const read = await tenant.call("GET", path);
    expect(read.body).toMatchObject({ version: 1, routing: DEFAULT_ROUTING });
  });

  it("is kept with its version, and its conditions default to any", async () => {
    const tenant = await aTenant();
    const rules = [
      { task: "code", models: [LLAMA] },
      { complexity: "high", length: "long", models: [LLAMA, "@cf/zai-org/glm-5.2"] },
    ];
    const put = await tenant.call("PUT", path, { routing: { rules } });
    expect(put.body.routing.rules).toEqual([
      { task: "code", complexity: null, length: null, models: [LLAMA] },
      { task: null, complexity: "high", length: "long", models: [LLAMA, "@cf/zai-org/glm-5.2"] },
    ]);
    await tenant.call("PUT", path, { routing: { rules: [] } });
    expect((await tenant.call("GET", path)).body.routing).toEqual({ rules: [] });
    const first = await tenant.call("GET", `${path}?version=2`);
    expect(first.body.routing).toEqual(put.body.routing);
  });

  it.each([
    [{ rules: [{ models: [] }] }, "#/routing/rules/0/models"],
    [{ rules: [{ models: ["@cf/baai/bge-m3"] }] }, "#/routing/rules/0/models/0"],
    [{ rules: [{ models: ["@cf/meta/llama-3-8b-instruct"] }] }, "#/routing/rules/0/models/0"],
    [{ rules: [{ models: ["auto"] }] }, "#/routing/rules/0/models/0"],
    [{ rules: [{ models: [LLAMA], task: "poetry" }] }, "#/routing/rules/0/task"],
    [{ rules: [{ models: [LLAMA], when: "now" }] }, "#/routing/rules/0/when"],
    [{ rules: Array.from({ length: 65 }, () => ({ models: [LLAMA] })) }, "#/routing/rules"],
    [{ rules: [{ models: Array.from({ length: 9 }, () => LLAMA) }] }, "#/routing/rules/0/models"],
    [{}, "#/routing/rules"],
  ])("is refused as %j", async (routing, pointer) => {
    const tenant = await aTenant();
    const reply = await tenant.call("PUT", path, { routing });
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0].pointer).toBe(pointer);
    expect((await tenant.call("GET", path)).body.version).toBe(1);
  });
});

describe("an alias", () => {
  it("may stand for auto, and for no name that is neither a model nor auto", async () => {
    const tenant = await aTenant({ aliases: { "gpt-4o-mini": "auto" } });
    const list = await tenant.call("GET", "/v1/models");
    expect(list.body.data[0]).toMatchObject({ id: "gpt-4o-mini", owned_by: tenant.id });
    await expect(aTenant({ aliases: { a: "automatic" } })).rejects.toThrow("must be a model");
  });
});
