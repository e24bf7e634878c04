import { list } from "../api/field.ts";
import type { FailureKind } from "../domain/ledger/failure.ts";
import { isOver, type Run } from "../domain/runs/run.ts";
import { KEY_USED, TENANT_READ } from "../edge/bindings.ts";
import { ok, raw } from "../http/reply.ts";
import { acceptsNdjson, isPage, linesFrom, type ListPage, ndjson } from "../http/ndjson.ts";
import { isFileThere, keepFile } from "../io/joined-file.ts";

// What the routes of batches and of pipelines share.

/** How a request for a new run may fail. */
export const CREATE_RUN = [
  ...TENANT_READ,
  ...KEY_USED,
  "over_limit",
  "storage_full",
  "engine_unsupported",
] as const satisfies readonly FailureKind[];

/** The file with the contents of a run. */
interface RunFile {
  readonly bucket: R2Bucket;
  readonly key: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The first instance of a run's Workflow. */
interface Instance<Params> {
  readonly workflow: Workflow<Params>;
  readonly id: string;
  readonly params: Params;
}

/**
 * Keeps the file of a run that was made, and starts its Workflow. A repeated request does neither where the
 * run is over or the file is there already.
 *
 * @returns false: the bucket failed
 */
export async function startRun<Params>(
  ctx: ExecutionContext,
  { run, repeated }: { readonly run: Run; readonly repeated: boolean },
  { bucket, key, bytes }: RunFile,
  { workflow, id, params }: Instance<Params>,
): Promise<boolean> {
  if (repeated && (isOver(run) || (await isFileThere(bucket, key)))) return true;
  if (!(await keepFile(bucket, key, bytes))) return false;
  // Not waited for: the local engine answers when the instance has ended. What fails here, the tenant's
  // alarm finds.
  ctx.waitUntil(workflow.create({ id, params }).catch(() => undefined));
  return true;
}

/**
 * The steps of a run: one page as JSON, or all from there on as one stream.
 *
 * @param from the place of the first step
 */
export async function stepsReply<Place, Step, Failed extends { readonly kind: string }>(
  request: Request,
  from: Place,
  {
    read,
    cursorOf,
  }: {
    readonly read: (place: Place) => Promise<ListPage<Place, Step> | Failed>;
    readonly cursorOf: (place: Place) => string;
  },
) {
  const page = await read(from);
  if (!isPage(page)) return page;
  if (acceptsNdjson(request)) return raw(ndjson(linesFrom(page, read)));
  return ok(list(page.lines, page.next === null ? null : cursorOf(page.next)));
}
