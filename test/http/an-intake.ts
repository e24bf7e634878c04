import type { Failure } from "../../src/domain/ledger/failure.ts";
import type { Intake } from "../../src/http/intake.ts";
import { BodyBudget } from "../../src/io/body-budget.ts";

/** What a body is read with, and how often it was asked for. */
export function anIntake({
  refusal = null,
  bodies = new BodyBudget(),
}: { readonly refusal?: Failure | null; readonly bodies?: BodyBudget } = {}): Intake & {
  readonly asked: () => number;
} {
  let asked = 0;
  const mayReadOn = async (): Promise<Failure | null> => {
    asked += 1;
    return refusal;
  };
  return { claim: bodies.open("a test"), mayReadOn, asked: () => asked };
}
