import { withoutBan } from "../domain/moderation/category.ts";
import { type BusyJudge, busyJudge } from "../domain/moderation/busy-judge.ts";
import type { Model } from "../domain/catalogue/catalogue.ts";
import {
  gatherWindows,
  type GuardMode,
  type GuardModes,
  guardPolicy,
  isWithheld,
  mayGoUnevaluated,
  type OutputWindow,
  outputWindows,
  type Unchecked,
  uncheckedStage,
  windowContent,
} from "../domain/moderation/guard.ts";
import type { Hold, Item } from "../domain/ledger/ledger.ts";
import { isCheck } from "../domain/moderation/plan-moderation.ts";
import type { GenerationStage } from "../domain/generation/plan-generation.ts";
import type { PolicyVersion } from "../domain/moderation/policy.ts";
import { type Verdict, worst } from "../domain/moderation/verdict.ts";
import type { Engine } from "../engines/engine.ts";
import type { RequestFailure } from "../domain/ledger/failure.ts";
import type { ChatInference, ChatOutput } from "../engines/inference.ts";
import { runContext } from "../moderation/ask-engine.ts";
import { prepare, type PreparedContent } from "../moderation/content.ts";
import { type ModerationContext, moderate } from "../moderation/moderate.ts";
import type { StageRun } from "../moderation/run-stage.ts";
import type { JudgeText } from "../moderation/free-stages.ts";
import { closureNews } from "./run-generation.ts";
import { worstOf } from "./guard-verdict.ts";
import { writtenText } from "./written-text.ts";

// The guard of one chat: it judges the prompt before the model is asked, and the answers before the caller
// gets them. No verdict is stored: the results are in the reply, and the checks are charged with the call.

export interface GuardContext {
  readonly engine: Engine;
  /** The text model inside the Worker. */
  readonly judgeText: JudgeText;
  readonly hold: Hold;
  readonly stage: GenerationStage;
  readonly modelOf: (id: string) => Model;
  readonly deadlineMs: number;
  readonly policy: PolicyVersion;
  readonly modes: GuardModes;
  /** The prompt; call it after its pictures were fetched. */
  readonly prompt: () => PreparedContent;
}

/** The result for the prompt, or for the answers. */
export type SideResult =
  | { readonly kind: "judged"; readonly verdicts: readonly Verdict[] }
  /** A check that the policy requires was not made. */
  | ({ readonly kind: "unchecked"; readonly status: Unchecked } & BusyJudge)
  /** Neither the caller nor the policy wants a guard here. */
  | { readonly kind: "unguarded" };

export interface GuardResults {
  readonly input: SideResult;
  readonly output: SideResult;
}

export interface ChatGuard {
  readonly modes: GuardModes;
  /** @returns whether the prompt is withheld from the model */
  prompt(): Promise<boolean>;
  /** @returns the answer, or `FILTERED` if it is withheld */
  answer(choice: number, output: ChatOutput): Promise<ChatOutput>;
  /** @returns whether a window of a streamed answer is withheld, and with it the rest of the answer */
  window(choice: number, window: OutputWindow): Promise<boolean>;
  results(): GuardResults;
  /** The items of the checks that were made. */
  items(): readonly Item[];
  /** What the checks showed about the Cloudflare account's own allocation. */
  account(): "exhausted" | "answered" | null;
}

export function chatGuard(context: GuardContext): ChatGuard {
  const { policy, modes, stage, hold, engine } = context;
  const guarding: PolicyVersion = { ...policy, policy: guardPolicy(policy.policy) };
  const running = moderationContext(context);
  const checks = hold.stages.filter(isCheck);
  const runs: StageRun[] = [];
  const inputs: Verdict[] = [];
  /** The verdicts of each choice's windows, in their order. */
  const outputs = new Map<number, Verdict[]>();
  let outran = false;

  async function judged(content: PreparedContent, at: number): Promise<Verdict> {
    const stages = checks.filter((check) => check.content === at);
    const moderated = await moderate(running, content, stages, guarding);
    runs.push(...moderated.runs);
    const { verdict } = moderated;
    // Verdicts of guards are not stored, so blocks of a user cannot be counted.
    if (policy.policy.ban_after === undefined) return verdict;
    return { ...verdict, actions: withoutBan(verdict.actions) };
  }

  const withheld = (mode: GuardMode, verdict: Verdict): boolean =>
    isWithheld(mode, guarding.policy, verdict);

  async function window(choice: number, { index, text }: OutputWindow): Promise<boolean> {
    const maxTokens = stage.maxTokens ?? 0;
    if (index >= outputWindows(maxTokens)) {
      // The answer is longer than the hold covers: the rest is not judged.
      outran = true;
      return modes.output === "block" && !mayGoUnevaluated(policy.policy);
    }
    const at = windowContent({ choice, window: index }, maxTokens);
    const verdict = await judged(prepare(textContent(text)), at);
    outputs.set(choice, [...(outputs.get(choice) ?? []), verdict]);
    return withheld(modes.output, verdict);
  }

  return {
    modes,
    window,
    async prompt() {
      if (modes.input === "off") return false;
      const verdict = await judged(context.prompt(), 0);
      inputs.push(verdict);
      return withheld(modes.input, verdict);
    },
    async answer(choice, output) {
      if (modes.output === "off") return output;
      const text = writtenText(output) ?? "";
      const gatherer = gatherWindows();
      const full = [...gatherer.push(text)];
      const rest = gatherer.end();
      const windows = rest === null ? full : [...full, rest];
      const blocked = await Promise.all(windows.map((each) => window(choice, each)));
      return blocked.includes(true) ? FILTERED : output;
    },
    results: () => ({
      input: modes.input === "off" ? UNGUARDED_SIDE : sideOf(guarding, inputs, false),
      output:
        modes.output === "off"
          ? UNGUARDED_SIDE
          : sideOf(guarding, [...outputs.values()].map(worstOf), outran),
    }),
    items: () => runs.map(({ item }) => item).filter(({ calls }) => calls > 0),
    account: () =>
      engine.name === "workers-ai" ? closureNews(...runs.map(({ account }) => account)) : null,
  };
}

/**
 * Log-probabilities name tokens that nobody judged: beside a guarded answer there are none. Null: they
 * were not asked for, or the answer is not guarded.
 */
export const logprobsRefusal = (
  guard: ChatGuard | null,
  inference: () => object,
): Extract<RequestFailure, { kind: "unsupported_parameter" }> | null =>
  guard === null || guard.modes.output === "off" || !asksLogprobs(inference())
    ? null
    : {
        kind: "unsupported_parameter",
        parameter: "logprobs",
        detail: "logprobs: an answer that is guarded has none, since they name tokens beside it.",
      };

const asksLogprobs = (inference: object): boolean =>
  (inference as Partial<ChatInference>).parameters?.["logprobs"] === true;

/** Replaces an answer that is withheld. */
export const FILTERED: ChatOutput = {
  content: null,
  reasoning: null,
  toolCalls: [],
  finishReason: "content_filter",
};

const UNGUARDED_SIDE: SideResult = { kind: "unguarded" };

function sideOf(
  { policy }: PolicyVersion,
  verdicts: readonly Verdict[],
  outran: boolean,
): SideResult {
  const unchecked = verdicts.flatMap(({ coverage }) => uncheckedStage(policy, coverage) ?? []);
  const status = unchecked.find((one) => one === worst(unchecked));
  if (status !== undefined) return { kind: "unchecked", status, ...longestWait(verdicts) };
  return outran ? { kind: "unchecked", status: "not_evaluated" } : { kind: "judged", verdicts };
}

function longestWait(verdicts: readonly Verdict[]): BusyJudge {
  const waits = verdicts.flatMap((verdict) => busyJudge(verdict)?.retryAfterMs ?? []);
  return waits.length === 0 ? {} : { retryAfterMs: Math.max(...waits) };
}

const moderationContext = (context: GuardContext): ModerationContext => ({
  ...runContext(context),
  // The pictures were sent inline, or were fetched for the chat itself.
  fetchPicture: async () => null,
  judgeText: context.judgeText,
  judgePicture: null,
  isStored: false,
});

/** A text of a guarded chat as a content item. Its verdict is not stored, and it is never a test input. */
export const textContent = (text: string) => ({
  verdictId: "",
  contentId: null,
  userId: null,
  metadata: {},
  language: null,
  text,
  pictures: [],
  test: null,
  batchId: null,
});
