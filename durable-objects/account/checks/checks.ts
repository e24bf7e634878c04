import type { CheckAnswer, CheckedTenant } from "../../../src/domain/tenant/tenant-check.ts";
import { callEach, type CallLimits } from "../call-each.ts";
import type { Checks, CheckSlice } from "./check-passes.ts";

/** A look reads two days of a tenant's journal: a few at once, and the alarm comes to its end. */
const LIMITS: CallLimits = { atOnce: 8, eachMs: 5_000, allMs: 15_000 };

export interface CheckDeps {
  readonly checks: Checks;
  /** Null: there is no such tenant. */
  readonly check: (id: string) => Promise<CheckedTenant | null>;
  readonly transact: <Result>(work: (nowMs: number) => Result) => Result;
}

/** Asks the tenants of one slice, which wakes each. */
export async function checkTenants({ checks, check, transact }: CheckDeps): Promise<void> {
  const slice = transact((nowMs) => checks.next(nowMs));
  if (slice === null) return;
  const answers = await askSlice(slice, check);
  transact((nowMs) => checks.note(slice, answers, nowMs));
}

/** Where time is up, the last ones are not in it. */
async function askSlice(
  { tenants }: CheckSlice,
  check: CheckDeps["check"],
): Promise<ReadonlyMap<string, CheckAnswer>> {
  const answers = new Map<string, CheckAnswer>();
  await callEach(
    tenants,
    async (id) => {
      answers.set(id, "unanswered");
      answers.set(id, (await check(id)) ?? "gone");
    },
    LIMITS,
  );
  return answers;
}
