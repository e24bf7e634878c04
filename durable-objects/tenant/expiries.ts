import { oldAt } from "../../src/domain/ledger/journal-archive.ts";
import { type Day, endOf } from "../../src/domain/ledger/period.ts";
import { HOURS_KEPT_MS, USER_DAYS_KEPT_MS } from "../../src/domain/usage/report-retention.ts";
import { NOTICES, WEBHOOKS } from "../outbox/outbox-schema.ts";
import type { Feature } from "../staged-database.ts";
import { ARCHIVES } from "./ledger/archive-schema.ts";
import { BATCHES } from "./batches/batch-schema.ts";
import { IDEMPOTENCY, REFUSALS, REPLIES, USER_PICTURES } from "./calls/call-schema.ts";
import { ERASURES } from "./privacy/erasure-schema.ts";
import { FEED, REPORT_USERS } from "./usage/feed-schema.ts";
import { LEDGER } from "./ledger/ledger-schema.ts";
import type { TenantStores } from "./stores.ts";
import { CONTENTS } from "./verdicts/people-schema.ts";
import type { Profile } from "./profile-store.ts";
import { REUSE } from "./verdicts/reuse-schema.ts";
import { VERDICTS } from "./verdicts/verdict-schema.ts";

// When the first row of each kind is past its retention: the alarm is needed then, and not before.
// Within a kind (and only there) rows expire in the order in which they are written, so what is known of
// the oldest holds until it is deleted, and is asked again only where there was none.

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How long refusals can be asked about. */
export const REFUSALS_KEPT_MS = 30 * DAY_MS;

/** How long it can be shown that an erasure was done. */
export const ERASURES_KEPT_MS = 365 * DAY_MS;

/** How long it is known who read what was kept. */
export const READS_KEPT_MS = 400 * DAY_MS;

/** Rows of each table deleted in one alarm: a step stays short, the next follows at once. */
export const PURGE_ROWS = 500;

interface Expiry {
  /** Another number whenever there may be a first row. */
  readonly writes: () => number;
  /** Milliseconds of UTC at which the first row is to go; null: there is none. */
  readonly dueMs: (profile: Profile) => number | null;
}

export class Expiries {
  readonly #all: readonly Expiry[];
  readonly #known = new Map<Expiry, { readonly writes: number; readonly dueMs: number | null }>();
  /** Of the settings that what is known is of. */
  #version = 0;

  /** @param hasBucket without one no day of the journal is archived */
  constructor(stores: TenantStores, hasBucket: () => boolean) {
    this.#all = expiriesOf(stores, hasBucket);
  }

  /** Rows were deleted, or may be there that were not: all is looked up again. */
  forget(): void {
    this.#known.clear();
  }

  /** When the first of all is to go; Infinity: nothing ever will be, as things are. */
  dueMs(profile: Profile): number {
    if (profile.version !== this.#version) this.forget();
    this.#version = profile.version;
    let firstMs = Infinity;
    for (const expiry of this.#all) {
      firstMs = Math.min(firstMs, this.#dueMs(expiry, profile) ?? Infinity);
    }
    return firstMs;
  }

  #dueMs(expiry: Expiry, profile: Profile): number | null {
    const known = this.#known.get(expiry);
    const writes = expiry.writes();
    if (known !== undefined && (known.dueMs !== null || known.writes === writes)) {
      return known.dueMs;
    }
    const dueMs = expiry.dueMs(profile);
    this.#known.set(expiry, { writes, dueMs });
    return dueMs;
  }
}

/** The first millisecond at which something made then was kept for longer than that. */
const after = (madeMs: number | null, keptMs: number): number | null =>
  madeMs === null ? null : madeMs + keptMs + 1;

const endOfDay = (day: Day | null, days = 0): number | null =>
  day === null ? null : endOf(day + days);

function expiriesOf(stores: TenantStores, hasBucket: () => boolean): readonly Expiry[] {
  const { verdicts, outbox, batches, contents, erasures, reportRows, archives } = stores;
  const of = (feature: Feature, dueMs: Expiry["dueMs"]): Expiry => {
    const part = stores.db.of(feature);
    return { writes: () => part.writes, dueMs };
  };
  return [
    of(VERDICTS, (profile) => after(verdicts.oldestMs(), verdictsKeptMs(profile))),
    // Deliveries go with their events.
    of(WEBHOOKS, ({ settings }) =>
      after(outbox.events.oldestMs(), settings.event_retention_days * DAY_MS),
    ),
    of(NOTICES, () => endOfDay(outbox.told.oldestDay())),
    of(BATCHES, (profile) => after(batches.firstEndMs(PURGE_ROWS), verdictsKeptMs(profile))),
    of(REUSE, () => endOfDay(stores.reusable.oldestDay(), 1)),
    of(IDEMPOTENCY, () => endOfDay(stores.idempotency.oldestDay(), 1)),
    of(REPLIES, () => endOfDay(stores.replies.oldestDay(), 1)),
    of(USER_PICTURES, () => endOfDay(stores.userPictures.oldestDay())),
    of(REFUSALS, () => minuteAfter(stores.refusals.firstMinute(0))),
    of(CONTENTS, (profile) => after(contents.oldestMs(), contentsKeptMs(profile))),
    of(CONTENTS, () => after(contents.oldestReadMs(), READS_KEPT_MS)),
    of(ERASURES, () => after(erasures.firstEndMs(PURGE_ROWS), ERASURES_KEPT_MS)),
    of(FEED, () => hoursOf(reportRows.list("call_hour", "", 1)[0]?.row.hour)),
    of(FEED, () => hoursOf(reportRows.list("usage_hour", "", 1)[0]?.row.hour)),
    of(FEED, () => {
      const [first] = reportRows.list("user_day", "", 1);
      return first === undefined ? null : endOf(first.row.day) + USER_DAYS_KEPT_MS;
    }),
    of(FEED, () => after(reportRows.list("logged_verdict", "", 1)[0]?.row.expiresAtMs ?? null, 0)),
    of(REPORT_USERS, () => {
      const day = reportRows.oldestDay();
      return day === null ? null : endOf(day) + USER_DAYS_KEPT_MS;
    }),
    { writes: () => stores.policies.writes, dueMs: () => policiesDueMs(stores) },
    of(LEDGER, () => {
      if (!hasBucket()) return null;
      const day = archives.nextDay(Number.MAX_SAFE_INTEGER);
      return day === null ? null : oldAt(day);
    }),
    of(ARCHIVES, () => (archives.open() === null ? null : 0)),
  ];
}

const policiesDueMs = ({ policies, verdicts }: TenantStores): number | null =>
  policies.purgeDueMs(verdicts.oldestMs());

const hoursOf = (hour: number | undefined): number | null =>
  hour === undefined ? null : (hour + 1) * HOUR_MS + HOURS_KEPT_MS;

/** Of a minute all is deleted once the whole of it is past its time. */
const minuteAfter = (minute: number | null): number | null =>
  minute === null ? null : (minute + 1) * 60_000 + REFUSALS_KEPT_MS;

const verdictsKeptMs = ({ settings }: Profile): number => settings.verdict_retention_days * DAY_MS;

/** Contents go with their verdicts, or earlier. */
export const contentsKeptMs = ({ settings }: Profile): number =>
  Math.min(settings.content_retention_days, settings.verdict_retention_days) * DAY_MS;
