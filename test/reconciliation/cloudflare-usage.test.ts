import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { parseDay } from "../../src/domain/ledger/period.ts";
import { type QueryOptions, cloudflareUsage } from "../../src/reconciliation/cloudflare-usage.ts";
import { type FakeAccount, fakeAccount } from "./fake-cloudflare.ts";

const DATE = "2026-11-20";
const DAY = parseDay(DATE) ?? 0;
const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";

let account: FakeAccount;
let waits: number[];

beforeEach(() => {
  account = fakeAccount();
  waits = [];
});

const options = (): QueryOptions => ({
  fetch: (...request) => fetch(...request),
  wait: async (ms) => void waits.push(ms),
});

const ask = (other: Partial<QueryOptions> = {}, apiToken = account.apiToken) =>
  cloudflareUsage(
    { accountId: account.accountId, apiToken, graphqlUrl: env.CLOUDFLARE_GRAPHQL_URL },
    DAY,
    { ...options(), ...other },
  );

const late = async (): Promise<Response> => {
  throw new DOMException("The operation was aborted due to timeout", "TimeoutError");
};

describe("cloudflareUsage", () => {
  it("is what was counted of each model on that day, in whole micro-neurons", async () => {
    await account.says({
      [DATE]: [
        { modelId: LLAMA, count: 1700, totalNeurons: 12_226.332, totalInputTokens: 700_400 },
        { modelId: "@cf/microsoft/resnet-50", count: 820, totalNeurons: 187.0051 },
      ],
      "2026-11-19": [{ modelId: LLAMA, count: 5, totalNeurons: 5 }],
    });
    expect(await ask()).toEqual({
      kind: "usage",
      models: [
        {
          model: LLAMA,
          microNeurons: 12_226_332_000n,
          engineRequests: 1700,
          inputTokens: 700_400,
          outputTokens: 0,
        },
        {
          model: "@cf/microsoft/resnet-50",
          microNeurons: 187_005_100n,
          engineRequests: 820,
          inputTokens: 0,
          outputTokens: 0,
        },
      ],
    });
    expect(await account.asked()).toBe(1);
  });

  it("takes the estimates of a sampled day, and adds the rows of one model", async () => {
    await account.says({
      [DATE]: [
        { modelId: LLAMA, count: 1000.4, totalNeurons: 0.1 + 0.2, totalOutputTokens: 10.6 },
        { modelId: LLAMA, count: 10, totalNeurons: 1e-7, totalOutputTokens: 1 },
      ],
    });
    expect(await ask()).toMatchObject({
      models: [{ microNeurons: 300_000n, engineRequests: 1010, outputTokens: 12 }],
    });
  });

  it("is empty where Cloudflare has nothing of the day", async () => {
    await account.says({});
    expect(await ask()).toEqual({ kind: "usage", models: [] });
  });

  it.each([
    ["401", "CLOUDFLARE_API_TOKEN is not accepted"],
    ["403", "CLOUDFLARE_API_TOKEN is not accepted"],
    ["bad_token", "CLOUDFLARE_API_TOKEN is not accepted"],
    ["authz", "CLOUDFLARE_API_TOKEN is not accepted"],
    ["404", "Cloudflare answered with status 404."],
    ["redirect", "Cloudflare answered with status 302."],
    ["too_old", "Cloudflare refused the query: cannot request data older than 2764800s"],
    ["quoting", "Cloudflare refused the query: cannot parse … of … "],
    ["no_account", "CLOUDFLARE_ACCOUNT_ID names no account that the token may read."],
    ["null_data", "Cloudflare's answer does not have the documented form."],
    ["not_json", "Cloudflare's answer does not have the documented form."],
    ["cut", "Cloudflare's answer does not have the documented form."],
    ["no_body", "Cloudflare's answer does not have the documented form."],
    ["huge", "Cloudflare's answer does not have the documented form."],
    ["text_neurons", "Cloudflare's answer does not have the documented form."],
    ["negative", "Cloudflare's answer does not have the documented form."],
    ["astronomic", "Cloudflare's answer does not have the documented form."],
    ["nameless", "Cloudflare's answer does not have the documented form."],
    ["other_day", "Cloudflare's answer is of another day."],
    ["too_many", "Cloudflare's answer was cut off: too many models."],
  ])("says what is wrong, and asks no second time: %s", async (behaviour, reason) => {
    await account.says({}, behaviour);
    const usage = await ask();
    expect(usage).toMatchObject({ kind: "failed", reason: expect.stringContaining(reason) });
    expect(JSON.stringify(usage)).not.toContain(account.apiToken);
    expect(waits).toEqual([]);
  });

  it.each([
    ["500", "Cloudflare failed with status 500."],
    ["503", "Cloudflare failed with status 503."],
    ["429", "Cloudflare's limit of GraphQL queries is used up."],
    ["drop", "Cloudflare was not reached."],
  ])("asks three times before it gives up: %s", async (behaviour, reason) => {
    await account.says({}, behaviour);
    expect(await ask()).toEqual({ kind: "failed", reason });
    expect(waits).toEqual([1000, 5000]);
    expect(await account.asked()).toBe(3);
  });

  it("has an answer where a repeat has one", async () => {
    const row = { modelId: LLAMA, count: 1, totalNeurons: 2 };
    await account.says({ [DATE]: [row] }, "503,drop,ok");
    expect(await ask()).toMatchObject({ models: [{ microNeurons: 2_000_000n }] });
  });

  it("is refused with another token, and for an account that is not there", async () => {
    await account.says({});
    const refused = { kind: "failed", reason: expect.stringContaining("is not accepted") };
    expect(await ask({}, "another-token-altogether")).toMatchObject(refused);
    account = fakeAccount();
    expect(await ask()).toMatchObject(refused);
  });

  it("gives up on an answer that does not come", async () => {
    expect(await ask({ fetch: late })).toEqual({
      kind: "failed",
      reason: "Cloudflare did not answer in time.",
    });
  });

  it("waits for no answer without end, follows no redirect, and tells the token to nobody else", async () => {
    const inits: RequestInit[] = [];
    const watched: QueryOptions["fetch"] = (url, init) => {
      expect(url).toBe(env.CLOUDFLARE_GRAPHQL_URL);
      inits.push(init);
      return fetch(url, init);
    };
    await account.says({}, "redirect");
    await ask({ fetch: watched });
    expect(inits).toMatchObject([{ redirect: "manual", signal: expect.any(AbortSignal) }]);
  });
});
