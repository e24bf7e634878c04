import {
  added,
  counted,
  dueMs,
  type Erasure,
  finished,
  isDone,
  lookDueMs,
  type Place,
} from "../../../src/domain/tenant/erasure.ts";
import type { RequestFailure } from "../../../src/domain/ledger/failure.ts";
import type { PersonalRecord } from "../../../src/domain/tenant/personal-record.ts";
import type { ErasedFiles } from "./erase-personal-files.ts";
import { noteRead } from "../verdicts/contents.ts";
import type { Tx } from "../transactions.ts";
import type { ErasureStore } from "./erasure-store.ts";
import { type AnyPersonalData, personalData } from "./personal-data.ts";
import { START } from "./person-store.ts";

// One person's data: looked through page by page, for an export or an erasure. An erasure goes on by
// the alarm from where its last step has written that it is, so that no crash leaves half of it.

/** At once: each is looked at with every alarm. */
const MOST_RUNNING = 100;

/** Pages in one step, each of at most 1,000 rows looked at: a step keeps others waiting. */
const PAGES_A_STEP = 12;

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

/**
 * What is given out of contents is noted as read.
 *
 * @param place null: from the beginning
 */
export function findPersonal(
  tx: Tx,
  asked: { readonly userId: string; readonly place: Place | null; readonly requestId: string },
): PersonalPage {
  const stores = personalData(tx.stores);
  const at = asked.place ?? firstPlace(stores);
  const { records, next } = storeAt(stores, at).find(asked.userId, at.after);
  for (const record of records) {
    if (record.kind === "content") noteRead(tx, record.verdictId, asked.requestId);
  }
  return { kind: "personal_page", records, next: placeAfter(stores, at, next) };
}

export type StartErasure =
  | { readonly kind: "erasure"; readonly erasure: Erasure }
  | Extract<RequestFailure, { kind: "over_limit" }>;

/** Begins, and goes as far as one step does. Who asks again while it runs is told of the same one. */
export function startErasure(
  tx: Tx,
  asked: { readonly id: string; readonly userId: string; readonly person: string },
): StartErasure {
  const { erasures } = tx.stores;
  const running = erasures.running();
  const same = running.find(({ person }) => person === asked.person);
  if (same !== undefined) return { kind: "erasure", erasure: same };
  if (running.length >= MOST_RUNNING) {
    return { kind: "over_limit", detail: `At most ${MOST_RUNNING} erasures run at once.` };
  }
  const erasure: Erasure = {
    ...asked,
    place: firstPlace(personalData(tx.stores)),
    againAtMs: afterOpenCalls(tx, asked.userId),
    filesDueMs: null,
    counts: {},
    createdAtMs: tx.nowMs,
    finishedAtMs: null,
  };
  return { kind: "erasure", erasure: advance(tx, erasure) };
}

/** When no call of that person that is in progress now can leave anything any more. */
function afterOpenCalls({ stores: { ledger, batches }, nowMs }: Tx, userId: string): number | null {
  const lasts = ledger
    .openHolds()
    .filter((hold) => hold.userId === userId)
    .map(({ deadlineMs }) => deadlineMs + LATE_CALLS_MS);
  if (batches.open().length > 0) lasts.push(nowMs + BATCHES_EVERY_MS);
  return lasts.length === 0 ? null : Math.max(...lasts);
}

/** One step of the erasure that is due; true when more is to be done at once. */
export function advanceErasures(tx: Tx): boolean {
  const isDue = (erasure: Erasure): boolean => lookDueMs(erasure, tx.nowMs) <= tx.nowMs;
  const due = tx.stores.erasures.running().filter(isDue);
  const [first] = due;
  if (first === undefined) return false;
  const after = advance(tx, first);
  return due.length > 1 || (!isDone(after) && isDue(after));
}

/** When the alarm is needed for erasures. */
export const erasuresDueMs = (erasures: ErasureStore, nowMs: number): readonly number[] =>
  erasures.running().map((erasure) => dueMs(erasure, nowMs));

function advance(tx: Tx, erasure: Erasure): Erasure {
  const looked = look(tx, begun(tx, erasure));
  const after = finished(looked, tx.nowMs);
  tx.stores.erasures.write(after);
  return after;
}

/**
 * Another look where the time for it has come. There is no last one as long as the items of a batch
 * lie in the bucket that was there before: whose they are is not known until their calls are made.
 */
function begun(tx: Tx, erasure: Erasure): Erasure {
  const { place, againAtMs, createdAtMs } = erasure;
  if (place !== null || againAtMs === null || againAtMs > tx.nowMs) return erasure;
  const waits = tx.stores.batches.open().some((batch) => batch.createdAtMs <= createdAtMs);
  return {
    ...erasure,
    place: firstPlace(personalData(tx.stores)),
    againAtMs: waits ? tx.nowMs + BATCHES_EVERY_MS : null,
  };
}

function look(tx: Tx, erasure: Erasure): Erasure {
  const { id, userId } = erasure;
  if (userId === null) return erasure;
  const stores = personalData(tx.stores);
  let { place, counts, againAtMs, filesDueMs } = erasure;
  for (let page = 0; page < PAGES_A_STEP && place !== null; page += 1) {
    const store = storeAt(stores, place);
    const { records, next } = store.find(userId, place.after);
    const files = [
      ...records.flatMap((record) => store.files?.(record) ?? []),
      ...(next === null ? (store.everywhere?.() ?? []) : []),
    ];
    for (const file of files) tx.stores.erasures.addFile(id, file);
    for (const record of records) store.erase(tx, record, userId);
    counts = counted(counts, store.name, records.length);
    if (files.length > 0) filesDueMs = Math.min(filesDueMs ?? tx.nowMs, tx.nowMs);
    if (records.some((record) => maySettle(record, tx.nowMs))) againAtMs = tx.nowMs + LATE_CALLS_MS;
    place = placeAfter(stores, place, next);
  }
  return { ...erasure, place, counts, againAtMs, filesDueMs };
}

/** Its hold ended a moment ago, and who ran it may not know yet: the verdict comes late. */
const maySettle = (record: PersonalRecord, nowMs: number): boolean =>
  record.kind === "journal_line" &&
  record.line.outcome === "expired" &&
  record.line.settledAtMs > nowMs - LATE_CALLS_MS;

/**
 * After some files were erased, or could not be.
 *
 * @param retryAtMs when to go on with what is left
 */
export function filesErased(
  tx: Tx,
  id: string,
  gone: Pick<ErasedFiles, "files" | "counts">,
  retryAtMs: number,
): void {
  const { erasures } = tx.stores;
  const erasure = erasures.running().find((one) => one.id === id);
  if (erasure === undefined) return;
  for (const file of gone.files) erasures.removeFile(id, file);
  const left = erasures.listFiles(id, 1).length > 0;
  const counts = gone.counts.reduce(added, erasure.counts);
  const after = { ...erasure, counts, filesDueMs: left ? retryAtMs : null };
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
