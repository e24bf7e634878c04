import { lastRowsOf } from "../../../src/domain/usage/last-rows.ts";
import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import type { ReportRow } from "../../../src/domain/usage/report-rows.ts";
import {
  type AccountContext,
  type AccountFeature,
  ALARM_LIMITS,
  MOST_AT_ONCE,
  RESUME_AFTER_MS,
} from "../account-feature.ts";
import { callEach } from "../call-each.ts";
import { type ReportEnd, ReportEndStore } from "./report-end-store.ts";
import type { TenantStore } from "./tenant-store.ts";

/** Steps at once, of eleven queries each: the free plan has fifty an invocation. The next alarm continues. */
const MOST_STEPS = 4;

/** Days written in one step. */
const DAYS_A_STEP = 50;

/** The number that the last rows of a generation bear, so that no other ever replaces them. */
const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER;

/** Before the first day. */
const NO_DAY: Day = -1;

type Generation = Pick<ReportEnd, "tenant" | "generation">;

/** The platform's reports, as far as this is concerned. Each throws when they do not answer. */
export interface EndedReports {
  /**
   * From now on no message brings a row of this generation. Deletes some of its rows; true when there
   * may be more.
   */
  endRows(of: Generation, nowMs: number): Promise<boolean>;
  /** The days of a generation that has ended, which stay. */
  writeLastRows(of: Generation, rows: readonly ReportRow[]): Promise<void>;
}

/** Work that can be repeated. Null: this deployment has no reports. */
export type UseEndedReports = <Result>(
  work: (reports: EndedReports) => Promise<Result>,
) => Promise<Result | null>;

/**
 * The reports of generations that have ended: their persons and hours go, their days stay. In bounded
 * steps, each of which can be repeated.
 */
export class ReportEnds implements AccountFeature {
  readonly name = "report_ends";
  readonly #context: AccountContext;
  readonly #store: ReportEndStore;
  readonly #tenants: TenantStore;
  readonly #useReports: UseEndedReports;

  constructor(context: AccountContext, tenants: TenantStore, useReports: UseEndedReports) {
    this.#context = context;
    this.#store = new ReportEndStore(context.db);
    this.#tenants = tenants;
    this.#useReports = useReports;
  }

  plan(tenant: string, generation: number): ReportEnd {
    const dueAtMs = this.#context.wallMs();
    const end = { tenant, generation, cleared: false, afterDay: NO_DAY, dueAtMs };
    this.#store.write(end);
    return end;
  }

  /** Reports that fail are tried again later. */
  async run(end: ReportEnd): Promise<void> {
    const nowMs = this.#context.wallMs();
    try {
      const done = await this.#useReports((reports) => this.#steps(reports, end, nowMs));
      if (done === null) this.#store.remove(end);
    } catch (error) {
      this.#store.write({ ...end, dueAtMs: nowMs + RESUME_AFTER_MS });
      this.#context.report("reports_not_ended", error);
    }
  }

  async #steps(reports: EndedReports, end: ReportEnd, nowMs: number): Promise<boolean> {
    let at = end;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      const next = await this.#step(reports, at, nowMs);
      if (next === null) {
        this.#store.remove(end);
        return true;
      }
      at = next;
      this.#store.write(at);
    }
    return false;
  }

  /** Null: it is done. */
  async #step(reports: EndedReports, end: ReportEnd, nowMs: number): Promise<ReportEnd | null> {
    const of = { tenant: end.tenant, generation: end.generation };
    if (!end.cleared) return { ...end, cleared: !(await reports.endRows(of, nowMs)) };
    const days = this.#store.listDays(end, DAYS_A_STEP);
    const last = days.at(-1);
    if (last === undefined) return null;
    const rows = days.flatMap((day) => lastRowsOf(day, LAST_SEQUENCE));
    await reports.writeLastRows(of, rows);
    return { ...end, afterDay: last.day };
  }

  /** Makes the reports of a tenant's ended generations anew. Returns how many those are. */
  async rebuild(tenant: string): Promise<number> {
    const listed = this.#tenants.readTenant(tenant);
    if (listed === null) return 0;
    const before = listed.state === "deleted" ? listed.generation + 1 : listed.generation;
    const generations = this.#store.listGenerations(tenant, before);
    for (const generation of generations) this.plan(tenant, generation);
    await this.#context.arm();
    return generations.length;
  }

  /** Ended generations whose daily totals are not in the reports yet. */
  countUnwritten(tenant: string): number {
    return this.#store.countOf(tenant);
  }

  /** Messages of the feed that the queue gave up. */
  countDeadMessages(messages: number): void {
    this.#store.countDead(dayOf(this.#context.wallMs()), messages);
  }

  deadMessages(): number {
    return this.#store.deadMessages();
  }

  dueMs(): number | null {
    return this.#store.list(1)[0]?.dueAtMs ?? null;
  }

  async tend(): Promise<void> {
    const nowMs = this.#context.wallMs();
    const due = this.#store.list(MOST_AT_ONCE).filter(({ dueAtMs }) => dueAtMs <= nowMs);
    await callEach(due, (end) => this.run(end), ALARM_LIMITS);
  }
}
