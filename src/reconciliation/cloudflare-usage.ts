import * as v from "valibot";
import { UPSTREAM_FIELDS, type UpstreamModel } from "../domain/usage/drift.ts";
import { type Day, formatDay } from "../domain/ledger/period.ts";
import { addSums } from "../domain/usage/usage-sum.ts";
import { readAtMost } from "../io/read-at-most.ts";

// Cloudflare's count of a day: the data set `aiInferenceAdaptiveGroups` of its GraphQL Analytics API. It
// lags by minutes to hours and large amounts are sampled: every number is an estimate, and a second read
// of a day may differ.

const QUERY = `query Usage($account: string!, $day: Date!) {
  viewer {
    accounts(filter: { accountTag: $account }) {
      aiInferenceAdaptiveGroups(limit: 1000, filter: { date: $day }) {
        count
        sum { totalNeurons totalInputTokens totalOutputTokens }
        dimensions { modelId date }
      }
    }
  }
}`;

/** As in the query. Cloudflare has about a hundred models: so many rows mean that some are missing. */
const MAX_ROWS = 1000;

const MAX_BYTES = 1_000_000;

const TIMEOUT_MS = 20_000;

/** The waits before the repeats of a query that may succeed later. */
const REPEAT_AFTER_MS: readonly number[] = [1000, 5000];

const MICRO_PER_NEURON = 1_000_000;

/** The largest count of neurons whose µN are a safe integer. */
const MAX_NEURONS = Math.floor(Number.MAX_SAFE_INTEGER / MICRO_PER_NEURON);

export interface CloudflareAccount {
  readonly accountId: string;
  readonly apiToken: string;
  readonly graphqlUrl: string;
}

export type CloudflareUsage =
  /** Empty: Cloudflare has no figures of that day (yet). */
  | { readonly kind: "usage"; readonly models: readonly UpstreamModel[] }
  /** `reason` is for the platform to read; it never holds the token. */
  | { readonly kind: "failed"; readonly reason: string };

type Failed = Extract<CloudflareUsage, { kind: "failed" }> & { readonly again: boolean };

export interface QueryOptions {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly wait: (ms: number) => Promise<void>;
}

const OVER_HTTP: QueryOptions = {
  fetch: (...request) => fetch(...request),
  wait: (ms) => scheduler.wait(ms),
};

export async function cloudflareUsage(
  account: CloudflareAccount,
  day: Day,
  options: QueryOptions = OVER_HTTP,
): Promise<CloudflareUsage> {
  for (const waitMs of [...REPEAT_AFTER_MS, null]) {
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    const answer = await askOnce(account, day, options);
    if (answer.kind === "usage") return answer;
    if (!answer.again || waitMs === null) return { kind: "failed", reason: answer.reason };
    // oxlint-disable-next-line no-await-in-loop -- the wait between them
    await options.wait(waitMs);
  }
  throw new Error("the last try always returns");
}

async function askOnce(
  account: CloudflareAccount,
  day: Day,
  options: QueryOptions,
): Promise<Extract<CloudflareUsage, { kind: "usage" }> | Failed> {
  let status;
  let text;
  try {
    const response = await options.fetch(account.graphqlUrl, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${account.apiToken}`,
        "Content-Type": "application/json",
        Accept: "application/json",
      },
      body: JSON.stringify({
        query: QUERY,
        variables: { account: account.accountId, day: formatDay(day) },
      }),
      // The token must not follow a redirect to another address.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    const bytes = response.body === null ? null : await readAtMost(response.body, MAX_BYTES);
    text = bytes === null ? null : new TextDecoder().decode(bytes);
  } catch (error) {
    const late = error instanceof Error && error.name === "TimeoutError";
    return failed(
      late ? "Cloudflare did not answer in time." : "Cloudflare was not reached.",
      true,
    );
  }
  return readAnswer(status, text, { account, day });
}

const failed = (reason: string, again = false): Failed => ({ kind: "failed", reason, again });

function readAnswer(
  status: number,
  text: string | null,
  query: { readonly account: CloudflareAccount; readonly day: Day },
): Extract<CloudflareUsage, { kind: "usage" }> | Failed {
  if (status === 401 || status === 403) return failed(UNAUTHORIZED);
  if (status === 429) return failed("Cloudflare's limit of GraphQL queries is used up.", true);
  if (status >= 500) return failed(`Cloudflare failed with status ${status}.`, true);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson()), text);
  const refused = v.safeParse(Refused, parsed.output);
  if (refused.success) return refusal(refused.output.errors, query.account);
  if (status !== 200) return failed(`Cloudflare answered with status ${status}.`);
  const answer = v.safeParse(Answer, parsed.output);
  if (!answer.success) return failed("Cloudflare's answer does not have the documented form.");
  const [account] = answer.output.data.viewer.accounts;
  if (account === undefined) return failed(UNKNOWN_ACCOUNT);
  const rows = account.aiInferenceAdaptiveGroups;
  if (rows.length >= MAX_ROWS) return failed("Cloudflare's answer was cut off: too many models.");
  if (rows.some(({ dimensions }) => dimensions.date !== formatDay(query.day))) {
    return failed("Cloudflare's answer is of another day.");
  }
  return { kind: "usage", models: modelsOf(rows) };
}

const UNAUTHORIZED =
  "CLOUDFLARE_API_TOKEN is not accepted: it needs Account Analytics (read) of the account.";

const UNKNOWN_ACCOUNT = "CLOUDFLARE_ACCOUNT_ID names no account that the token may read.";

/** Cloudflare's own codes for a token without permission, and for an invalid token. */
const AUTH_CODES: readonly unknown[] = ["authz", "authn", 10_000, 9106, 9109];

function refusal(
  errors: v.InferOutput<typeof Refused>["errors"],
  account: CloudflareAccount,
): Failed {
  if (errors.some(({ code, extensions }) => AUTH_CODES.includes(extensions?.code ?? code))) {
    return failed(UNAUTHORIZED);
  }
  const messages = errors.map(({ message }) => message).join("; ");
  return failed(`Cloudflare refused the query: ${withoutSecrets(messages, account)}`);
}

/** A message may quote anything, secrets too. */
const withoutSecrets = (text: string, { apiToken, accountId }: CloudflareAccount): string =>
  text
    .replaceAll(apiToken, "…")
    .replaceAll(accountId, "…")
    .replace(/[^\x20-\x7e…]+/g, " ")
    .slice(0, 200);

/** A model that was called in several ways may have several rows. */
function modelsOf(rows: readonly v.InferOutput<typeof Row>[]): UpstreamModel[] {
  const models = new Map<string, UpstreamModel>();
  for (const { count: engineRequests, sum, dimensions } of rows) {
    const counted: UpstreamModel = {
      model: dimensions.modelId,
      microNeurons: toMicroNeurons(sum.totalNeurons),
      engineRequests,
      inputTokens: sum.totalInputTokens,
      outputTokens: sum.totalOutputTokens,
    };
    const before = models.get(counted.model);
    const all = before === undefined ? counted : addSums(UPSTREAM_FIELDS, before, counted);
    models.set(all.model, all);
  }
  return [...models.values()];
}

/** Neurons come as a float: this is the one place that rounds them, to the nearest µN. */
const toMicroNeurons = (neurons: number): bigint => BigInt(Math.round(neurons * MICRO_PER_NEURON));

const count = v.pipe(v.number(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

/** Rounded, since a scaled sample may have fractions; absent for models that count no tokens. */
const tokens = v.pipe(
  v.nullish(count, 0),
  v.transform((number) => Math.round(number)),
);

const Row = v.object({
  count: v.pipe(
    count,
    v.transform((number) => Math.round(number)),
  ),
  sum: v.object({
    totalNeurons: v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_NEURONS)),
    totalInputTokens: tokens,
    totalOutputTokens: tokens,
  }),
  dimensions: v.object({
    modelId: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
    date: v.string(),
  }),
});

const Answer = v.object({
  data: v.object({
    viewer: v.object({
      accounts: v.pipe(
        v.array(v.object({ aiInferenceAdaptiveGroups: v.array(Row) })),
        v.maxLength(1),
      ),
    }),
  }),
});

/** The errors of GraphQL, or of Cloudflare's API in front of it. */
const Refused = v.object({
  errors: v.pipe(
    v.array(
      v.object({
        message: v.optional(v.string(), ""),
        code: v.optional(v.unknown()),
        extensions: v.nullish(v.object({ code: v.optional(v.unknown()) })),
      }),
    ),
    v.minLength(1),
  ),
});
