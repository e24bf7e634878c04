import type { Warning } from "../../src/domain/account/account-warnings.ts";
import type { PromiseSums } from "../../src/domain/account/account-terms.ts";
import type { Plan } from "../../src/domain/ledger/quota.ts";
import type { CurrentTenant, PlannedPromise } from "../../src/domain/tenant/state-plan.ts";
import { isTransient } from "../../src/io/object-error.ts";
import type { Put } from "../account/tenants/tenants.ts";
import type { AuditEntry } from "../../src/domain/account/audit-entry.ts";
import { within } from "../account/call-each.ts";
import type { SettingsChange } from "../tenant/configure.ts";
import type { Caller } from "../tenant/protocol.ts";
import type { AccessRefusal } from "../tenant/transactions.ts";
import type { ApplyStore } from "./apply-store.ts";

// The objects that an apply reads and changes, as far as it needs them.

/** As long as a tenant may take: one that hangs holds up the others of its slice no longer. */
const EACH_MS = 20_000;

/** Tenants that are read, or changed, at once. */
const AT_ONCE = 4;

/** A pause that is long enough for others to begin. */
const SHORT_MS = 4;

/** The second pause is so many times as long as the first was late: this work is then the smaller part. */
const TIMES = 4;

const LONGEST_MS = 1000;

export interface AccountSide {
  listTenants(
    after: string,
    limit: number,
  ): Promise<{ readonly ids: readonly string[]; readonly more: boolean }>;
  listedAmong(ids: readonly string[]): Promise<readonly string[]>;
  plannedChange(planned: readonly PlannedPromise[]): Promise<PromiseSums>;
  warningsOf(change: PromiseSums): Promise<readonly Warning[]>;
  putTenant(
    id: string,
    change: Extract<SettingsChange, { kind: "replace" }>,
    ifMatch: number,
  ): Promise<Put | AccessRefusal>;
  recordAll(entries: readonly Omit<AuditEntry, "atMs">[]): Promise<void>;
}

export interface TenantSide {
  readProfile(
    caller: Caller,
  ): Promise<{ readonly kind: "profile"; readonly profile: CurrentTenant } | AccessRefusal>;
}

export interface ApplyDeps {
  readonly store: ApplyStore;
  readonly account: () => AccountSide;
  readonly tenant: (id: string) => TenantSide;
  readonly transact: <Result>(work: (nowMs: number) => Result) => Result;
  readonly newEntryId: () => string;
  readonly accountPlan: Plan;
  /** Resolves when others had their turn (`giveWayToOthers`). */
  readonly giveWay: () => Promise<void>;
  /** Logs a bug. */
  readonly report: (error: unknown) => void;
}

/** What another object answered; `silent`: it may answer later; `internal`: its code threw. */
export type ObjectAnswer<Answer> =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "silent" }
  | { readonly kind: "internal" };

export async function answerOf<Answer>(
  { report }: Pick<ApplyDeps, "report">,
  ask: () => Promise<Answer>,
): Promise<ObjectAnswer<Answer>> {
  let isLate = true;
  try {
    const answer = await within(
      EACH_MS,
      ask().finally(() => (isLate = false)),
    );
    return { kind: "answered", answer };
  } catch (error) {
    if (isLate || isTransient(error)) return { kind: "silent" };
    report(error);
    return { kind: "internal" };
  }
}

/** The tenant as it is; null: it is not there, or about to end. */
export async function readTenant(
  deps: Pick<ApplyDeps, "tenant" | "report">,
  id: string,
): Promise<ObjectAnswer<CurrentTenant | null>> {
  const read = await answerOf(deps, () => deps.tenant(id).readProfile({ kind: "platform" }));
  if (read.kind !== "answered") return read;
  const { answer } = read;
  return { kind: "answered", answer: answer.kind === "profile" ? answer.profile : null };
}

/** Some at a time, each of which gives way to others before its next. In the order of the items. */
export async function inLanes<Item, Result>(
  { giveWay }: Pick<ApplyDeps, "giveWay">,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [at, item] of queue) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in this lane
      results[at] = await work(item);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await giveWay();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

/**
 * Lets calls go first. On Cloudflare objects are far apart, and there is room for all; one server that
 * runs them all on one thread has none to spare. A short pause ends late there, the later the more wait.
 *
 * @param sleep resolves after so long, or later where others are busy
 */
export async function giveWayToOthers(sleep: (ms: number) => Promise<void>): Promise<void> {
  const begunMs = Date.now();
  await sleep(SHORT_MS);
  const lateMs = Date.now() - begunMs - SHORT_MS;
  if (lateMs > 0) await sleep(Math.min(TIMES * lateMs, LONGEST_MS));
}
