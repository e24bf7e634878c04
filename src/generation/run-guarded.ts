import type { Item } from "../domain/ledger/ledger.ts";
import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import type { Answered, ChatOutput } from "../engines/inference.ts";
import type { CachedRun } from "./cached-run.ts";
import { type ChatGuard, FILTERED } from "./chat-guard.ts";
import {
  type GenerationContext,
  type GenerationRun,
  itemOf,
  closureNews,
} from "./run-generation.ts";

// Runs a generation with its guard: the prompt is judged before it is sent, the answers before the caller
// gets them.

export type GuardedRun<Kind extends GenerationKind> = CachedRun<Kind> & {
  /** The generation's own item, then those of its guard. */
  readonly items: readonly Item[];
};

/** @param guard null: there is none; only a chat has one */
export async function runGuarded<Kind extends GenerationKind>(
  context: GenerationContext,
  guard: ChatGuard | null,
  run: () => Promise<CachedRun<Kind>>,
): Promise<GuardedRun<Kind>> {
  if (guard === null) {
    const ran = await run();
    return { ...ran, items: [ran.item] };
  }
  const ran = (await guard.prompt()) ? withheldRun<Kind>(context) : await run();
  const result =
    ran.result.kind === "answered"
      ? { ...ran.result, answers: await Promise.all(ran.result.answers.map(passed(guard))) }
      : ran.result;
  return {
    ...ran,
    result,
    account: closureNews(ran.account, guard.account()),
    items: [ran.item, ...guard.items()],
  };
}

/** The run of a withheld prompt: the model is not asked, and each answer ends before it begins. */
function withheldRun<Kind extends GenerationKind>(context: GenerationContext): GenerationRun<Kind> {
  const { stage } = context;
  const answer = { kind: "answered", model: stage.model, output: FILTERED, usage: null } as const;
  return {
    item: itemOf(context, "chat", []),
    account: null,
    result: {
      kind: "answered",
      answers: stage.calls.map(() => answer as unknown as Answered<Kind>),
      at: [...stage.calls.keys()],
    },
  };
}

const passed =
  (guard: ChatGuard) =>
  async <Kind extends GenerationKind>(
    answer: Answered<Kind>,
    choice: number,
  ): Promise<Answered<Kind>> => {
    const output: object = answer.output;
    if (output === FILTERED || !isChat(output)) return answer;
    const judged: unknown = await guard.answer(choice, output);
    return { ...answer, output: judged as Answered<Kind>["output"] };
  };

const isChat = (output: object): output is ChatOutput => "finishReason" in output;
