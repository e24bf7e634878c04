import { DurableObject } from "cloudflare:workers";
import { ZERO } from "../../src/domain/micro-neurons.ts";
import { dayOf } from "../../src/domain/period.ts";
import { migrate, objectDatabase } from "../database.ts";
import type { Birth, Configured, SettingsChange } from "../tenant/configure.ts";
import type { AskFailure } from "../tenant/steps.ts";
import { ACCOUNT_MIGRATIONS } from "./account-schema.ts";
import { AccountStore, type AuditEntry, carriedFrom, type ListedTenant } from "./account-store.ts";
import { eraseFiles } from "./erase-files.ts";
import { type FileSweep, FileSweepStore } from "./file-sweep-store.ts";

/** The name of the one object: one Cloudflare account, one list of tenants. */
export const ACCOUNT_NAME = "account";

/** When an unfinished deletion is taken up again. */
const RESUME_AFTER_MS = 10_000;

/**
 * How long after its end a call of a tenant can still write a file: a hold lasts 90 s, and a request
 * that began before the tenant was closed has its own 60 s to run and 25 to write.
 */
const LATE_FILES_MS = 180_000;

/** Objects asked at once when all tenants are told something. */
const MOST_AT_ONCE = 50;

/**
 * The list of tenants and the log of admin acts. It makes and ends tenants, and is asked by nobody
 * in the course of a call.
 */
export class Account extends DurableObject<Env> {
  readonly #store: AccountStore;
  readonly #sweeps: FileSweepStore;
  /** Acts on one tenant run one after the other: each awaits the tenant's object. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const db = objectDatabase(ctx.storage);
    migrate(db, ACCOUNT_MIGRATIONS);
    this.#store = new AccountStore(db);
    this.#sweeps = new FileSweepStore(db);
  }

  /** Makes a tenant or replaces its settings. The list knows it before its object does. */
  putTenant(
    id: string,
    change: Extract<SettingsChange, { kind: "replace" }>,
    ifMatch: number | null,
  ): Promise<Configured | AskFailure> {
    return this.#inTurn(id, async () => {
      const known = this.#store.readTenant(id)?.state === "active";
      if (!known && ifMatch !== null) return { kind: "version_conflict", version: 0 };
      const listed = await this.#listedAnew(id);
      const { generation, carried } = listed;
      const birth: Birth = { id, generation, carried, contentSecret: randomSecret() };
      const reply = this.env.TENANT.getByName(id).configure({ birth, change, ifMatch });
      // A copy: handed on as it is, the reply would hold the tenant's session open.
      using configured = await reply;
      return structuredClone(configured) as Configured | AskFailure;
    });
  }

  /**
   * Ends a tenant: keys and admission at once, then its holds, then everything that its object
   * stores. Its daily totals stay here. True when there was one.
   */
  deleteTenant(id: string): Promise<boolean> {
    return this.#inTurn(id, async () => {
      const listed = this.#store.readTenant(id);
      if (listed === null || listed.state === "deleted") return false;
      await this.#finishDeletion(listed);
      return true;
    });
  }

  listTenants(
    after: string,
    limit: number,
  ): { readonly ids: readonly string[]; readonly more: boolean } {
    const rows = this.#store.listTenants(after, limit);
    return { ids: rows.slice(0, limit).map(({ id }) => id), more: rows.length > limit };
  }

  /** Lifts the closure of the day for every tenant. Returns how many were told. */
  async reopen(): Promise<number> {
    let told = 0;
    let after = "";
    for (;;) {
      const rows = this.#store.listTenants(after, MOST_AT_ONCE);
      const some = rows.slice(0, MOST_AT_ONCE);
      // oxlint-disable-next-line no-await-in-loop -- bounded batches, one after the other
      await Promise.all(some.map(({ id }) => this.env.TENANT.getByName(id).reopenAccount()));
      told += some.length;
      const last = some.at(-1);
      if (last === undefined || rows.length <= MOST_AT_ONCE) return told;
      after = last.id;
    }
  }

  record(entry: Omit<AuditEntry, "atMs">): void {
    this.#store.addAudit({ ...entry, atMs: Date.now() });
  }

  listAudit(
    before: string,
    tenant: string | null,
    limit: number,
  ): { readonly entries: readonly AuditEntry[]; readonly more: boolean } {
    const rows = this.#store.listAudit(before, tenant, limit);
    return { entries: rows.slice(0, limit), more: rows.length > limit };
  }

  /** Takes up deletions that a crash cut short, and files that are still to be erased. */
  override async alarm(): Promise<void> {
    const unfinished = this.#store.listDeleting(MOST_AT_ONCE);
    await this.ctx.storage.setAlarm(Date.now() + RESUME_AFTER_MS);
    for (const { id } of unfinished) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.deleteTenant(id).catch(() => false);
    }
    const due = this.#sweeps.list(MOST_AT_ONCE).filter(({ dueAtMs }) => dueAtMs <= Date.now());
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const sweep of due) await this.#sweep(sweep);
    await this.#arm();
  }

  /** One alarm, for whatever is to be done next; none when nothing is. */
  async #arm(): Promise<void> {
    const [unfinished] = this.#store.listDeleting(1);
    const [sweep] = this.#sweeps.list(1);
    const due = unfinished === undefined ? [] : [Date.now() + RESUME_AFTER_MS];
    if (sweep !== undefined) due.push(sweep.dueAtMs);
    if (due.length === 0) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(Math.min(...due));
  }

  /** A bucket that fails is asked again later: the tenant is gone whatever becomes of its files. */
  async #sweep(sweep: FileSweep): Promise<void> {
    // The clock is read before the look: what is written after it is found by a later one.
    const nowMs = Date.now();
    const bucket = imagesOf(this.env);
    const done = bucket === null || (await eraseFiles(bucket, sweep).catch(() => false));
    if (done && nowMs >= sweep.lastAtMs) return this.#sweeps.remove(sweep);
    this.#sweeps.write({ ...sweep, dueAtMs: done ? sweep.lastAtMs : nowMs + RESUME_AFTER_MS });
  }

  /** The tenant as it is, or in a new life that continues the day of its last. */
  async #listedAnew(id: string): Promise<ListedTenant> {
    const listed = this.#store.readTenant(id);
    if (listed?.state === "active") return listed;
    const ended = listed?.state === "deleting" ? await this.#finishDeletion(listed) : listed;
    const carried = ended?.carried ?? { day: 0, posted: ZERO };
    const generation = (ended?.generation ?? 0) + 1;
    const fresh: ListedTenant = { id, generation, state: "active", carried };
    this.#store.writeTenant(fresh, Date.now());
    return fresh;
  }

  /** Each step can be repeated; the tombstone is written before anything is erased. */
  async #finishDeletion(listed: ListedTenant): Promise<ListedTenant> {
    const { id, generation } = listed;
    const nowMs = Date.now();
    this.#store.writeTenant({ ...listed, state: "deleting" }, nowMs);
    await this.ctx.storage.setAlarm(nowMs + RESUME_AFTER_MS);
    const tenant = this.env.TENANT.getByName(id);
    using closed = await tenant.close();
    const periods = closed?.periods ?? [];
    for (const period of periods) this.#store.keepPeriod(id, generation, period);
    // The clock is read after the close: when midnight came in between, nothing is carried over.
    const today = dayOf(Date.now());
    const carried = closed === null ? listed.carried : carriedFrom(periods, today, closed.carried);
    this.#store.writeTenant({ ...listed, state: "deleting", carried }, nowMs);
    const sweep = this.#planSweep(id, generation);
    await this.ctx.storage.sync();
    await tenant.erase();
    const ended: ListedTenant = { ...listed, state: "deleted", carried };
    this.#store.writeTenant(ended, nowMs);
    if (sweep !== null) await this.#sweep(sweep);
    await this.#arm();
    return ended;
  }

  /** Written before anything is erased, so that a crash forgets no file; null without a bucket. */
  #planSweep(tenant: string, generation: number): FileSweep | null {
    if (imagesOf(this.env) === null) return null;
    const nowMs = Date.now();
    const sweep = { tenant, generation, dueAtMs: nowMs, lastAtMs: nowMs + LATE_FILES_MS };
    this.#sweeps.write(sweep);
    return sweep;
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

/** A deployment may do without the bucket. */
const imagesOf = (env: Env): R2Bucket | null => (env as Partial<Env>).IMAGES ?? null;

const randomSecret = (): string => crypto.getRandomValues(new Uint8Array(32)).toHex();
