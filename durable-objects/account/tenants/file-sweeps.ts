import { generationPrefix } from "../../../src/domain/generation/stored-picture.ts";
import {
  type AccountContext,
  type AccountFeature,
  ALARM_LIMITS,
  MOST_AT_ONCE,
  RESUME_AFTER_MS,
} from "../account-feature.ts";
import { callEach } from "../call-each.ts";
import { type FileSweep, FileSweepStore } from "./file-sweep-store.ts";

/**
 * How long after its end a call of a tenant can still write a file: a hold lasts 90 s, and a request
 * that began before the tenant was closed has its own 60 s to run and 25 to write.
 */
const LATE_FILES_MS = 180_000;

/** Objects listed, and deleted, in one request: as many as R2 takes. */
const BATCH = 1000;

/** Batches at once; the alarm goes on with what is left. */
const MOST_BATCHES = 5;

/** The bucket, as far as this is concerned. */
export type FileBucket = Pick<R2Bucket, "list" | "delete">;

/** Erases the files of generations that have ended. */
export class FileSweeps implements AccountFeature {
  readonly name = "file_sweeps";
  readonly #context: AccountContext;
  readonly #store: FileSweepStore;
  readonly #bucket: () => FileBucket | null;

  /** @param bucket null: this deployment has none */
  constructor(context: AccountContext, bucket: () => FileBucket | null) {
    this.#context = context;
    this.#store = new FileSweepStore(context.db);
    this.#bucket = bucket;
  }

  /** Written before anything is erased, so that a crash forgets no file; null without a bucket. */
  plan(tenant: string, generation: number): FileSweep | null {
    if (this.#bucket() === null) return null;
    const nowMs = this.#context.wallMs();
    const sweep = { tenant, generation, dueAtMs: nowMs, lastAtMs: nowMs + LATE_FILES_MS };
    this.#store.write(sweep);
    return sweep;
  }

  /** A bucket that fails is tried again later: the tenant is gone all the same. */
  async run(sweep: FileSweep): Promise<void> {
    // The clock is read before the look: what is written after it is found by a later one.
    const nowMs = this.#context.wallMs();
    const bucket = this.#bucket();
    // A deployment without a bucket has no files.
    const isDone = bucket === null || (await eraseFiles(bucket, sweep).catch(() => false));
    if (isDone && nowMs >= sweep.lastAtMs) return this.#store.remove(sweep);
    const dueAtMs = isDone ? sweep.lastAtMs : nowMs + RESUME_AFTER_MS;
    this.#store.write({ ...sweep, dueAtMs });
  }

  dueMs(): number | null {
    return this.#store.list(1)[0]?.dueAtMs ?? null;
  }

  async tend(): Promise<void> {
    const nowMs = this.#context.wallMs();
    const due = this.#store.list(MOST_AT_ONCE).filter(({ dueAtMs }) => dueAtMs <= nowMs);
    await callEach(due, (sweep) => this.run(sweep), ALARM_LIMITS);
  }
}

/** Whether nothing of that generation is left in the bucket. Can be repeated at any point. */
async function eraseFiles(
  bucket: FileBucket,
  { tenant, generation }: Pick<FileSweep, "tenant" | "generation">,
): Promise<boolean> {
  const prefix = generationPrefix({ tenant, generation });
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each batch is listed after the last was deleted
    const { objects, truncated } = await bucket.list({ prefix, limit: BATCH });
    // oxlint-disable-next-line no-await-in-loop
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    if (!truncated) return true;
  }
  return false;
}
