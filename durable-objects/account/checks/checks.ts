import type { CheckFinding, CheckStatus } from "../../../src/domain/tenant/check-pass.ts";
import type { CheckAnswer, CheckedTenant } from "../../../src/domain/tenant/tenant-check.ts";
import type { AccountContext, AccountFeature } from "../account-feature.ts";
import { callEach, type CallLimits } from "../call-each.ts";
import type { TenantStore } from "../tenants/tenant-store.ts";
import { CheckPasses, type CheckSlice } from "./check-passes.ts";
import { CheckStore } from "./check-store.ts";

/** A check reads two days of a tenant's journal: a few at once, and the alarm comes to its end. */
const LIMITS: CallLimits = { atOnce: 8, eachMs: 5_000, allMs: 15_000 };

/** A tenant's object, as far as this is concerned. */
export interface CheckableTenant {
  /** Null: there is no such tenant. */
  check(): Promise<CheckedTenant | null>;
}

/** Passes over all tenants, in which each one's object counts what must always be zero. */
export class Checks implements AccountFeature {
  readonly name = "checks";
  readonly #context: AccountContext;
  readonly #passes: CheckPasses;
  readonly #tenants: TenantStore;
  readonly #tenant: (id: string) => CheckableTenant;

  constructor(
    context: AccountContext,
    tenants: TenantStore,
    tenant: (id: string) => CheckableTenant,
  ) {
    this.#context = context;
    this.#passes = new CheckPasses(new CheckStore(context.db));
    this.#tenants = tenants;
    this.#tenant = tenant;
  }

  /** Begins a pass, unless one runs or the latest began less than so long ago. It wakes each tenant. */
  start(restMs: number): Promise<CheckStatus> {
    return this.#context.change((nowMs) =>
      this.#passes.begin(this.#tenants.countTenants().active, restMs, nowMs),
    );
  }

  /** How far the passes are, and a page of the tenants that did not look sound, by id. */
  read(
    after: string,
    limit: number,
  ): CheckStatus & { readonly findings: readonly CheckFinding[]; readonly more: boolean } {
    const rows = this.#passes.list(after, limit + 1);
    return {
      ...this.#passes.read(),
      findings: rows.slice(0, limit),
      more: rows.length > limit,
    };
  }

  /** A tenant that has ended. */
  remove(tenant: string): void {
    this.#passes.remove(tenant);
  }

  dueMs(): number | null {
    return this.#passes.dueMs();
  }

  /** Checks the tenants of one slice. */
  async tend(): Promise<void> {
    try {
      const { transact } = this.#context;
      const slice = transact((nowMs) => this.#passes.next(nowMs));
      if (slice === null) return;
      const answers = await this.#checkAll(slice);
      transact((nowMs) => this.#passes.note(slice, answers, nowMs));
    } catch (error) {
      this.#context.report("check_failed", error);
    }
  }

  /** When time is up, the last ones are not in it. */
  async #checkAll({ tenants }: CheckSlice): Promise<ReadonlyMap<string, CheckAnswer>> {
    const answers = new Map<string, CheckAnswer>();
    const check = async (id: string): Promise<void> => {
      answers.set(id, "unanswered");
      answers.set(id, (await this.#tenant(id).check()) ?? "gone");
    };
    await callEach(tenants, check, LIMITS);
    return answers;
  }
}
