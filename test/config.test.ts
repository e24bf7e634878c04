import { describe, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";

const KEY = "k".repeat(32);
const TOKEN = "t".repeat(32);

function configure(settings: Record<string, string>): ReturnType<typeof readConfig> {
  const env: unknown = { KEY_SECRETS: KEY, ADMIN_TOKEN: TOKEN, ...settings };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only these settings are read
  return readConfig(env as Env);
}

const problemsOf = (settings: Record<string, string>): readonly string[] => {
  const result = configure(settings);
  return result.kind === "ready" ? [] : result.problems;
};

describe("readConfig", () => {
  it("fills in what is not set", () => {
    expect(configure({})).toEqual({
      kind: "ready",
      config: {
        keySecrets: [KEY],
        adminToken: TOKEN,
        access: null,
        inference: "workers-ai",
        openai: { baseUrl: null, apiKey: null, models: {}, defaultModel: null },
        aiGatewayId: null,
        workersPlan: "free",
        prices: {},
        judgeLanguages: { all: null, models: {} },
        corsOrigins: [],
        webhookTargets: "public",
        logLevel: "info",
        cloudflare: null,
        driftAlert: { percent: 5, neurons: 100 },
        safetyMarginDays: 0,
        reportUsersADay: 1000,
      },
    });
  });

  it("takes the id of a gateway, and nothing else for one", () => {
    expect(configure({ AI_GATEWAY_ID: "my-gateway" })).toMatchObject({
      config: { aiGatewayId: "my-gateway" },
    });
    const problems = ["AI_GATEWAY_ID"];
    for (const AI_GATEWAY_ID of ["My gateway", "a/b", "x".repeat(65)]) {
      expect(configure({ AI_GATEWAY_ID })).toEqual({ kind: "misconfigured", problems });
    }
  });

  it("takes the languages of every judge as a list", () => {
    const result = configure({ JUDGE_LANGUAGES: "en, sw" });
    expect(result).toMatchObject({
      kind: "ready",
      config: { judgeLanguages: { all: ["en", "sw"], models: {} } },
    });
  });

  it("reads what is set", () => {
    const result = configure({
      KEY_SECRETS: `${KEY}, ${TOKEN}`,
      INFERENCE: "openai",
      OPENAI_BASE_URL: "http://localhost:11434/v1/",
      OPENAI_API_KEY: "sk-1",
      OPENAI_MODELS: '{"@cf/a/b":"llama"}',
      OPENAI_MODEL: "llama",
      CLOUDFLARE_PLAN: "paid",
      PRICES: '{"@cf/a/b":{"input_token":5}}',
      JUDGE_LANGUAGES: '{"@cf/a/b":["en","sw"]}',
      CORS_ORIGINS: "https://a.example, http://localhost:3000",
      WEBHOOK_TARGETS: "any",
      LOG_LEVEL: "warn",
      CLOUDFLARE_ACCOUNT_ID: " 0123456789abcdef0123456789abcdef\n",
      CLOUDFLARE_API_TOKEN: "token",
      DRIFT_ALERT_PERCENT: "10",
      DRIFT_ALERT_NEURONS: "0",
      SAFETY_MARGIN_DAYS: "14",
      REPORT_USERS_A_DAY: "200",
    });
    expect(result).toMatchObject({
      kind: "ready",
      config: {
        keySecrets: [KEY, TOKEN],
        openai: {
          baseUrl: "http://localhost:11434/v1",
          apiKey: "sk-1",
          models: { "@cf/a/b": "llama" },
          defaultModel: "llama",
        },
        workersPlan: "paid",
        prices: { "@cf/a/b": { input_token: 5 } },
        judgeLanguages: { all: null, models: { "@cf/a/b": ["en", "sw"] } },
        corsOrigins: ["https://a.example", "http://localhost:3000"],
        webhookTargets: "any",
        logLevel: "warn",
        cloudflare: {
          accountId: "0123456789abcdef0123456789abcdef",
          apiToken: "token",
          graphqlUrl: "https://api.cloudflare.com/client/v4/graphql",
        },
        driftAlert: { percent: 10, neurons: 0 },
        safetyMarginDays: 14,
        reportUsersADay: 200,
      },
    });
  });

  it.each([
    [{ KEY_SECRETS: "" }, "KEY_SECRETS"],
    [{ KEY_SECRETS: " , " }, "KEY_SECRETS"],
    [{ KEY_SECRETS: "k".repeat(31) }, "KEY_SECRETS"],
    [{ KEY_SECRETS: `${KEY},short` }, "KEY_SECRETS"],
    [{ ADMIN_TOKEN: "" }, "ADMIN_TOKEN"],
    [{ ADMIN_TOKEN: "t".repeat(31) }, "ADMIN_TOKEN"],
    [{ INFERENCE: "magic" }, "INFERENCE"],
    [{ INFERENCE: "openai" }, "OPENAI_BASE_URL"],
    [{ OPENAI_BASE_URL: "ftp://host" }, "OPENAI_BASE_URL"],
    [{ OPENAI_MODELS: "{" }, "OPENAI_MODELS"],
    [{ CLOUDFLARE_PLAN: "enterprise" }, "CLOUDFLARE_PLAN"],
    [{ PRICES: "[" }, "PRICES"],
    [{ JUDGE_LANGUAGES: "english" }, "JUDGE_LANGUAGES"],
    [{ JUDGE_LANGUAGES: "en,,DE" }, "JUDGE_LANGUAGES"],
    [{ JUDGE_LANGUAGES: "{" }, "JUDGE_LANGUAGES"],
    [{ JUDGE_LANGUAGES: '{"m":"en"}' }, "JUDGE_LANGUAGES"],
    [{ JUDGE_LANGUAGES: '{"m":[]}' }, "JUDGE_LANGUAGES"],
    [{ PRICES: '{"m":{"token":0}}' }, "PRICES"],
    [{ PRICES: '{"m":{"token":1.5}}' }, "PRICES"],
    [{ PRICES: '{"m":{"token":9007199254740993}}' }, "PRICES"],
    [{ CORS_ORIGINS: "a.example" }, "CORS_ORIGINS"],
    [{ CORS_ORIGINS: "https://a.example/path" }, "CORS_ORIGINS"],
    [{ LOG_LEVEL: "debug" }, "LOG_LEVEL"],
    [{ DRIFT_ALERT_PERCENT: "101" }, "DRIFT_ALERT_PERCENT"],
    [{ DRIFT_ALERT_PERCENT: "-1" }, "DRIFT_ALERT_PERCENT"],
    [{ DRIFT_ALERT_NEURONS: "1.5" }, "DRIFT_ALERT_NEURONS"],
    [{ SAFETY_MARGIN_DAYS: "93" }, "SAFETY_MARGIN_DAYS"],
    [{ VECTORIZE_TENANTS: "namespace" }, "VECTORIZE_TENANTS"],
    [{ REPORT_USERS_A_DAY: "1001" }, "REPORT_USERS_A_DAY"],
    [{ REPORT_USERS_A_DAY: "-1" }, "REPORT_USERS_A_DAY"],
    // A token is told to nobody but Cloudflare.
    [{ CLOUDFLARE_GRAPHQL_URL: "https://evil.example/graphql" }, "CLOUDFLARE_GRAPHQL_URL"],
    [{ CLOUDFLARE_GRAPHQL_URL: "http://127.0.0.1.evil.example/" }, "CLOUDFLARE_GRAPHQL_URL"],
    [{ CLOUDFLARE_GRAPHQL_URL: "http://127.0.0.1@evil.example/" }, "CLOUDFLARE_GRAPHQL_URL"],
  ])("is closed with %o", (settings, name) => {
    expect(problemsOf(settings)).toEqual([name]);
  });

  it("names every wrong setting and no value", () => {
    const result = configure({ KEY_SECRETS: "hunter2", ADMIN_TOKEN: "hunter3", PRICES: "hunter4" });
    expect(result).toEqual({
      kind: "misconfigured",
      problems: ["KEY_SECRETS", "ADMIN_TOKEN", "PRICES"],
    });
  });

  describe("Cloudflare Access", () => {
    const ISSUER = "https://acme.cloudflareaccess.com";
    const AUD = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

    it("is an issuer and its applications", () => {
      const set = { ACCESS_ISSUER: `${ISSUER}/`, ACCESS_AUD: `${AUD}, ${KEY}` };
      expect(configure(set)).toMatchObject({
        config: { access: { issuer: ISSUER, audiences: [AUD, KEY] } },
      });
    });

    it("needs both", () => {
      expect(problemsOf({ ACCESS_ISSUER: ISSUER })).toEqual(["ACCESS_AUD"]);
      expect(problemsOf({ ACCESS_AUD: AUD })).toEqual(["ACCESS_ISSUER"]);
    });

    it.each([
      "http://acme.cloudflareaccess.com",
      "acme.cloudflareaccess.com",
      "https://me@acme.cloudflareaccess.com",
      `${ISSUER}?a`,
      `${ISSUER}#a`,
    ])("has no issuer like %s", (issuer) => {
      expect(problemsOf({ ACCESS_ISSUER: issuer, ACCESS_AUD: AUD })).toEqual(["ACCESS_ISSUER"]);
    });

    it.each(["short", "two words of an audience", ","])("has no audience like %s", (aud) => {
      expect(problemsOf({ ACCESS_ISSUER: ISSUER, ACCESS_AUD: aud })).toEqual(["ACCESS_AUD"]);
    });
  });
});
