import { type Day, dayOf, endOf } from "../../../src/domain/ledger/period.ts";
import { HOURS_KEPT_MS, USER_DAYS_KEPT_MS } from "../../../src/domain/usage/report-retention.ts";
import {
  hourOf,
  packRows,
  type RowVersion,
  type SentRow,
  type UserDay,
} from "../../../src/domain/usage/report-rows.ts";
import { hourKey } from "../../../src/domain/usage/usage-fold.ts";
import { expiresAfter, expiry, PURGE_ROWS, type TenantFeature } from "../feature.ts";
import { personalData } from "../privacy/personal-data.ts";
import { nextSequence, unlogVerdict } from "../verdicts/moderation-log.ts";
import { FEED, REPORT_USERS } from "./feed-schema.ts";
import { type Folded, foldUsage } from "./fold-usage.ts";
import type { TenantStores } from "../stores.ts";
import type { Tx } from "../transactions.ts";
import type { Profile } from "../profile-store.ts";
import { advanceRebuild, isRebuilding, type RebuildMeans } from "./rebuild-reports.ts";
import { FIRST_ROW, type ReportRowStore, userKey } from "./usage-row-store.ts";

// What the alarm does for the platform's reports: it folds what settled, and sends the rows that
// wait. A row waits until the consumer of the queue says that it is in the reports. What was sent is
// known in memory alone, so that an object that starts anew sends it once more.

export const USAGE_FEATURE: TenantFeature = {
  name: "usage",
  tables: [FEED, REPORT_USERS],
  capability: ({ stores: { db, feed: states, reportRows }, feed }) => {
    const rowsOf = db.of(FEED);
    const hourDueMs = (kind: "call_hour" | "usage_hour") => () => {
      const hour = reportRows.list(kind, "", 1)[0]?.row.hour;
      return hour === undefined ? null : (hour + 1) * HOUR_MS + HOURS_KEPT_MS;
    };
    return {
      forget: () => states.forget(),
      begin: () => feed.hasNews,
      purge: ({ nowMs }) => purgeRows(reportRows, nowMs),
      expiries: [
        expiry(rowsOf, hourDueMs("call_hour")),
        expiry(rowsOf, hourDueMs("usage_hour")),
        expiry(rowsOf, () => userDayDueMs(reportRows.list("user_day", "", 1)[0]?.row.day)),
        expiry(rowsOf, () =>
          expiresAfter(reportRows.list("logged_verdict", "", 1)[0]?.row.expiresAtMs ?? null, 0),
        ),
        expiry(db.of(REPORT_USERS), () => userDayDueMs(reportRows.oldestDay())),
      ],
      dueMs: (nowMs, profile) => (profile.closed ? Infinity : feed.dueMs(nowMs)),
      tend: async (profile) => {
        await feed.run(profile);
        return false;
      },
      isBeside: true,
      personal: [
        personalData<"user_day">({
          name: "user_days",
          find: (person) => {
            const found = reportRows.daysOf(person);
            return { records: found.map((one) => ({ kind: "user_day", ...one })), next: null };
          },
          erase: (tx, { key, row }) => forgetUserDay(tx, key, row),
          files: ({ key }) => [{ kind: "user_day", subject: key }],
        }),
        personalData<"logged_verdict">({
          name: "logged_verdicts",
          find: (person, from) => {
            const { records, next } = reportRows.loggedOf(person, { after: from, scan: SCAN });
            return {
              records: records.map((record) => ({ kind: "logged_verdict", ...record })),
              next,
            };
          },
          erase: (tx, { key }) => unlogVerdict(tx, key),
          files: ({ key }) => [{ kind: "logged_verdict", subject: key }],
        }),
      ],
    };
  },
};

const userDayDueMs = (day: Day | null | undefined): number | null =>
  day === null || day === undefined ? null : endOf(day) + USER_DAYS_KEPT_MS;

/** The reports do not keep these any more either. */
function purgeRows(rows: ReportRowStore, nowMs: number): boolean {
  const firstHour = hourKey(hourOf(nowMs - HOURS_KEPT_MS));
  const firstDay = dayOf(nowMs - USER_DAYS_KEPT_MS);
  return [
    rows.purge("usage_hour", firstHour, PURGE_ROWS),
    rows.purge("call_hour", firstHour, PURGE_ROWS),
    rows.purge("user_day", userKey(firstDay, 0), PURGE_ROWS),
    rows.purgeUsers(firstDay, PURGE_ROWS),
    rows.purgeExpired(nowMs, PURGE_ROWS),
  ].includes(true);
}

/** The row stays, with what its calls came to, and is nobody's. */
function forgetUserDay(tx: Tx, key: string, row: UserDay): void {
  const sequence = nextSequence(tx);
  if (sequence === null) return;
  const { reportRows } = tx.stores;
  reportRows.forgetUser(row.day, row.userId);
  reportRows.write({ kind: "user_day", key, row: { ...row, userId: "", sequence } });
}

const HOUR_MS = 3_600_000;

/** Logged verdicts that one page of a person's data looks at. */
const SCAN = 200;

/** How long after something settled it is folded: what settles until then is folded with it. */
const FOLD_AFTER_MS = 5000;

/** Steps of one alarm: calls are served between two alarms. */
const MOST_FOLDS = 4;

/** The queue gathers for seconds, and repeats what failed after ten. */
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 900_000;

/** Rows sent without a receipt: more wait for their turn. */
const MOST_UNDERWAY = 2000;

/** Rows sent in one alarm. */
const MOST_SENT = 1000;

const PAGE = 500;

export interface FeedDeps extends RebuildMeans {
  readonly stores: TenantStores;
  /** Null: this deployment has no reports, and nothing is sent. */
  readonly queue: () => Pick<Queue, "send"> | null;
  readonly wallMs: () => number;
  /** End users who have a row of their own on a day. */
  readonly usersADay: () => number;
  readonly report: (event: string, error: unknown) => void;
}

interface Underway {
  readonly sequence: number;
  readonly epoch: number;
  readonly dueMs: number;
  readonly waitMs: number;
}

export class UsageFeed {
  readonly #deps: FeedDeps;
  #underway = new Map<string, Underway>();
  /** When the first of them is sent again. */
  #againMs = Infinity;
  /** What the ledger had counted when it was last folded; before it started, an alarm was set. */
  #folded = 0;
  #moreToFold = false;
  /** Lines of the millisecond of the last fold. */
  #leftOver = false;
  /** Whether rows wait that are not underway; null: not looked since the object started. */
  #unsent: boolean | null = null;
  #rebuildDueMs = 0;

  constructor(deps: FeedDeps) {
    this.#deps = deps;
  }

  /** The work of one alarm, each part of it bounded. What fails is done by a later one. */
  async run(profile: Profile): Promise<void> {
    if (profile.closed) return;
    this.#fold();
    await this.#rebuild(profile);
    await this.#send(profile);
  }

  /** Something settled or was refused since the last fold. */
  get hasNews(): boolean {
    return this.#folded !== this.#deps.stores.ledger.counted;
  }

  /** When the alarm is needed for it; Infinity: not before something happens. */
  dueMs(nowMs: number): number {
    const { stores, queue } = this.#deps;
    if (this.#moreToFold) return nowMs;
    const foldMs = this.hasNews || this.#leftOver ? nowMs + FOLD_AFTER_MS : Infinity;
    if (queue() === null) return foldMs;
    const rebuildMs = isRebuilding(stores.feed) ? Math.max(nowMs, this.#rebuildDueMs) : Infinity;
    this.#unsent ??= stores.reportRows.isAnyWaiting();
    const isRoom = this.#underway.size < MOST_UNDERWAY;
    const sendMs = this.#unsent && isRoom ? nowMs : this.#againMs;
    return Math.min(
      foldMs,
      rebuildMs,
      this.#underway.size === 0 && !this.#unsent ? Infinity : sendMs,
    );
  }

  /** The reports have these rows. Of an earlier epoch that may be true no more. */
  arrived(epoch: number, rows: readonly RowVersion[]): void {
    const { stores } = this.#deps;
    if (stores.feed.read()?.epoch !== epoch) return;
    stores.reportRows.delivered(rows);
    for (const { kind, key, sequence } of rows) {
      const name = nameOf(kind, key);
      if (this.#underway.get(name)?.sequence === sequence) this.#underway.delete(name);
    }
  }

  /** Whether the reports have a row as it is now; true where there are none. */
  hasArrived({ kind, subject }: { readonly kind: string; readonly subject: string }): boolean {
    const { stores, queue } = this.#deps;
    return queue() === null || !stores.reportRows.isWaiting(kind, subject);
  }

  /** A row changed by something that is no fold: a review, an erasure, a rebuild. */
  changed(): void {
    this.#unsent = true;
  }

  #fold(): void {
    const { stores, transact, report, usersADay } = this.#deps;
    const { counted } = stores.ledger;
    try {
      let folded: Folded | null = "more";
      for (let steps = 0; steps < MOST_FOLDS && folded === "more"; steps += 1) {
        folded = transact((tx) => foldUsage(tx, usersADay()));
      }
      this.#moreToFold = folded === "more";
      this.#leftOver = folded === "later";
      this.#folded = counted;
      this.#unsent = null;
    } catch (error) {
      report("fold_failed", error);
    }
  }

  async #rebuild(profile: Profile): Promise<void> {
    const { stores, report } = this.#deps;
    if (!isRebuilding(stores.feed) || this.#rebuildDueMs > this.#deps.wallMs()) return;
    try {
      await advanceRebuild(profile, this.#deps);
      this.#rebuildDueMs = 0;
      this.#unsent = null;
    } catch (error) {
      this.#rebuildDueMs = this.#deps.wallMs() + REBUILD_RETRY_MS;
      report("rebuild_failed", error);
    }
  }

  async #send(profile: Profile): Promise<void> {
    const queue = this.#deps.queue();
    const picked = queue === null ? null : this.#deps.transact((tx) => this.#pick(tx));
    if (queue === null || picked === null) return;
    const { id: tenant, generation } = profile;
    const { rows, epoch } = picked;
    for (const some of packRows(rows)) {
      // Underway before it is sent: what arrives meanwhile is not taken for lost.
      this.#depart(some, epoch);
      try {
        // oxlint-disable-next-line no-await-in-loop -- one message after the other
        await queue.send({ version: 1, tenant, life: generation, epoch, rows: some });
      } catch (error) {
        this.#deps.report("usage_not_sent", error);
        return;
      }
    }
  }

  /** Rows that wait and are not underway, or for too long. */
  #pick({ stores, nowMs }: Tx): { readonly rows: readonly SentRow[]; readonly epoch: number } {
    const epoch = stores.feed.read()?.epoch ?? 0;
    const rows: SentRow[] = [];
    const kept = new Map<string, Underway>();
    let after = FIRST_ROW;
    for (;;) {
      const page = stores.reportRows.listWaiting(after, PAGE);
      for (const row of page) {
        const name = nameOf(row.kind, row.key);
        const sent = this.#underway.get(name);
        if (sent !== undefined) kept.set(name, sent);
        const isOnItsWay =
          sent?.sequence === row.row.sequence && sent.epoch === epoch && sent.dueMs > nowMs;
        if (!isOnItsWay) rows.push(row);
      }
      const last = page.at(-1);
      const isEnough = rows.length >= MOST_SENT || kept.size + rows.length >= MOST_UNDERWAY;
      this.#unsent = isEnough;
      if (last === undefined || page.length < PAGE || isEnough) break;
      after = [last.kind, last.key];
    }
    if (!this.#unsent) this.#underway = kept;
    this.#againMs = leastDue(this.#underway);
    return { rows, epoch };
  }

  #depart(rows: readonly SentRow[], epoch: number): void {
    const nowMs = this.#deps.wallMs();
    for (const { kind, key, row } of rows) {
      const name = nameOf(kind, key);
      const before = this.#underway.get(name);
      const waitMs =
        before === undefined ? FIRST_WAIT_MS : Math.min(before.waitMs * 2, LONGEST_WAIT_MS);
      this.#underway.set(name, { sequence: row.sequence, epoch, dueMs: nowMs + waitMs, waitMs });
    }
    this.#againMs = leastDue(this.#underway);
  }
}

/** After a database that did not answer. */
const REBUILD_RETRY_MS = 10_000;

const nameOf = (kind: string, key: string): string => `${kind}|${key}`;

const leastDue = (underway: ReadonlyMap<string, Underway>): number => {
  let least = Infinity;
  for (const { dueMs } of underway.values()) least = Math.min(least, dueMs);
  return least;
};
