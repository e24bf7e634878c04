import { isAdjustment, type JournalEntry } from "../../../src/domain/ledger/adjustment.ts";
import {
  type Archive,
  archiveKey,
  isStored,
  keptFrom,
  oldAt,
} from "../../../src/domain/ledger/journal-archive.ts";
import { toJournalEntry } from "../../../src/domain/ledger/journal-object.ts";
import { charged } from "../../../src/domain/ledger/ledger.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import { posted } from "../../../src/domain/ledger/quota.ts";
import { madePictures } from "../../../src/domain/tenant/personal-record.ts";
import { FileWriter, readBack, type Written } from "../../../src/io/file-writer.ts";
import { type TenantContext, type TenantFeature, expiry } from "../feature.ts";
import { notFound, pageOf } from "../page.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Profile } from "../profile-store.ts";
import type { Caller } from "../protocol.ts";
import type { Transact, Tx } from "../transactions.ts";
import { isFoldedBefore } from "../usage/fold-usage.ts";
import { ownerOf } from "../verdicts/contents.ts";
import { ADJUSTMENTS } from "./adjustment-schema.ts";
import { ARCHIVES } from "./archive-schema.ts";
import { GRANTS } from "./grant-schema.ts";
import { LEDGER, VIOLATIONS } from "./ledger-schema.ts";

export const JOURNAL_FEATURE: TenantFeature = {
  name: "journal",
  tables: [LEDGER, VIOLATIONS, GRANTS, ADJUSTMENTS],
  capability: ({ stores: { ledger, persons, archives } }) => ({
    forget: () => ledger.reset(),
    maintain: ({ nowMs }) => {
      ledger.walk?.goOn(nowMs);
      return ledger.walk?.isRunning === true;
    },
    dueMs: (nowMs) => (ledger.walk?.isRunning === true ? nowMs : ledger.firstDeadlineMs()),
    personal: [
      personalData<"journal_line">({
        name: "journal_lines",
        find: (person, from) => persons.journalLines(person, from),
        erase: (_, { line }) => {
          persons.forgetPersonOfLine(line.callId);
          archives.spoil();
        },
        everywhere: () =>
          archives.withPersons().map((day) => ({ kind: "archive", subject: String(day) })),
        files: ({ line }) =>
          madePictures(line) ? [{ kind: "image_call", subject: line.callId }] : [],
      }),
    ],
  }),
};

export const JOURNAL_OPERATIONS = {
  listPeriods: ({ ask }: TenantContext, caller: Caller, from: Day, to: Day) =>
    ask(caller, ({ stores, profile, nowMs }) => {
      stores.refusals.flush();
      stores.ledger.flush();
      const periods = stores.journal.listPeriods(from, to);
      return { kind: "periods" as const, tenant: profile.id, periods, nowMs };
    }),

  /** How much a call that has ended was charged; null: it has not ended. */
  chargeOf: ({ ofGeneration }: TenantContext, generation: number, callId: string) =>
    ofGeneration(generation, null, ({ stores }) => {
      const entry = stores.ledger.entry(callId);
      return entry?.kind === "line" ? charged(entry.line) : null;
    }),
};

// Old days of the journal, moved into the bucket one after the other, each in steps of which any may
// be the last before a crash: (1) the day is written down as `writing`; (2) its lines are read page
// by page into one file, which is read back and compared; (3) lines, count and sum are compared with
// the period, and the day is `stored`; (4) lines are deleted, some at a time, until it is `done`.
// Before (3) nothing is deleted, so that a crash costs a file that is made again under the same name;
// after it the file is whole, so that a crash costs nothing.

/** Lines read in one transaction, and deleted in one. */
export const ARCHIVE_PAGE = 500;

/** After a bucket that failed. */
const RETRY_MS = 600_000;

/** Days are looked for this often: they become old at midnights. */
const LOOK_EVERY_MS = 3_600_000;

interface ArchiverDeps {
  readonly transact: Transact;
  /** Null: this deployment has none, and the lines stay. */
  readonly bucket: () => R2Bucket | null;
  readonly wallMs: () => number;
  readonly report: (event: string, error: unknown) => void;
}

export const ARCHIVES_FEATURE: TenantFeature = {
  name: "archives",
  tables: [ARCHIVES],
  capability: ({ stores: { db, archives }, transact, wallMs, outside: { bucket, report } }) => {
    const archiver = new Archiver({ transact, wallMs, bucket, report });
    return {
      expiries: [
        expiry(db.of(LEDGER), () => {
          // Without a bucket no day is archived.
          const day = bucket() === null ? null : archives.nextDay(Number.MAX_SAFE_INTEGER);
          return day === null ? null : oldAt(day);
        }),
        expiry(db.of(ARCHIVES), () => (archives.open() === null ? null : 0)),
      ],
      dueMs: (_, profile) => (profile.closed ? Infinity : (archiver.dueMs ?? Infinity)),
      tend: (profile) => archiver.run(profile),
    };
  },
};

class Archiver {
  readonly #deps: ArchiverDeps;
  #notBeforeMs = 0;
  #retryMs: number | null = null;

  constructor(deps: ArchiverDeps) {
    this.#deps = deps;
  }

  /** When it goes on after a bucket that failed; null: none did. */
  get dueMs(): number | null {
    return this.#retryMs;
  }

  /** A piece of the work; true when there is more to be done at once. */
  async run(profile: Profile): Promise<boolean> {
    const { transact, report } = this.#deps;
    const bucket = this.#deps.bucket();
    if (bucket !== null && this.#deps.wallMs() < this.#notBeforeMs) return false;
    this.#retryMs = null;
    if (bucket === null || profile.closed) return false;
    const archive = transact(nextArchive);
    if (archive === null) {
      this.#notBeforeMs = this.#deps.wallMs() + LOOK_EVERY_MS;
      return false;
    }
    if (archive.state === "stored") {
      transact((tx) => deleteStored(tx, archive));
      return true;
    }
    try {
      return await this.#write(bucket, profile, archive.day);
    } catch (error) {
      report("archive_failed", error);
      this.#retryMs = this.#deps.wallMs() + RETRY_MS;
      this.#notBeforeMs = this.#retryMs;
      return false;
    }
  }

  async #write(bucket: R2Bucket, profile: Profile, day: Day): Promise<boolean> {
    const { transact } = this.#deps;
    const key = archiveKey(ownerOf(profile), day, 1);
    const writer = new FileWriter(bucket, key);
    try {
      const sums = await this.#copy(writer, day);
      const written = await writer.close();
      const stored = await readBack(bucket, key);
      if (stored?.sha256 !== written.sha256 || stored.bytes !== written.bytes) {
        throw new Error("the file is not what was written");
      }
      transact((tx) => judge(tx, day, { ...sums, ...written }));
      return true;
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async #copy(writer: FileWriter, day: Day): Promise<Sums> {
    const { transact } = this.#deps;
    const sums = { lines: 0, calls: 0, persons: 0, microNeurons: 0 };
    let after: string | null = "";
    while (after !== null) {
      const from: string = after;
      const page: readonly JournalEntry[] | null = transact((tx) => readPage(tx, day, from));
      if (page === null) throw new Error("the tenant is gone");
      // oxlint-disable-next-line no-await-in-loop -- page after page: one is in memory
      await writer.add(page.map((entry) => `${textOf(entry, sums)}\n`).join(""));
      const last = page.findLast((entry) => !isAdjustment(entry));
      const isLast = page.length < ARCHIVE_PAGE || last === undefined || page.some(isAdjustment);
      after = isLast || isAdjustment(last) ? null : last.callId;
    }
    return sums;
  }
}

interface Sums {
  lines: number;
  calls: number;
  persons: number;
  microNeurons: number;
}

function textOf(entry: JournalEntry, sums: Sums): string {
  const line = toJournalEntry(entry);
  sums.lines += 1;
  if (!isAdjustment(entry)) sums.calls += 1;
  if (line.user_id !== null) sums.persons += 1;
  sums.microNeurons += line.micro_neurons;
  return JSON.stringify(line);
}

/** A page of calls; with the last of them the day's adjustments, of which there are few. */
function readPage(
  { stores: { archives, adjustments } }: Tx,
  day: Day,
  after: string,
): JournalEntry[] {
  const page = archives.lines(day, after, ARCHIVE_PAGE);
  return page.length < ARCHIVE_PAGE ? [...page, ...adjustments.ofDays(day, day + 1)] : page;
}

/** What is in work, or the next day that is old enough, written down as in work. */
function nextArchive(tx: Tx): Archive | null {
  const { archives } = tx.stores;
  const open = archives.open();
  if (open !== null) return open;
  const day = archives.nextDay(keptFrom(tx.nowMs));
  // The reports are made of lines: a day that is not in them yet has to stay.
  if (day === null || !isFoldedBefore(tx, day + 1)) return null;
  const archive: Archive = {
    day,
    state: "writing",
    lines: 0,
    persons: 0,
    microNeurons: 0,
    bytes: 0,
    sha256: "",
    revision: 1,
    isStale: false,
    madeAtMs: tx.nowMs,
    rewrittenAtMs: null,
  };
  archives.write(archive);
  return archive;
}

/** The file is whole. Whether it is also what the period says decides what becomes of the lines. */
function judge(
  { stores: { archives, journal, ledger }, nowMs }: Tx,
  day: Day,
  made: Sums & Written,
): void {
  const archive = archives.read(day);
  if (archive?.state !== "writing") return;
  // It is made anew: a person was taken out of a line that was read already.
  if (archive.isStale) return archives.write({ ...archive, isStale: false });
  const { drawn, totals } = ledger.period(day);
  const now = journal.sumLines(day);
  const isWhole =
    made.microNeurons === posted(drawn) &&
    made.calls === totals.calls &&
    now.lines === made.calls &&
    now.posted === made.microNeurons;
  const { lines, persons, bytes, sha256 } = made;
  const state = !isWhole ? "broken" : lines === 0 ? "empty" : "stored";
  const microNeurons = Math.max(0, made.microNeurons);
  const sums = { lines, persons, microNeurons, bytes, sha256 };
  archives.write({ ...archive, ...sums, state, madeAtMs: nowMs });
}

function deleteStored({ stores: { archives } }: Tx, { day }: Archive): void {
  const more = archives.deleteLines(day, ARCHIVE_PAGE);
  const archive = archives.read(day);
  if (!more && archive !== null) archives.write({ ...archive, state: "done" });
}

export const ARCHIVE_OPERATIONS = {
  listArchives: ({ ask }: TenantContext, caller: Caller, before: Day, limit: number) =>
    ask(caller, ({ stores }) => pageOf(stores.archives.list(before, limit), limit)),

  readArchive: ({ ask }: TenantContext, caller: Caller, day: Day) =>
    ask(caller, ({ stores, profile: { generation } }) => {
      const archive = stores.archives.read(day);
      return archive === null || !isStored(archive)
        ? notFound("archived day")
        : { kind: "archive" as const, archive, generation };
    }),
};
