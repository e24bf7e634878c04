import {
  added,
  counted,
  dueMs as erasureDueMs,
  type Erasure,
  finished,
  isDone,
  lookDueMs,
  type Place,
} from "../../../src/domain/tenant/erasure.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { RequestFailure } from "../../../src/domain/ledger/failure.ts";
import type { PersonalRecord } from "../../../src/domain/tenant/personal-record.ts";
import { eraseArchived } from "./erase-archived.ts";
import {
  type ErasedFiles,
  erasePersonalFiles,
  type FilesOf,
  isInBucket,
  MOST_FILES,
  oneByOne,
} from "./erase-personal-files.ts";
import { ERASURES } from "./erasure-schema.ts";
import type { PersonalFile } from "./erasure-store.ts";
import {
  expiresAfter,
  expiry,
  PURGE_ROWS,
  type TenantContext,
  type TenantFeature,
} from "../feature.ts";
import type { Profile } from "../profile-store.ts";
import { eraseObjects } from "../sessions/sessions.ts";
import { noteRead } from "../verdicts/contents.ts";
import type { AnyPersonalData } from "./personal-data.ts";
import { START } from "./person-store.ts";
import type { Caller } from "../protocol.ts";
import { notFound } from "../page.ts";
import { type Transact, type Tx, unknownTenant } from "../transactions.ts";
import { personHash } from "../calls/governed-calls.ts";

// One person's data: looked through page by page, for an export or an erasure. An erasure goes on by
// the alarm from the place that its last transaction has written, so that no crash leaves half of it.

/** How long it can be shown that an erasure was done. */
const ERASURES_KEPT_MS = 365 * 86_400_000;

/** After files that could not be erased. */
const FILES_RETRY_MS = 10_000;

export const ERASURES_FEATURE: TenantFeature = {
  name: "erasures",
  tables: [ERASURES],
  capability: (context) => {
    const { db, erasures } = context.stores;
    return {
      forget: () => erasures.forget(),
      maintain: (tx) => context.erasures.goOn(tx),
      purge: ({ nowMs }) => erasures.purge(nowMs - ERASURES_KEPT_MS, PURGE_ROWS),
      expiries: [
        expiry(db.of(ERASURES), () =>
          expiresAfter(erasures.firstEndMs(PURGE_ROWS), ERASURES_KEPT_MS),
        ),
      ],
      dueMs: (nowMs) =>
        Math.min(...erasures.running().map((erasure) => erasureDueMs(erasure, nowMs))),
      dueRows: db.of(ERASURES),
      tend: async (profile) => {
        await eraseFiles(context, profile);
        return false;
      },
    };
  },
};

/** At once: each is looked at with every alarm. */
const MOST_RUNNING = 100;

/** Pages in one transaction, which keeps others waiting. A page looks at 1,000 rows at most. */
const PAGES_A_STEP = 16;

/**
 * How long after its hold's end a call can still settle or write a file: it has 60 s to run of the
 * hold's 90, and its last words are repeated for seconds.
 */
const LATE_CALLS_MS = 90_000;

/** While batches run that may hold something of the person, so often is looked for what they made. */
const BATCHES_EVERY_MS = 600_000;

export interface PersonalPage {
  readonly kind: "personal_page";
  readonly records: readonly PersonalRecord[];
  readonly next: Place | null;
}

export type StartErasure =
  | { readonly kind: "erasure"; readonly erasure: Erasure }
  | Extract<RequestFailure, { kind: "over_limit" }>;

/** Finds a person's data, page by page, and erases it. */
export class Erasures {
  readonly #personal: () => readonly AnyPersonalData[];

  /** @param personal in the order in which it is looked through and erased */
  constructor(personal: () => readonly AnyPersonalData[]) {
    this.#personal = personal;
  }

  /**
   * Contents that are given out are noted as read.
   *
   * @param asked `place` null: from the beginning
   */
  find(
    tx: Tx,
    request: { readonly userId: string; readonly place: Place | null; readonly requestId: string },
  ): PersonalPage {
    const personal = this.#personal();
    const at = request.place ?? firstPlace(personal);
    const { records, next } = storeAt(personal, at).find(request.userId, at.after);
    for (const record of records) {
      if (record.kind === "content") noteRead(tx, record.verdictId, request.requestId);
    }
    return { kind: "personal_page", records, next: placeAfter(personal, at, next) };
  }

  /** Begins an erasure, with its first pages. A repeat while it runs gets the one that runs. */
  start(
    tx: Tx,
    request: { readonly id: string; readonly userId: string; readonly person: string },
  ): StartErasure {
    const running = tx.stores.erasures.running();
    const same = running.find(({ person }) => person === request.person);
    if (same !== undefined) return { kind: "erasure", erasure: same };
    if (running.length >= MOST_RUNNING) {
      return { kind: "over_limit", detail: `At most ${MOST_RUNNING} erasures run at once.` };
    }
    const erasure: Erasure = {
      ...request,
      place: firstPlace(this.#personal()),
      againAtMs: afterOpenCalls(tx, request.userId),
      filesDueMs: null,
      counts: {},
      createdAtMs: tx.nowMs,
      finishedAtMs: null,
    };
    return { kind: "erasure", erasure: this.#advance(tx, erasure) };
  }

  /** The next pages of the erasure that is due; true when more is to be done at once. */
  goOn(tx: Tx): boolean {
    const isDue = (erasure: Erasure): boolean => lookDueMs(erasure, tx.nowMs) <= tx.nowMs;
    const due = tx.stores.erasures.running().filter(isDue);
    const [first] = due;
    if (first === undefined) return false;
    const after = this.#advance(tx, first);
    return due.length > 1 || (!isDone(after) && isDue(after));
  }

  #advance(tx: Tx, erasure: Erasure): Erasure {
    const looked = this.#look(tx, this.#begun(tx, erasure));
    const after = finished(looked, tx.nowMs);
    tx.stores.erasures.write(after);
    return after;
  }

  /**
   * Another look where the time for it has come. There is no last one as long as the items of a batch, or
   * the documents of a pipeline, lie in the bucket that was there before: whose they are is not known until
   * their calls are made.
   */
  #begun(tx: Tx, erasure: Erasure): Erasure {
    const { place, againAtMs, createdAtMs } = erasure;
    if (place !== null || againAtMs === null || againAtMs > tx.nowMs) return erasure;
    const open = [...tx.stores.batches.open(), ...tx.stores.pipelines.open()];
    const waits = open.some((one) => one.createdAtMs <= createdAtMs);
    return {
      ...erasure,
      place: firstPlace(this.#personal()),
      againAtMs: waits ? tx.nowMs + BATCHES_EVERY_MS : null,
    };
  }

  #look(tx: Tx, erasure: Erasure): Erasure {
    const { id, userId } = erasure;
    if (userId === null) return erasure;
    const { nowMs } = tx;
    const personal = this.#personal();
    let { place, counts, againAtMs, filesDueMs } = erasure;
    for (let page = 0; page < PAGES_A_STEP && place !== null; page += 1) {
      const store = storeAt(personal, place);
      const { records, next } = store.find(userId, place.after);
      const files = [
        ...records.flatMap((record) => store.files?.(record) ?? []),
        ...(next === null ? (store.everywhere?.() ?? []) : []),
      ];
      for (const file of files) tx.stores.erasures.addFile(id, file);
      for (const record of records) store.erase(tx, record, userId);
      counts = counted(counts, store.name, records.length);
      if (files.length > 0) filesDueMs = Math.min(filesDueMs ?? nowMs, nowMs);
      if (records.some((record) => maySettle(record, nowMs))) againAtMs = nowMs + LATE_CALLS_MS;
      place = placeAfter(personal, place, next);
    }
    return { ...erasure, place, counts, againAtMs, filesDueMs };
  }
}

/** When no call of that person that is in progress now can leave anything any more. */
function afterOpenCalls(
  { stores: { ledger, batches, pipelines }, nowMs }: Tx,
  userId: string,
): number | null {
  const lasts = ledger
    .openHolds()
    .filter((hold) => hold.userId === userId)
    .map(({ deadlineMs }) => deadlineMs + LATE_CALLS_MS);
  if (batches.open().length + pipelines.open().length > 0) lasts.push(nowMs + BATCHES_EVERY_MS);
  return lasts.length === 0 ? null : Math.max(...lasts);
}

/** Its hold ended a moment ago, and who ran it may not know yet: the verdict comes late. */
const maySettle = (record: PersonalRecord, nowMs: number): boolean =>
  record.kind === "journal_line" &&
  record.line.outcome === "expired" &&
  record.line.settledAtMs > nowMs - LATE_CALLS_MS;

/** Files of the erasure that is due first. */
async function eraseFiles(context: TenantContext, profile: Profile): Promise<void> {
  const { stores, transact, outside, feed, wallMs } = context;
  const bucket = outside.bucket();
  const due = stores.erasures
    .running()
    .find(({ filesDueMs }) => (filesDueMs ?? Infinity) <= wallMs());
  if (due === undefined || due.userId === null) return;
  const files = stores.erasures.listFiles(due.id, MOST_FILES);
  const inBucket = files.filter(isInBucket);
  const gone =
    bucket === null
      ? { files: inBucket, counts: [], failed: false }
      : await erasePersonalFiles(bucket, filesOf(transact, bucket, profile, due), inBucket);
  const sessions = files.filter(({ kind }) => kind === "session");
  const erasedObjects = await eraseObjects(
    context,
    sessions.map(({ subject }) => subject),
  );
  const endedSessions = erasedObjects.flatMap(({ id, isIdle }) => (isIdle ? [id] : []));
  transact((tx) => {
    const reported = files.filter((file) => file.kind !== "session" && !isInBucket(file));
    const arrived = reported.filter((file) =>
      file.kind === "vectors"
        ? tx.stores.vectorSets.read(file.subject) === null
        : feed.hasArrived(file),
    );
    const erasedSessions = sessions.filter(({ subject }) => endedSessions.includes(subject));
    const others = [...arrived, ...erasedSessions];
    // A variant that was begun before its picture was erased may be written after.
    const isWritten = (file: PersonalFile): boolean =>
      file.kind === "image_call" && tx.stores.variants.isMaking(file.subject, tx.nowMs);
    const ended = gone.files.filter((file) => !isWritten(file));
    const failed =
      gone.failed ||
      ended.length < gone.files.length ||
      others.length < reported.length + sessions.length;
    const erased = { files: [...ended, ...others], counts: gone.counts };
    filesErased(tx, due.id, erased, tx.nowMs + (failed ? FILES_RETRY_MS : 0));
  });
}

function filesOf(
  transact: Transact,
  bucket: R2Bucket,
  { id: tenant, generation }: Profile,
  due: Erasure,
): FilesOf {
  const owner = { tenant, generation, userId: due.userId ?? "" };
  const erase = (day: Day) =>
    eraseArchived(transact, bucket, { of: owner, day, erasureId: due.id });
  return { ...owner, archived: oneByOne(erase) };
}

/**
 * After some files were erased, or could not be.
 *
 * @param retryAtMs when to go on with what is left
 */
function filesErased(
  tx: Tx,
  id: string,
  gone: Pick<ErasedFiles, "files" | "counts">,
  retryAtMs: number,
): void {
  const { erasures } = tx.stores;
  const erasure = erasures.running().find((one) => one.id === id);
  if (erasure === undefined) return;
  for (const file of gone.files) {
    erasures.removeFile(id, file);
    if (file.kind === "image_call") tx.stores.variants.deleteCall(file.subject);
  }
  const left = erasures.listFiles(id, 1).length > 0;
  const counts = gone.counts.reduce(added, erasure.counts);
  // Messages in line when the erasure began were admitted after it: their calls are looked for too.
  const hadSession = gone.files.some(({ kind }) => kind === "session");
  const lookMs = hadSession ? (afterOpenCalls(tx, erasure.userId ?? "") ?? tx.nowMs) : 0;
  const againAtMs = hadSession ? Math.max(erasure.againAtMs ?? 0, lookMs) : erasure.againAtMs;
  const after = { ...erasure, counts, againAtMs, filesDueMs: left ? retryAtMs : null };
  erasures.write(finished(after, tx.nowMs));
}

const firstPlace = ([first]: readonly AnyPersonalData[]): Place => {
  if (first === undefined) throw new Error("there is nothing to look through");
  return { store: first.name, after: START };
};

const storeAt = (stores: readonly AnyPersonalData[], { store }: Place): AnyPersonalData => {
  const found = stores.find(({ name }) => name === store);
  if (found === undefined) throw new Error("no such store of personal data");
  return found;
};

/** @param next within the store; null: it was looked through */
function placeAfter(
  stores: readonly AnyPersonalData[],
  { store }: Place,
  next: string | null,
): Place | null {
  if (next !== null) return { store, after: next };
  const following = stores[stores.findIndex(({ name }) => name === store) + 1];
  return following === undefined ? null : { store: following.name, after: START };
}

export const ERASURE_OPERATIONS = {
  /** A page of a person's data; `place` null: from the beginning. */
  findPersonal: (
    { ask, erasures }: TenantContext,
    caller: Caller,
    request: { readonly userId: string; readonly place: Place | null; readonly requestId: string },
  ) => ask(caller, (tx) => erasures.find(tx, request)),

  async startErasure(
    context: TenantContext,
    caller: Caller,
    request: { readonly id: string; readonly userId: string },
  ) {
    const profile = context.profile();
    if (profile === null) return unknownTenant(caller);
    const person = await personHash(request.userId, profile.contentSecret);
    return context.writeAtOnce(caller, (tx) => context.erasures.start(tx, { ...request, person }));
  },

  readErasure: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, ({ stores }) => {
      const erasure = stores.erasures.read(id);
      return erasure === null ? notFound("erasure") : { kind: "erasure" as const, erasure };
    }),
};
