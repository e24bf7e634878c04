import * as v from "valibot";
import type { Resource } from "../domain/catalogue/platform-prices.ts";
import { type Day, endOf, formatDay, isoTime, monthOf, startOf } from "../domain/ledger/period.ts";
import { readAtMost } from "../io/read-at-most.ts";
import type { CloudflareAccount } from "./cloudflare-usage.ts";

// The account's resources of a day, from the data sets of Cloudflare's GraphQL Analytics API. Each set is a
// query of its own: one that is refused, late or cut off takes no other with it, and its counts are missing.
// The counts are estimates where Cloudflare samples, and of all Workers of the account.

interface Row {
  readonly count?: number | undefined;
  readonly sum?: Readonly<Record<string, number | null>> | undefined;
  readonly max?: Readonly<Record<string, number | null>> | undefined;
  readonly dimensions?: Readonly<Record<string, string | null>> | undefined;
}

type Counts = Partial<Record<Resource, number>>;

interface DataSet {
  readonly name: string;
  /** How it is asked for a day. */
  readonly by: "date" | "datetime";
  readonly select: string;
  readonly counts: (rows: readonly Row[], daysOfMonth: number) => Counts;
}

const sumOf = (rows: readonly Row[], field: string): number =>
  rows.reduce((all, { sum }) => all + (sum?.[field] ?? 0), 0);

/** The largest of each group, added up. */
const heldOf = (rows: readonly Row[], ...fields: readonly string[]): number =>
  rows.reduce(
    (all, { max }) => all + fields.reduce((sum, field) => sum + (max?.[field] ?? 0), 0),
    0,
  );

const withAction = (rows: readonly Row[], ...actions: readonly string[]): readonly Row[] =>
  rows.filter(({ dimensions }) => actions.includes(dimensions?.["actionType"] ?? ""));

/** How many of these events there were. */
const eventsOf = (rows: readonly Row[], ...types: readonly string[]): number =>
  rows.reduce(
    (all, { count = 0, dimensions }) =>
      all + (types.includes(dimensions?.["eventType"] ?? "") ? count : 0),
    0,
  );

/** An object is billed as 128 MB for as long as it is active. */
const OBJECT_MB = 128;
const MICROSECONDS = 1_000_000;

/** Source: the R2 pricing page. Actions that are in neither list are free. */
const R2_CLASS_A = [
  "ListBuckets",
  "PutBucket",
  "ListObjects",
  "PutObject",
  "CopyObject",
  "CompleteMultipartUpload",
  "CreateMultipartUpload",
  "LifecycleStorageTierTransition",
  "ListMultipartUploads",
  "UploadPart",
  "UploadPartCopy",
  "ListParts",
  "PutBucketEncryption",
  "PutBucketCors",
  "PutBucketLifecycleConfiguration",
];
const R2_CLASS_B = [
  "HeadBucket",
  "HeadObject",
  "GetObject",
  "UsageSummary",
  "GetBucketEncryption",
  "GetBucketLocation",
  "GetBucketCors",
  "GetBucketLifecycleConfiguration",
];

/** What says whether Cloudflare has figures of the day at all: this Worker ran. */
const WORKERS: DataSet = {
  name: "workersInvocationsAdaptive",
  by: "date",
  select: "sum { requests }",
  counts: (rows) => ({ workers_requests: sumOf(rows, "requests") }),
};

const OTHERS: readonly DataSet[] = [
  {
    name: "workersInvocationsAdaptive",
    by: "date",
    select: "sum { cpuTimeUs }",
    counts: (rows) => ({ workers_cpu: sumOf(rows, "cpuTimeUs") }),
  },
  {
    name: "durableObjectsInvocationsAdaptiveGroups",
    by: "date",
    select: "sum { requests }",
    counts: (rows) => ({ object_requests: sumOf(rows, "requests") }),
  },
  {
    name: "durableObjectsPeriodicGroups",
    by: "date",
    select: "sum { activeTime rowsRead rowsWritten }",
    counts: (rows) => ({
      object_duration: (sumOf(rows, "activeTime") * OBJECT_MB) / MICROSECONDS,
      object_rows_read: sumOf(rows, "rowsRead"),
      object_rows_written: sumOf(rows, "rowsWritten"),
    }),
  },
  {
    name: "durableObjectsSqlStorageGroups",
    by: "date",
    select: "max { storedBytes } dimensions { namespaceId }",
    counts: (rows, days) => ({ object_storage: heldOf(rows, "storedBytes") / days }),
  },
  {
    name: "d1AnalyticsAdaptiveGroups",
    by: "date",
    select: "sum { rowsRead rowsWritten }",
    counts: (rows) => ({
      d1_rows_read: sumOf(rows, "rowsRead"),
      d1_rows_written: sumOf(rows, "rowsWritten"),
    }),
  },
  {
    name: "d1StorageAdaptiveGroups",
    by: "date",
    select: "max { databaseSizeBytes } dimensions { databaseId }",
    counts: (rows, days) => ({ d1_storage: heldOf(rows, "databaseSizeBytes") / days }),
  },
  {
    name: "kvOperationsAdaptiveGroups",
    by: "date",
    select: "sum { requests } dimensions { actionType }",
    counts: (rows) => ({
      kv_reads: sumOf(withAction(rows, "read"), "requests"),
      kv_writes: sumOf(withAction(rows, "write"), "requests"),
      kv_deletes: sumOf(withAction(rows, "delete"), "requests"),
      kv_lists: sumOf(withAction(rows, "list"), "requests"),
    }),
  },
  {
    name: "kvStorageAdaptiveGroups",
    by: "date",
    select: "max { byteCount } dimensions { namespaceId }",
    counts: (rows, days) => ({ kv_storage: heldOf(rows, "byteCount") / days }),
  },
  {
    name: "r2OperationsAdaptiveGroups",
    by: "date",
    select: "sum { requests } dimensions { actionType }",
    counts: (rows) => ({
      r2_writes: sumOf(withAction(rows, ...R2_CLASS_A), "requests"),
      r2_reads: sumOf(withAction(rows, ...R2_CLASS_B), "requests"),
    }),
  },
  {
    name: "r2StorageAdaptiveGroups",
    by: "date",
    select: "max { payloadSize metadataSize } dimensions { bucketName }",
    counts: (rows, days) => ({ r2_storage: heldOf(rows, "payloadSize", "metadataSize") / days }),
  },
  {
    name: "queueMessageOperationsAdaptiveGroups",
    by: "datetime",
    select: "sum { billableOperations }",
    counts: (rows) => ({ queue_operations: sumOf(rows, "billableOperations") }),
  },
  {
    name: "workflowsAdaptiveGroups",
    by: "datetime",
    select: "count dimensions { eventType }",
    counts: (rows) => ({
      workflow_requests: eventsOf(rows, "WORKFLOW_START"),
      // A wait is a step too; what a step repeats after a failure is not.
      workflow_steps: eventsOf(rows, "STEP_START", "SLEEP_START", "WAIT_START"),
    }),
  },
  {
    name: "vectorizeV2QueriesAdaptiveGroups",
    by: "date",
    select: "sum { queriedVectorDimensions }",
    counts: (rows) => ({ vectorize_queried: sumOf(rows, "queriedVectorDimensions") }),
  },
  {
    name: "vectorizeV2StorageAdaptiveGroups",
    by: "date",
    select: "max { storedVectorDimensions } dimensions { indexName }",
    counts: (rows, days) => ({ vectorize_stored: heldOf(rows, "storedVectorDimensions") / days }),
  },
  {
    name: "imagesTransformationsAdaptiveGroups",
    by: "date",
    select: "sum { billableEventCount }",
    counts: (rows) => ({ image_transformations: sumOf(rows, "billableEventCount") }),
  },
];

/** As in the query: so many rows mean that some are missing. */
const MAX_ROWS = 1000;
const MAX_BYTES = 1_000_000;
const TIMEOUT_MS = 20_000;

/**
 * What Cloudflare counted of a day: empty, if it has no Worker's requests of that day (yet). A data set
 * without rows then means 0. Never throws.
 */
export async function cloudflareResources(
  account: CloudflareAccount,
  day: Day,
): Promise<ReadonlyMap<Resource, bigint>> {
  const workers = await countsOf(account, day, WORKERS);
  if ((workers?.workers_requests ?? 0) === 0) return new Map();
  const others = await Promise.all(OTHERS.map((set) => countsOf(account, day, set)));
  const counted = Object.assign({}, workers, ...others) as Counts;
  return new Map(
    Object.entries(counted)
      .filter(([, count]) => Number.isSafeInteger(Math.ceil(count)))
      .map(([resource, count]) => [resource as Resource, BigInt(Math.ceil(count))]),
  );
}

/** Null: it could not be had. */
async function countsOf(
  account: CloudflareAccount,
  day: Day,
  set: DataSet,
): Promise<Counts | null> {
  try {
    const rows = await rowsOf(account, day, set);
    if (rows === null || rows.length >= MAX_ROWS) return null;
    const month = monthOf(day);
    return set.counts(rows, month.end - month.first);
  } catch {
    return null; // not reached, late, or not of the promised form
  }
}

const queryOf = ({ name, by, select }: DataSet): string => {
  const [types, filter] =
    by === "date"
      ? ["$day: Date!", "date: $day"]
      : ["$start: Time!, $end: Time!", "datetime_geq: $start, datetime_lt: $end"];
  return `query Resources($account: string!, ${types}) {
  viewer {
    accounts(filter: { accountTag: $account }) {
      ${name}(limit: ${MAX_ROWS}, filter: { ${filter} }) { ${select} }
    }
  }
}`;
};

async function rowsOf(
  { graphqlUrl, apiToken, accountId }: CloudflareAccount,
  day: Day,
  set: DataSet,
): Promise<readonly Row[] | null> {
  const times =
    set.by === "date"
      ? { day: formatDay(day) }
      : { start: isoTime(startOf(day)), end: isoTime(endOf(day)) };
  const response = await fetch(graphqlUrl, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${apiToken}`,
      "Content-Type": "application/json",
      Accept: "application/json",
    },
    body: JSON.stringify({ query: queryOf(set), variables: { account: accountId, ...times } }),
    // The token must not follow a redirect to another address.
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const bytes = response.body === null ? null : await readAtMost(response.body, MAX_BYTES);
  if (!response.ok || bytes === null) return null;
  const answer = v.safeParse(Answer, JSON.parse(new TextDecoder().decode(bytes)));
  if (!answer.success || (answer.output.errors ?? []).length > 0) return null;
  return answer.output.data.viewer.accounts[0]?.[set.name] ?? null;
}

const numbers = v.optional(v.record(v.string(), v.nullable(v.pipe(v.number(), v.minValue(0)))));

const Answer = v.object({
  errors: v.nullish(v.array(v.unknown())),
  data: v.object({
    viewer: v.object({
      accounts: v.array(
        v.record(
          v.string(),
          v.array(
            v.object({
              count: v.optional(v.pipe(v.number(), v.minValue(0))),
              sum: numbers,
              max: numbers,
              dimensions: v.optional(v.record(v.string(), v.nullable(v.string()))),
            }),
          ),
        ),
      ),
    }),
  }),
});
