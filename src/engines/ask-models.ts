import type { Unanswered } from "./engine.ts";

// Calls a model, and repeats the call or falls back to another model if it must. Only a call that was
// refused before it ran is repeated or falls back: any other call may have been charged.

/** The wait before the one repeat of a call that found no capacity or no connection. */
const RETRY_AFTER_MS = 250;

export interface ModelOutcome<Outcome> {
  /** The catalogue id of the last model that was called. */
  readonly model: string;
  readonly outcome: Outcome | Extract<Unanswered, { kind: "timed_out" }>;
  /** Whether the model may have used anything: false when it was refused or never called. */
  readonly ran: boolean;
}

/**
 * @param models catalogue ids in the order of the calls; the first is the planned one
 * @param ask calls one model; null: the time was up before the call
 */
export async function askModels<Outcome extends { readonly kind: string }>(
  [planned, ...fallbacks]: readonly [string, ...string[]],
  ask: (model: string) => Promise<Outcome | Unanswered | null>,
): Promise<ModelOutcome<Outcome | Unanswered>> {
  const first = await askTwice(() => ask(planned));
  if (first === null) return { model: planned, outcome: { kind: "timed_out" }, ran: false };
  let last = outcomeOf(planned, first);
  for (const fallback of fallbacks) {
    if (!fallsBack(last.outcome)) break;
    // oxlint-disable-next-line no-await-in-loop -- each only when the one before was refused
    const next = await askTwice(() => ask(fallback));
    if (next === null) break;
    last = outcomeOf(fallback, next);
  }
  return last;
}

const outcomeOf = <Outcome extends { readonly kind: string }>(
  model: string,
  outcome: Outcome,
): ModelOutcome<Outcome> => ({
  model,
  outcome,
  ran: outcome.kind !== "refused" && outcome.kind !== "unsupported",
});

/** Once the account's allocation is used up, its other models would be refused as well. */
const fallsBack = (outcome: { readonly kind: string }): boolean =>
  isRefused(outcome) && !outcome.accountExhausted;

type Refused = Extract<Unanswered, { kind: "refused" }>;

const isRefused = (outcome: { readonly kind: string }): outcome is Refused =>
  outcome.kind === "refused";

async function askTwice<Outcome extends { readonly kind: string }>(
  ask: () => Promise<Outcome | null>,
): Promise<Outcome | null> {
  const outcome = await ask();
  if (outcome === null || !isRefused(outcome) || !outcome.retryable) return outcome;
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  return (await ask()) ?? outcome;
}
