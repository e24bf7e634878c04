import * as v from "valibot";
import { MOST_USERS_A_DAY } from "./domain/usage/report-rows.ts";

// The settings of a deployment, read from the environment once and checked before the first reply: with a
// missing or short secret the gateway is closed, never open.

/** 256 bits, the least for a secret that signs every tenant's keys. */
const MIN_SECRET_BYTES = 32;

/** What the tokens of Cloudflare Access must contain. */
export interface AccessConfig {
  /** `https://<team>.cloudflareaccess.com`, without a trailing slash; its keys are there, too. */
  readonly issuer: string;
  /** The tags of the applications whose tokens open `/admin`; never empty. */
  readonly audiences: readonly string[];
}

/** ISO 639-1. */
export interface JudgeLanguages {
  /** Of every judge that `models` does not name; null: the languages that its maker states. */
  readonly all: readonly string[] | null;
  /** By catalogue id. */
  readonly models: Readonly<Record<string, readonly string[]>>;
}

export interface Config {
  /** For tenant keys: the first signs, all verify, so they can rotate. */
  readonly keySecrets: readonly string[];
  readonly adminToken: string;
  /** Null: the admin token alone opens `/admin`. */
  readonly access: AccessConfig | null;
  readonly inference: "workers-ai" | "openai" | "embedded";
  readonly openai: {
    /** Without a trailing slash; always set when `inference` is `openai`. */
    readonly baseUrl: string | null;
    readonly apiKey: string | null;
    /** A model of the catalogue -> the server's name for it. */
    readonly models: Readonly<Record<string, string>>;
    readonly defaultModel: string | null;
  };
  /** The AI Gateway in front of Workers AI; null: none. */
  readonly aiGatewayId: string | null;
  readonly workersPlan: "free" | "paid";
  /** Model -> unit -> µN a unit: beside or instead of the catalogue's. */
  readonly prices: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The languages that the operator measured the judges for, in place of their makers' lists. */
  readonly judgeLanguages: JudgeLanguages;
  /** Origins that browsers may call from; empty: CORS is off. `*` is every origin. */
  readonly corsOrigins: readonly string[];
  /** The allowed targets of webhooks; `any` is for a developer's own machine. */
  readonly webhookTargets: "public" | "any";
  /** The lowest level of requests that are logged: all, refusals, failures. */
  readonly logLevel: LogLevel;
  /** The account whose figures the journals are compared with; null: they are not compared. */
  readonly cloudflare: {
    readonly accountId: string;
    /** It needs to read the account's analytics, and nothing else. */
    readonly apiToken: string;
    readonly graphqlUrl: string;
  } | null;
  /** The drift of a model and day from which the platform gets an event: both must be reached. */
  readonly driftAlert: { readonly percent: number; readonly neurons: number };
  /** The worst drift of so many days is held back from the account's pool; 0: none is. */
  readonly safetyMarginDays: number;
  /** The most end users of a tenant with a row of their own on a day in the reports. */
  readonly reportUsersADay: number;
}

export const LOG_LEVELS = ["info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type ConfigResult =
  | { readonly kind: "ready"; readonly config: Config }
  /** The names of the wrong settings, never their values, for the log. */
  | { readonly kind: "misconfigured"; readonly problems: readonly string[] };

const commaList = v.pipe(
  v.string(),
  v.transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  ),
);

const languageList = v.pipe(v.array(v.pipe(v.string(), v.regex(/^[a-z]{2,3}$/))), v.minLength(1));

/** `en,de,fr` of every judge, or JSON: `{ "@cf/…": ["en", "de"] }`. */
const judgeLanguages = v.union([
  v.pipe(
    v.string(),
    v.startsWith("{"),
    v.parseJson(),
    v.record(v.string(), languageList),
    v.transform((models): JudgeLanguages => ({ all: null, models })),
  ),
  v.pipe(
    commaList,
    languageList,
    v.transform((all): JudgeLanguages => ({ all, models: {} })),
  ),
]);

const secret = v.pipe(v.string(), v.minBytes(MIN_SECRET_BYTES));

/** Those of Access have 64 hexadecimal digits. */
const AUDIENCE = /^[\w-]{16,128}$/;

const isOrigin = (text: string): boolean =>
  text === "*" || (/^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text);

/** Plain http is for a key server on the same machine, as in tests. */
const isIssuer = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, search, hash } = new URL(text);
  if (protocol !== "https:" && !(protocol === "http:" && hostname === "127.0.0.1")) return false;
  return username === "" && search === "" && hash === "";
};

const GRAPHQL_URL = "https://api.cloudflare.com/client/v4/graphql";

/** The token is sent to Cloudflare or, in tests, to this machine, and never elsewhere. */
const isGraphqlUrl = (text: string): boolean =>
  text === GRAPHQL_URL || /^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?\//.test(text);

const wholeUpTo = (most: number) =>
  v.pipe(v.string(), v.regex(/^\d{1,10}$/), v.transform(Number), v.maxValue(most));

const reportUsers = v.optional(wholeUpTo(MOST_USERS_A_DAY), String(MOST_USERS_A_DAY));

const Settings = v.object({
  KEY_SECRETS: v.pipe(commaList, v.array(secret), v.minLength(1)),
  ADMIN_TOKEN: secret,
  ACCESS_ISSUER: v.optional(v.pipe(v.string(), v.check(isIssuer))),
  ACCESS_AUD: v.optional(
    v.pipe(commaList, v.array(v.pipe(v.string(), v.regex(AUDIENCE))), v.minLength(1)),
  ),
  INFERENCE: v.optional(v.picklist(["workers-ai", "openai", "embedded"]), "workers-ai"),
  OPENAI_BASE_URL: v.optional(v.pipe(v.string(), v.url(), v.regex(/^https?:/))),
  OPENAI_API_KEY: v.optional(v.string()),
  OPENAI_MODELS: v.optional(
    v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.string())),
    "{}",
  ),
  OPENAI_MODEL: v.optional(v.string()),
  AI_GATEWAY_ID: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/))),
  CLOUDFLARE_PLAN: v.optional(v.picklist(["free", "paid"]), "free"),
  PRICES: v.optional(
    v.pipe(
      v.string(),
      v.parseJson(),
      v.record(
        v.string(),
        v.record(v.string(), v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
      ),
    ),
    "{}",
  ),
  JUDGE_LANGUAGES: v.optional(judgeLanguages),
  WEBHOOK_TARGETS: v.optional(v.picklist(["public", "any"]), "public"),
  LOG_LEVEL: v.optional(v.picklist(LOG_LEVELS), "info"),
  CLOUDFLARE_ACCOUNT_ID: v.optional(v.pipe(v.string(), v.trim())),
  CLOUDFLARE_API_TOKEN: v.optional(v.pipe(v.string(), v.trim())),
  CLOUDFLARE_GRAPHQL_URL: v.optional(v.pipe(v.string(), v.check(isGraphqlUrl)), GRAPHQL_URL),
  DRIFT_ALERT_PERCENT: v.optional(wholeUpTo(100), "5"),
  SAFETY_MARGIN_DAYS: v.optional(wholeUpTo(92), "0"),
  REPORT_USERS_A_DAY: reportUsers,
  // Read where vectors are kept (`vectorStoresOf`), and only checked here.
  VECTORIZE_TENANTS: v.optional(v.picklist(["namespaces", "metadata"])),
  DRIFT_ALERT_NEURONS: v.optional(wholeUpTo(1_000_000_000), "100"),
  CORS_ORIGINS: v.optional(v.pipe(commaList, v.array(v.pipe(v.string(), v.check(isOrigin)))), ""),
});

function accessOf(settings: v.InferOutput<typeof Settings>): AccessConfig | null {
  const { ACCESS_ISSUER: issuer, ACCESS_AUD: audiences } = settings;
  if (issuer === undefined || audiences === undefined) return null;
  return { issuer: issuer.replace(/\/+$/, ""), audiences };
}

/** In a shell or a dashboard an empty variable means "not set". */
function namedSettings(env: Env): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => Object.hasOwn(Settings.entries, name) && value !== "",
    ),
  );
}

function settingOf(issue: v.BaseIssue<unknown>): string {
  const key = issue.path?.[0].key;
  return typeof key === "string" ? key : "environment";
}

/** Null unless both are set: many set only the account's id for their tools, and no call needs either. */
function cloudflareIn(settings: v.InferOutput<typeof Settings>): Config["cloudflare"] {
  const { CLOUDFLARE_ACCOUNT_ID: accountId, CLOUDFLARE_API_TOKEN: apiToken } = settings;
  if (accountId === undefined || apiToken === undefined) return null;
  return { accountId, apiToken, graphqlUrl: settings.CLOUDFLARE_GRAPHQL_URL };
}

const KNOWN = new WeakMap<Env, ConfigResult>();

/** An environment is read once: its settings never change. */
export function readConfig(env: Env): ConfigResult {
  const before = KNOWN.get(env);
  if (before !== undefined) return before;
  const result = parseConfig(env);
  KNOWN.set(env, result);
  return result;
}

function parseConfig(env: Env): ConfigResult {
  const named = namedSettings(env);
  const parsed = v.safeParse(Settings, named);
  const problems = new Set((parsed.issues ?? []).map(settingOf));
  if (named["INFERENCE"] === "openai" && named["OPENAI_BASE_URL"] === undefined) {
    problems.add("OPENAI_BASE_URL");
  }
  // One without the other would let in nobody, or everybody of the team.
  const access = ["ACCESS_ISSUER", "ACCESS_AUD"] as const;
  const missing = access.filter((name) => named[name] === undefined);
  if (missing.length === 1) missing.forEach((name) => problems.add(name));
  if (!parsed.success || problems.size > 0) {
    return { kind: "misconfigured", problems: [...problems] };
  }
  const settings = parsed.output;
  return {
    kind: "ready",
    config: {
      keySecrets: settings.KEY_SECRETS,
      adminToken: settings.ADMIN_TOKEN,
      access: accessOf(settings),
      inference: settings.INFERENCE,
      openai: {
        baseUrl: settings.OPENAI_BASE_URL?.replace(/\/+$/, "") ?? null,
        apiKey: settings.OPENAI_API_KEY ?? null,
        models: settings.OPENAI_MODELS,
        defaultModel: settings.OPENAI_MODEL ?? null,
      },
      aiGatewayId: settings.AI_GATEWAY_ID ?? null,
      workersPlan: settings.CLOUDFLARE_PLAN,
      prices: settings.PRICES,
      judgeLanguages: settings.JUDGE_LANGUAGES ?? { all: null, models: {} },
      corsOrigins: settings.CORS_ORIGINS,
      webhookTargets: settings.WEBHOOK_TARGETS,
      logLevel: settings.LOG_LEVEL,
      cloudflare: cloudflareIn(settings),
      safetyMarginDays: settings.SAFETY_MARGIN_DAYS,
      reportUsersADay: settings.REPORT_USERS_A_DAY,
      driftAlert: { percent: settings.DRIFT_ALERT_PERCENT, neurons: settings.DRIFT_ALERT_NEURONS },
    },
  };
}
