import type { Warning } from "../../../src/domain/account/account-warnings.ts";
import type { ListedTenantRow, SharingTenant } from "../../../src/domain/account/listed-tenant.ts";
import { consumed } from "../../../src/domain/ledger/day-totals.ts";
import { microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf, type Month } from "../../../src/domain/ledger/period.ts";
import { posted } from "../../../src/domain/ledger/quota.ts";
import { NO_VERSION, promisedBy } from "../../../src/domain/tenant/settings.ts";
import {
  type Birth,
  type Configured,
  refusedSettings,
  type SettingsChange,
} from "../../tenant/configure.ts";
import type { Period } from "../../tenant/ledger/ledger-store.ts";
import type { AccessRefusal } from "../../tenant/transactions.ts";
import {
  type AccountContext,
  type AccountFeature,
  ALARM_LIMITS,
  MOST_AT_ONCE,
  RESUME_AFTER_MS,
} from "../account-feature.ts";
import type { DaySpent } from "../account-protocol.ts";
import { callEach, within } from "../call-each.ts";
import type { Checks } from "../checks/checks.ts";
import type { Pool } from "../pool/pool.ts";
import { type ClosedMonth, ClosedPeriodStore } from "./closed-period-store.ts";
import type { FileSweeps } from "./file-sweeps.ts";
import type { ReportEnds } from "./report-ends.ts";
import { type Page, type TenantFilter, TenantList } from "./tenant-list.ts";
import { TenantListStore } from "./tenant-list-store.ts";
import type { TenantPage } from "./tenant-order.ts";
import type { ListedTenant, TenantStore } from "./tenant-store.ts";

/** One half of a deletion: the tenant's object ends 10,000 calls in a hundred steps at most. */
const CLOSE_MS = 15_000;

/** What was configured, and what the platform should know of all that it promises. */
export type Put =
  | (Extract<Configured, { kind: "configured" }> & { readonly warnings: readonly Warning[] })
  | Exclude<Configured, { kind: "configured" }>;

type Replacement = Extract<SettingsChange, { kind: "replace" }>;

/** A tenant's object, as far as this is concerned. */
export interface ManagedTenant {
  configure(request: {
    readonly birth: Birth;
    readonly change: Replacement;
    readonly ifMatch: number | null;
  }): Promise<Configured | AccessRefusal>;
  /** The totals of every day; null: there is nothing. */
  close(): Promise<{
    readonly carried: ListedTenant["carried"];
    readonly periods: readonly Period[];
  } | null>;
  /** False: something is left, and is to be tried again. */
  erase(): Promise<boolean>;
}

/** Parts of the account that a tenant's beginning and end concern. */
interface Concerned {
  readonly tenants: TenantStore;
  readonly pool: Pool;
  readonly checks: Checks;
  readonly sweeps: FileSweeps;
  readonly ends: ReportEnds;
  readonly tenant: (id: string) => ManagedTenant;
}

/** Makes, lists and deletes tenants. */
export class Tenants implements AccountFeature {
  readonly name = "tenants";
  readonly #context: AccountContext;
  readonly #store: TenantStore;
  readonly #concerned: Concerned;
  readonly #closed: ClosedPeriodStore;
  readonly #list: TenantList;
  /** Acts on one tenant run one after the other: each awaits the tenant's object. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** The last deletion that an alarm took up. */
  #resumedTo = "";

  constructor(context: AccountContext, concerned: Concerned) {
    this.#context = context;
    this.#store = concerned.tenants;
    this.#concerned = concerned;
    this.#closed = new ClosedPeriodStore(context.db);
    this.#list = new TenantList(new TenantListStore(context.db), concerned.pool.cache);
  }

  /**
   * Makes a tenant or replaces its settings. The list knows it before its object does.
   *
   * @param ifMatch the version that the tenant must have, `NO_VERSION` if it must not exist; null: any
   */
  put(id: string, change: Replacement, ifMatch: number | null): Promise<Put | AccessRefusal> {
    return this.#inTurn(id, async () => {
      // Before the list knows of it: a tenant that is not made must not be listed.
      const refused = refusedSettings(change.settings);
      if (refused !== null) return refused;
      const isKnown = this.#store.readTenant(id)?.state === "active";
      if (!isKnown && ifMatch !== null && ifMatch !== NO_VERSION) {
        return { kind: "version_conflict", version: NO_VERSION };
      }
      const { generation, carried } = await this.#listedAnew(id);
      const birth: Birth = { id, generation, carried, contentSecret: randomSecret() };
      const answer = await this.#concerned.tenant(id).configure({ birth, change, ifMatch });
      if (answer.kind !== "configured") return answer;
      const { profile } = answer;
      const { pool } = this.#concerned;
      const warnings = pool.promise(id, profile.generation, promisedBy(profile));
      return { ...answer, warnings };
    });
  }

  /**
   * Ends a tenant: keys and admission at once, then its holds, then everything that its object
   * stores. Its daily totals stay here. True when there was one.
   */
  delete(id: string): Promise<boolean> {
    return this.#inTurn(id, async () => {
      const listed = this.#store.readTenant(id);
      if (listed === null || listed.state === "deleted") return false;
      await this.#finishDeletion(listed);
      return true;
    });
  }

  /** Ids of tenants that are not deleted, after one of them. */
  list(after: string, limit: number): { readonly ids: readonly string[]; readonly more: boolean } {
    const rows = this.#store.listTenants(after, limit);
    return { ids: rows.slice(0, limit).map(({ id }) => id), more: rows.length > limit };
  }

  /** Tenants with what the account knows of them; none of their objects is called. */
  listRows(page: TenantPage, filter: TenantFilter): Page<ListedTenantRow> {
    return this.#context.transact((nowMs) => this.#list.list(page, filter, nowMs));
  }

  /** What tenants have of the day's pool. */
  listSharing(page: TenantPage): Page<SharingTenant> {
    return this.#context.transact((nowMs) => this.#list.sharing(page, nowMs));
  }

  /** Whether there is or was such a tenant: the list keeps those that were deleted. */
  wasListed(id: string): boolean {
    return this.#store.readTenant(id) !== null;
  }

  /** Those of these ids that are of active tenants. */
  listedAmong(ids: readonly string[]): readonly string[] {
    return this.#store.listedAmong(ids);
  }

  /** What ended generations of this id had in a month; the latest of them where none is named. */
  readClosedMonth(tenant: string, generation: number | null, month: Month): ClosedMonth {
    return this.#closed.read(tenant, generation, month);
  }

  dueMs(nowMs: number): number | null {
    return this.#store.listDeleting("", 1).length === 0 ? null : nowMs + RESUME_AFTER_MS;
  }

  /** Takes up deletions that a crash cut short. */
  async tend(): Promise<void> {
    await callEach(this.#unfinished(), (id) => this.delete(id), ALARM_LIMITS);
  }

  /**
   * Deletions to be taken up again, each alarm after those of the one before: many that hang do not
   * keep the others from their turn. One that is on its way already is not begun a second time.
   */
  #unfinished(): readonly string[] {
    const after = this.#store.listDeleting(this.#resumedTo, MOST_AT_ONCE);
    const some = after.length > 0 ? after : this.#store.listDeleting("", MOST_AT_ONCE);
    this.#resumedTo = some.length < MOST_AT_ONCE ? "" : (some.at(-1)?.id ?? "");
    return some.map(({ id }) => id).filter((id) => !this.#turns.has(id));
  }

  /** The tenant as it is, or in a new generation that continues the day of the last one. */
  async #listedAnew(id: string): Promise<ListedTenant> {
    const listed = this.#store.readTenant(id);
    if (listed?.state === "active") return listed;
    const ended = listed?.state === "deleting" ? await this.#finishDeletion(listed) : listed;
    if (ended === null && listed !== null) throw new Error("its last life is still being erased");
    const carried = ended?.carried ?? { day: 0, posted: ZERO };
    const generation = (ended?.generation ?? 0) + 1;
    const fresh: ListedTenant = { id, generation, state: "active", carried };
    this.#store.writeTenant(fresh, this.#context.wallMs());
    return fresh;
  }

  /**
   * Each step can be repeated; the tombstone is written before anything is erased. Null: something is left,
   * and the alarm goes on with it.
   */
  async #finishDeletion(listed: ListedTenant): Promise<ListedTenant | null> {
    const { id, generation } = listed;
    const { transact, wallMs, wakeAt, db, arm } = this.#context;
    const { pool, checks, sweeps, ends } = this.#concerned;
    const nowMs = wallMs();
    this.#store.writeTenant({ ...listed, state: "deleting" }, nowMs);
    await wakeAt(nowMs + RESUME_AFTER_MS);
    const tenant = this.#concerned.tenant(id);
    const closed = await within(CLOSE_MS, tenant.close());
    const periods = closed?.periods ?? [];
    for (const period of periods) this.#closed.keep(id, generation, period);
    // The clock is read after the close: when midnight came in between, nothing is carried over.
    const today = dayOf(wallMs());
    const carried = closed === null ? listed.carried : carriedFrom(periods, today, closed.carried);
    this.#store.writeTenant({ ...listed, state: "deleting", carried }, nowMs);
    // What it held and did not use is free again, in the same step as its end is certain.
    transact((atMs) => pool.endGeneration(id, generation, periods.map(spentOn), atMs));
    const sweep = sweeps.plan(id, generation);
    const end = ends.plan(id, generation);
    await db.sync();
    if (!(await within(CLOSE_MS, tenant.erase()))) return null;
    const ended: ListedTenant = { ...listed, state: "deleted", carried };
    this.#store.writeTenant(ended, nowMs);
    checks.remove(id);
    if (sweep !== null) await sweeps.run(sweep);
    await ends.run(end);
    await arm();
    return ended;
  }

  #inTurn<Result>(id: string, act: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(act, act);
    const settled = turn.catch(() => undefined);
    this.#turns.set(id, settled);
    void settled.then(() => {
      if (this.#turns.get(id) === settled) this.#turns.delete(id);
    });
    return turn;
  }
}

/** What a generation that ends today hands on to the next one of that id. */
function carriedFrom(
  periods: readonly Period[],
  today: Day,
  before: ListedTenant["carried"],
): ListedTenant["carried"] {
  const period = periods.find(({ day }) => day === today);
  const own = period === undefined ? 0 : posted(period.drawn);
  const earlier = before.day === today ? before.posted : 0;
  return { day: today, posted: microNeurons(own + earlier) };
}

/** All of it is charged by then: holds have ended with the tenant. */
const spentOn = ({ day, drawn, totals }: Period): DaySpent => ({
  day,
  spent: consumed(drawn, totals),
  pending: ZERO,
});

const randomSecret = (): string => crypto.getRandomValues(new Uint8Array(32)).toHex();
