import { packRows, type RowVersion, type SentRow } from "../../../src/reports/usage-message.ts";
import { type Folded, foldUsage } from "./fold-usage.ts";
import type { TenantStores } from "../stores.ts";
import type { Tx } from "../transactions.ts";
import type { Profile } from "../profile-store.ts";
import { advanceRebuild, isRebuilding, type RebuildMeans } from "./rebuild-reports.ts";
import { FIRST_ROW } from "./usage-row-store.ts";

// What the alarm does for the platform's reports: it folds what settled, and sends the rows that
// wait. A row waits until the consumer of the queue says that it is in the reports. What was sent is
// known in memory alone, so that an object that starts anew sends it once more.

/** How long after something settled it is folded: what settles until then is folded with it. */
const FOLD_AFTER_MS = 5000;

/** Steps of one alarm: calls are served between two alarms. */
const MOST_FOLDS = 4;

/** The queue gathers for seconds, and repeats what failed after ten. */
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 900_000;

/** Rows sent and not heard of: more wait for their turn. */
const MOST_UNDERWAY = 2000;

/** Rows sent in one alarm. */
const MOST_SENT = 1000;

const PAGE = 500;

export interface FeedDeps extends RebuildMeans {
  readonly stores: TenantStores;
  /** Null: this deployment has no reports, and nothing is sent. */
  readonly queue: () => Pick<Queue, "send"> | null;
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
    const { stores, step, report, usersADay } = this.#deps;
    const { counted } = stores.ledger;
    try {
      let folded: Folded | null = "more";
      for (let steps = 0; steps < MOST_FOLDS && folded === "more"; steps += 1) {
        folded = step((tx) => foldUsage(tx, usersADay()));
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
    if (!isRebuilding(stores.feed) || this.#rebuildDueMs > Date.now()) return;
    try {
      await advanceRebuild(profile, this.#deps);
      this.#rebuildDueMs = 0;
      this.#unsent = null;
    } catch (error) {
      this.#rebuildDueMs = Date.now() + REBUILD_RETRY_MS;
      report("rebuild_failed", error);
    }
  }

  async #send(profile: Profile): Promise<void> {
    const queue = this.#deps.queue();
    const picked = queue === null ? null : this.#deps.step((tx) => this.#pick(tx));
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
    const nowMs = Date.now();
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
