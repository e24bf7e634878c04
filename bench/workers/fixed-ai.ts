import { JUDGED_CATEGORIES } from "../../src/domain/moderation/category.ts";

// An `AI` binding that always gives the same answer at once, so that a run measures everything around the
// model. The `workers-ai` adapter in front of it is the real one.

const SENTIMENT = [
  { label: "NEGATIVE", score: 0.03 },
  { label: "POSITIVE", score: 0.97 },
];

const SCORES = Object.fromEntries(JUDGED_CATEGORIES.map((category) => [category, 2]));

const USAGE = { prompt_tokens: 420, completion_tokens: 90, total_tokens: 510 };

/** The judge must return the nonce of its prompt, as a model would. */
const NONCE = /\b[0-9a-f]{32}\b/;

interface Inputs {
  readonly messages?: readonly { readonly content: string }[];
  /** Only a judge's call has this. */
  readonly response_format?: unknown;
}

function answer(inputs: unknown): unknown {
  const { messages, response_format: format } = inputs as Inputs;
  if (messages === undefined) return SENTIMENT;
  if (format === undefined) return { response: "It leaves at nine.", usage: USAGE };
  const prompt = messages.map(({ content }) => content).join("\n");
  return { response: { nonce: NONCE.exec(prompt)?.[0] ?? "", ...SCORES }, usage: USAGE };
}

/** The adapter calls `run` alone. The type of the binding has many methods more: hence the cast. */
export const FIXED_AI = {
  run: async (_model: string, inputs: unknown) => answer(inputs),
} as unknown as Ai;

interface Fetcher<Own extends Env> {
  fetch(request: Request, env: Own, ctx: ExecutionContext): Promise<Response>;
}

/** The Worker with that binding. The router identifies an environment by its object, so each has one. */
export function withFixedAi<Own extends Env>(
  worker: Fetcher<Env>,
  also: (request: Request, env: Own) => Promise<Response> | null = () => null,
): Fetcher<Own> {
  const made = new WeakMap<Own, Env>();
  return {
    async fetch(request, env, ctx) {
      const own = also(request, env);
      if (own !== null) return own;
      const known = made.get(env) ?? { ...env, AI: FIXED_AI };
      made.set(env, known);
      return worker.fetch(request, known, ctx);
    },
  };
}
