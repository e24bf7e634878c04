import book from "./cloudflare-prices-2026-11.json" with { type: "json" };
import { countedUsd } from "../ledger/money.ts";
import { workCount, type WorkSums } from "../usage/work.ts";

// What Cloudflare charges for everything but the models: the Worker, its objects, its stores. We count
// some resources, estimate others from the measured use of a call, and call the rest unknown: each line
// says which, and how.

export type Resource = keyof typeof book.resources;

export const PLATFORM_PRICE_BOOK = book.version;

/** The amount that a plan includes, in the resource's own unit. */
export interface Included {
  readonly amount: number;
  readonly every: "day" | "month";
}

interface Price {
  readonly unit: string;
  readonly usd: string;
  readonly per: number;
  readonly paid: Included | null;
  readonly free: Included | null;
}

const PRICES = book.resources as Readonly<Record<Resource, Price>>;

export const isResource = (name: string): name is Resource => Object.hasOwn(book.resources, name);

/** `unknown`: no record of ours says how many there were. */
export type CountBasis = "counted" | "estimated" | "unknown";

export interface ResourceLine {
  readonly resource: Resource;
  readonly unit: string;
  /** Null when it is unknown. */
  readonly count: number | null;
  readonly basis: CountBasis;
  /** A sentence: what was counted, or what it was estimated from. */
  readonly how: string;
  /** The price beyond what the plan includes; null on the free plan, which sells nothing more. */
  readonly usd: string | null;
  readonly per: number;
  readonly included: Included | null;
  /** `count` at that price, before what the account's plan includes; null when it is unknown. */
  readonly costUsd: string | null;
}

/** The figures of the reports for a range of days. */
export interface PlatformCounts {
  /** Calls that were admitted. */
  readonly calls: number;
  /** Calls that were refused. */
  readonly refused: number;
  /** Calls that got an earlier answer. */
  readonly cached: number;
  /** Pictures made. */
  readonly pictures: number;
  /** Rows of the reports themselves; null: not known, and at most what the calls can have made. */
  readonly reportRows: number | null;
  /** Work beside calls, by name. */
  readonly work: WorkSums;
}

/**
 * What a governed call uses, as `npm run bench -- --only=cost` counts it (`docs/speed.md`). The call shares
 * no commit with another and its object sleeps before and after it: the most expensive case.
 */
export const MEASURED = {
  cpuMicroseconds: 960,
  objectRequests: 2,
  rowsWritten: 5,
  rowsRead: 11,
  /** 128 MB for half a second. */
  megabyteSeconds: 64,
  /** Stored bytes of the journal and the verdict (`test/durable-objects/verdict-size.test.ts`). */
  bytes: 1500,
  /** A picture and its share of the record of the call that made it. */
  writesPerPicture: 2,
  /** Its text and its results. */
  writesPerDocument: 2,
  /** A step of a run or a batch begins and reports, and may read its document. */
  objectRequestsPerStep: 3,
  /** Twice the step and its run. */
  rowsWrittenPerStep: 4,
  /** An instance reads its work, and starts the next or completes the batch. */
  stepsPerInstance: 2,
  /** Rows of the reports that a call changes: its hour, two models, its user. */
  reportRowsPerCall: 4,
  /** A row changes at most this often: it is folded and sent every five seconds of its hour. */
  changesPerReportRow: 720,
  /** In the object: the row, the mark that it waits, and the removal of that mark. */
  rowsWrittenPerChange: 3,
  /** In D1: its table and its index. */
  d1RowsWrittenPerChange: 2,
  /** Written, read and deleted: one message for each fold. */
  queueOperationsPerFold: 3,
  bytesPerReportRow: 400,
} as const;

interface Counted {
  readonly count: number | null;
  readonly basis: CountBasis;
  readonly how: string;
}

const estimated = (count: number, how: string): Counted => ({ count, basis: "estimated", how });
const unknown = (how: string): Counted => ({ count: null, basis: "unknown", how });

function countsOf(counts: PlatformCounts): Readonly<Record<Resource, Counted>> {
  const { calls, refused, cached, pictures, reportRows, work } = counts;
  const requests = calls + refused;
  const changes = changesOf(calls, reportRows);
  const steps = workCount(work, "pipeline_steps") + workCount(work, "batch_steps");
  const instances = workCount(work, "pipeline_slices") + workCount(work, "batches");
  const documents = workCount(work, "documents") + workCount(work, "pipeline_documents");
  return {
    workers_requests: {
      count: requests,
      basis: "counted",
      how: "Calls admitted and refused; requests that only read are not counted.",
    },
    workers_cpu: estimated(
      (requests + steps) * MEASURED.cpuMicroseconds,
      `${MEASURED.cpuMicroseconds / 1000} ms for each call admitted or refused, and for each step of a run or batch.`,
    ),
    object_requests: estimated(
      calls * MEASURED.objectRequests + refused + steps * MEASURED.objectRequestsPerStep,
      "Two for each call, one for each refusal, three for each step of a run or batch.",
    ),
    object_duration: estimated(
      requests * MEASURED.megabyteSeconds,
      "128 MB for half a second a call, as if no two calls shared it.",
    ),
    object_rows_read: estimated(
      calls * MEASURED.rowsRead,
      `${MEASURED.rowsRead} a call, as if no two calls shared a commit.`,
    ),
    object_rows_written: estimated(
      calls * MEASURED.rowsWritten +
        changes * MEASURED.rowsWrittenPerChange +
        steps * MEASURED.rowsWrittenPerStep,
      `${MEASURED.rowsWritten} a call, as if no two calls shared a commit, ` +
        `${MEASURED.rowsWrittenPerChange} for each change of a row of the reports, and ` +
        `${MEASURED.rowsWrittenPerStep} for each step of a run or batch.`,
    ),
    object_storage: estimated(
      calls * MEASURED.bytes,
      `${MEASURED.bytes} bytes a call, kept for a month.`,
    ),
    ...reportCounts(calls, reportRows),
    r2_writes: estimated(
      pictures * MEASURED.writesPerPicture +
        documents * MEASURED.writesPerDocument +
        workCount(work, "pipeline_steps") +
        workCount(work, "pipelines") +
        workCount(work, "batches"),
      "Each picture that was made and the record of its call, two files for each document, one for each " +
        "step of a run, and one for each run and batch.",
    ),
    r2_reads: unknown("How often pictures are fetched is not recorded."),
    r2_storage: unknown("How large pictures and archives are is not recorded."),
    kv_reads: estimated(cached, "Answers given again; looks that found none are not counted."),
    kv_writes: unknown("How often an answer was kept is not recorded."),
    kv_deletes: unknown("Kept answers expire by themselves; nothing counts other deletions."),
    kv_lists: unknown("Keys are not listed by Neurogate; nothing counts other lists."),
    kv_storage: unknown("How large kept answers are is not recorded."),
    workflow_requests: estimated(
      instances,
      "An instance for each batch, and for each 50 documents of a run, that ended; repeats after a crash are not counted.",
    ),
    workflow_steps: estimated(
      steps + instances * MEASURED.stepsPerInstance,
      "Each step of a run or batch that ended, and two for each instance; waits are not counted.",
    ),
    workflow_storage: unknown("How much Workflows store is not recorded."),
    vectorize_queried: unknown(
      "A query reads the dimensions of all vectors of the index: they are not counted here.",
    ),
    vectorize_stored: estimated(
      workCount(work, "vectorize_dimensions"),
      "The dimensions of vectors that were stored, kept for a month.",
    ),
    image_transformations: {
      count: workCount(work, "transformations"),
      basis: "counted",
      how: "Transformations of pictures that were begun; each is billed.",
    },
  };
}

type ReportResource = Extract<Resource, `d1_${string}` | "queue_operations">;

/** As if each call were folded by itself, up to the most changes that the time allows. */
const changesOf = (calls: number, rows: number | null): number =>
  Math.min(calls * MEASURED.reportRowsPerCall, mostChangesOf(rows));

const mostChangesOf = (rows: number | null): number =>
  rows === null ? Infinity : rows * MEASURED.changesPerReportRow;

const reportCounts = (
  calls: number,
  rows: number | null,
): Readonly<Record<ReportResource, Counted>> => ({
  d1_rows_read: unknown("How often reports are read is not recorded."),
  d1_rows_written: estimated(
    changesOf(calls, rows) * MEASURED.d1RowsWrittenPerChange,
    `${MEASURED.d1RowsWrittenPerChange} for each change of a row of the reports: at most ` +
      `${MEASURED.reportRowsPerCall} a call, and one every five seconds.`,
  ),
  d1_storage:
    rows === null
      ? unknown("How many rows the reports have of one tenant is not counted.")
      : estimated(
          rows * MEASURED.bytesPerReportRow,
          `${MEASURED.bytesPerReportRow} bytes for each row of the reports, kept for a month.`,
        ),
  queue_operations: estimated(
    Math.min(calls, mostChangesOf(rows)) * MEASURED.queueOperationsPerFold,
    `${MEASURED.queueOperationsPerFold} for each message: at most one a call, and one every five seconds.`,
  ),
});

/** Every resource, in the order of the price book. */
export function platformLines(
  counts: PlatformCounts,
  plan: "free" | "paid",
): readonly ResourceLine[] {
  const counted = countsOf(counts);
  return (Object.keys(PRICES) as Resource[]).map((resource) => {
    const { unit, usd, per, free, paid } = PRICES[resource];
    const { count, basis, how } = counted[resource];
    const charged = plan === "paid" ? usd : null;
    return {
      resource,
      unit,
      count,
      basis,
      how,
      usd: charged,
      per,
      included: plan === "paid" ? paid : free,
      costUsd: count === null ? null : costOf(count, charged, per),
    };
  });
}

const costOf = (count: number, usd: string | null, per: number): string =>
  usd === null ? "0" : countedUsd([{ count: BigInt(count), usd, per }]);

/** The sum of all lines whose count is known. */
export const platformUsd = (lines: readonly ResourceLine[]): string =>
  countedUsd(
    lines.flatMap(({ count, usd, per }) =>
      count === null || usd === null ? [] : [{ count: BigInt(count), usd, per }],
    ),
  );
