// The servers that the clients call, with a scripted engine behind each: one that speaks OpenAI's wire,
// and one that stands behind the binding of Workers AI.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { startFakeOpenAi } from "../../test/fakes/openai-server.mjs";
import { startFakeWorkersAi } from "../../test/fakes/workers-ai-server.mjs";
import { Server } from "../../test/e2e/server.mjs";

const { models } = JSON.parse(readFileSync(new URL("expected.json", import.meta.url), "utf8"));

const ACCOUNT = {
  daily_cap_neurons: 10_000_000,
  rpm: { text_generation: 1_000_000, text_classification: 1_000_000 },
};
const SETTINGS = { daily_neurons: 1_000_000, rpm: { requests: 100_000 } };

/** More than one call may need, and less than a few. */
const SPENT = { ...SETTINGS, daily_neurons: 100 };

/** A key whose quota is used up: answers without usage are charged as the most that they may cost. */
async function spentKey(server, tenant) {
  const key = await server.makeTenant(tenant, SPENT);
  for (const model of [models.chat, models.older_chat]) {
    const messages = [{ role: "user", content: "[[fake:no_usage]]" }];
    for (let status = 200; status === 200;) {
      const asking = { key, body: { model, messages, stream: true } };
      // oxlint-disable-next-line no-await-in-loop -- until nothing is left
      ({ status } = await server.send("POST", "/v1/chat/completions", asking));
      assert.ok(status === 200 || status === 429, `${model}: ${status}`);
    }
  }
  return key;
}

/** Starts both servers. */
export async function startGateways() {
  const engine = await startFakeOpenAi();
  const workersAi = await startFakeWorkersAi();
  const openai = new Server({
    INFERENCE: "openai",
    OPENAI_BASE_URL: engine.url.href,
    OPENAI_MODEL: "scripted",
    OPENAI_MODELS: JSON.stringify(
      Object.fromEntries(Object.values(models).map((model) => [model, "scripted"])),
    ),
    CLOUDFLARE_PLAN: "paid",
  });
  const cloudflare = new Server(
    { INFERENCE: "workers-ai", CLOUDFLARE_PLAN: "paid" },
    workersAi.url,
  );
  const servers = [openai, cloudflare];
  await Promise.all(servers.map((server) => server.start()));
  await Promise.all(servers.map((server) => server.admin("PATCH", "/admin/account", ACCOUNT)));
  return {
    stop: () => Promise.all(servers.map((server) => server.stop())),

    /** The environment of a client's program, with tenants of its own. */
    async environmentFor(/** @type {string} */ tenant) {
      const [key, spent, token, spentToken] = await Promise.all([
        openai.makeTenant(tenant, SETTINGS),
        spentKey(openai, `${tenant}-spent`),
        cloudflare.makeTenant(tenant, SETTINGS),
        spentKey(cloudflare, `${tenant}-spent`),
      ]);
      return {
        OPENAI_BASE_URL: `${openai.url}/v1`,
        OPENAI_API_KEY: key,
        SPENT_API_KEY: spent,
        CLOUDFLARE_BASE_URL: `${cloudflare.url}/client/v4`,
        CLOUDFLARE_ACCOUNT_ID: tenant,
        CLOUDFLARE_API_TOKEN: token,
        SPENT_ACCOUNT_ID: `${tenant}-spent`,
        SPENT_API_TOKEN: spentToken,
        OPENAI_UPSTREAM_URL: new URL("/", engine.url).href,
        CLOUDFLARE_UPSTREAM_URL: workersAi.url.href,
      };
    },
  };
}
