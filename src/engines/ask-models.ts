import type { Unanswered } from "./engine.ts";

// Asking a model with what may follow: only a call that was refused before it ran is repeated or
// falls back, since anything else may have been paid for.

/** Before the one repeat of a call that found no capacity or no connection. */
const RETRY_AFTER_MS = 250;

export interface ModelOutcome<Outcome> {
  /** The catalogue id that was asked last. */
  readonly model: string;
  readonly outcome: Outcome | Extract<Unanswered, { kind: "timed_out" }>;
  /** Whether anything can have been used: not when it was refused, or its turn never came. */
  readonly ran: boolean;
}

/**
 * @param models catalogue ids in the order of asking; the first is the one that was planned
 * @param ask null: the call's time was up before it was asked
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

/** Another model of the same account would be refused as well when its allocation is gone. */
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
