import type {
  CheckFinding,
  CheckPass,
  CheckStatus,
} from "../../../src/domain/tenant/check-pass.ts";
import {
  type CheckAnswer,
  foundIn,
  isAskedAgain,
  NOTHING_CHECKED,
  withTenant,
} from "../../../src/domain/tenant/tenant-check.ts";
import type { CheckStore } from "./check-store.ts";

// A pass over all tenants, a slice in each alarm: by id, then once more those that did not answer or
// were not done. Two tables say how far it is, so a pass outlives the object. A slice that a crash cuts
// short is checked again as a whole: nothing of it was counted.

/** Tenants of one slice, and how long the next slice waits: a thousand a minute at most. */
const SLICE = 50;
const EVERY_MS = 3_000;

/** Until a tenant that did not answer, or is not done with its lines, is checked again. */
const AGAIN_AFTER_MS = 30_000;

/** The tenants to be checked now. */
export interface CheckSlice {
  readonly pass: number;
  readonly tenants: readonly string[];
}

export class CheckPasses {
  readonly #store: CheckStore;

  constructor(store: CheckStore) {
    this.#store = store;
  }

  /**
   * Begins a pass, unless one runs.
   *
   * @param restMs nor if the latest began less than so long ago
   */
  begin(tenants: number, restMs: number, nowMs: number): CheckStatus {
    const { running, latest } = this.read();
    const rests = latest !== null && latest.startedAtMs > nowMs - restMs;
    if (running !== null || rests) return { running, latest };
    const fresh: CheckPass = {
      pass: (latest?.pass ?? 0) + 1,
      startedAtMs: nowMs,
      endedAtMs: null,
      tenants,
      afterTenant: "",
      isWalked: false,
      dueAtMs: nowMs,
      sums: NOTHING_CHECKED,
    };
    this.#store.writePass(fresh);
    if (latest !== null) this.#store.removePassesBefore(latest.pass);
    return { running: fresh, latest };
  }

  read(): CheckStatus {
    const passes = this.#store.listPasses();
    return {
      running: passes.find(({ endedAtMs }) => endedAtMs === null) ?? null,
      latest: passes.find(({ endedAtMs }) => endedAtMs !== null) ?? null,
    };
  }

  list(after: string, limit: number): readonly CheckFinding[] {
    return this.#store.listFindings(after, limit);
  }

  dueMs(): number | null {
    return this.read().running?.dueAtMs ?? null;
  }

  /** Null: nothing is due. The next slice waits from now on, even if this one fails. */
  next(nowMs: number): CheckSlice | null {
    const { running } = this.read();
    if (running === null || running.dueAtMs > nowMs) return null;
    this.#store.writePass({ ...running, dueAtMs: nowMs + EVERY_MS });
    const tenants = running.isWalked
      ? this.#store
          .listAgain(SLICE)
          .filter(({ againAtMs }) => againAtMs <= nowMs)
          .map(({ tenant }) => tenant)
      : this.#store.listTenants(running.afterTenant, SLICE);
    return { pass: running.pass, tenants };
  }

  /** Writes down the answers. Of a slice perhaps only the first tenants were reached. */
  note(slice: CheckSlice, answers: ReadonlyMap<string, CheckAnswer>, nowMs: number): void {
    const { running } = this.read();
    if (running?.pass !== slice.pass) return;
    let { sums } = running;
    for (const [tenant, answer] of answers) {
      if (answer === "gone") this.#store.removeFinding(tenant);
      else if (!this.#isLeftOpen(running.pass, tenant, { answer, nowMs })) {
        sums = withTenant(sums, answer);
      }
    }
    const reached = slice.tenants.filter((tenant) => answers.has(tenant));
    const isAll = reached.length === slice.tenants.length;
    const isWalked = running.isWalked || (isAll && slice.tenants.length < SLICE);
    const afterTenant = running.isWalked
      ? running.afterTenant
      : (reached.at(-1) ?? running.afterTenant);
    const [again] = isWalked ? this.#store.listAgain(1) : [];
    const endedAtMs = isWalked && again === undefined ? nowMs : null;
    const dueAtMs = Math.max(running.dueAtMs, again?.againAtMs ?? 0);
    this.#store.writePass({ ...running, sums, afterTenant, isWalked, endedAtMs, dueAtMs });
  }

  /** A tenant that has ended. */
  remove(tenant: string): void {
    this.#store.removeFinding(tenant);
  }

  /** Whether the pass checks the tenant once more. What did not look sound is written down. */
  #isLeftOpen(
    pass: number,
    tenant: string,
    { answer, nowMs }: { readonly answer: Exclude<CheckAnswer, "gone">; readonly nowMs: number },
  ): boolean {
    const before = this.#store.readFinding(tenant);
    const kind = foundIn(answer);
    if (kind === null) {
      if (before !== null) this.#store.removeFinding(tenant);
      return false;
    }
    const tries = before?.pass === pass ? before.tries + 1 : 1;
    const isOpen = isAskedAgain(kind, tries);
    const own = answer === "unanswered" ? null : answer;
    this.#store.writeFinding({
      tenant,
      pass,
      kind,
      tries,
      againAtMs: isOpen ? nowMs + AGAIN_AFTER_MS : null,
      atMs: own?.countedAtMs ?? nowMs,
      checkedToMs: own?.checkedToMs ?? null,
      counts: own?.counts ?? [],
    });
    return isOpen;
  }
}
