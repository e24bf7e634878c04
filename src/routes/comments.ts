import {
  type CommentToAnalyze,
  refused,
  scoreOf,
  suggestedLabels,
  typeOf,
  wrongWith,
} from "../domain/moderation/comment-attributes.ts";
import type { CommentFailure } from "../domain/ledger/failure.ts";
import { MOST_EXAMPLE_UNITS } from "../domain/moderation/labelled-text.ts";
import { plainOfHtml } from "../domain/text/html-text.ts";
import { textJudge } from "../engines/embedded/text-model.ts";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import {
  type Analysis,
  analyzeComment,
  type CommentText,
  foreignText,
  type JudgeForeign,
} from "../moderation/analyze-comment.ts";
import { judgeComment, judgedComment } from "../moderation/judge-comment.ts";
import type { Admitted } from "../../durable-objects/tenant/protocol.ts";
import type { Config } from "../config.ts";
import { detectLanguage } from "../moderation/language.ts";
import {
  type AnalyzeBody,
  AnalyzeInput,
  AnalyzeOutput,
  googleQuery,
  MAX_COMMENT_BODY_BYTES,
  SuggestInput,
  SuggestOutput,
} from "../api/perspective/comment.ts";
import { engineOf, UNAVAILABLE, writeTenant } from "../edge/bindings.ts";
import { HELD, type JudgedScoring, judgedScoring, SCORED, scoring } from "./scoring.ts";

// The Perspective API's methods. A call is admitted by its tenant's rates like any other. Only a comment in
// another language asks an engine, and costs something, where the tenant's settings want that. What a client
// suggests is kept only for as long as they say.

const FAILURES = [...SCORED, "comment_refused"] as const;

const ANALYZE = "POST /v1alpha1/comments:analyze";

export const analyzeRoute = defineRoute({
  method: "POST",
  path: "/v1alpha1/comments:analyze",
  summary: "Perspective API: scores of a comment by attribute",
  description:
    "A drop-in for the Perspective API, in English: judged inside the Worker at 0 neurons. Other " +
    "languages are refused, or read by the default policy's judge with the tenant's `perspective_fallback`. " +
    "Nothing of the comment is stored, with `doNotStore` or without.",
  surface: "perspective",
  cors: "any",
  admits: { kind: "scoring", route: ANALYZE },
  auth: { kind: "key", roles: ["call", "score"], asGoogle: true },
  query: googleQuery,
  body: { schema: AnalyzeInput, limitBytes: MAX_COMMENT_BODY_BYTES, as: "proto-json" },
  reply: { status: 200, schema: AnalyzeOutput },
  failures: [...FAILURES, ...HELD, "engine_busy"],
  handle: async (call) => {
    const { body } = call;
    const comment = toAnalyze(body);
    const wrong = wrongWith(comment) ?? wrongContext(body.context);
    if (wrong !== null) return wrong;
    const toScore = {
      text: comment.text,
      isHtml: comment.type === "HTML",
      attributes: comment.attributes,
      languages: body.languages,
      dropUnsupported: comment.dropUnsupported,
      bySentence: body.spanAnnotations,
    };
    const foreign = foreignText(toScore);
    const judged = foreign === null ? null : judgedComment(foreign, body.languages[0] ?? null);
    const scored = await judgedScoring(call, ANALYZE, {
      judged: judged?.measure ?? null,
      work: (admitted) => scoredComment(call, admitted, { comment: toScore, judged }),
    });
    if (scored.kind !== "scored") return scored;
    const { value, headers } = scored;
    return value.kind === "analyzed" ? ok(toReply(body, value), { headers }) : value;
  },
});

/** The judge is asked only where the call holds for it. */
async function scoredComment(
  { env, config }: { readonly env: Env; readonly config: Config },
  admitted: Admitted,
  about: {
    readonly comment: CommentText;
    readonly judged: ReturnType<typeof judgedComment>;
  },
): Promise<JudgedScoring<Awaited<ReturnType<typeof analyzeComment>>>> {
  const { comment, judged } = about;
  let spent: Pick<JudgedScoring<null>, "items" | "account"> = { items: [], account: null };
  const judge: JudgeForeign = async () => {
    if (judged === null) return null;
    const engine = engineOf(config, env);
    const { judged: found, ...ran } = await judgeComment(
      { engine, config },
      admitted,
      judged.content,
    );
    spent = ran;
    return found;
  };
  const value = await analyzeComment(textJudge(env.ASSETS), comment, judge);
  return { value, ...spent };
}

const SUGGEST = "POST /v1alpha1/comments:suggestscore";

export const suggestRoute = defineRoute({
  method: "POST",
  path: "/v1alpha1/comments:suggestscore",
  summary: "Perspective API: a client's suggested scores, kept as a label for calibrations",
  description:
    "Clients send it when a moderator decides. It takes a unit of `requests`. The text and its labels are kept only for the tenant's `suggestion_retention_days`, and never from a key of role `score`.",
  surface: "perspective",
  cors: "any",
  admits: { kind: "scoring", route: SUGGEST },
  auth: { kind: "key", roles: ["call", "score"], asGoogle: true },
  query: googleQuery,
  body: { schema: SuggestInput, limitBytes: MAX_COMMENT_BODY_BYTES, as: "proto-json" },
  reply: { status: 200, schema: SuggestOutput },
  failures: FAILURES,
  handle: async (call) => {
    const { comment, attributeScores = {}, languages, clientToken, context } = call.body;
    const analyzed = toAnalyze({
      comment,
      requestedAttributes: Object.fromEntries(
        Object.keys(attributeScores).map((name) => [name, {}]),
      ),
      dropUnsupportedAttributes: false,
    });
    const wrong = wrongWith(analyzed) ?? wrongContext(context);
    if (wrong !== null) return wrong;
    const { text, type } = analyzed;
    const plain = type === "HTML" ? plainOfHtml(text).text : text;
    const scored = await scoring(call, SUGGEST, async () => detectLanguage(plain));
    if (scored.kind !== "scored") return scored;
    const labels = suggestedLabels(
      mapValues(attributeScores, ({ summaryScore }) => summaryScore?.value),
    );
    const isLabelled = Object.keys(labels).length > 0 && plain.length <= MOST_EXAMPLE_UNITS;
    if (scored.keepsSuggestions && isLabelled) {
      const suggestion = { text: plain, labels };
      const kept = await writeTenant(call, (tenant, caller) =>
        tenant.keepSuggestion(caller, suggestion),
      );
      if (kept.kind !== "kept" && kept.kind !== "not_kept") return UNAVAILABLE;
    }
    const { value: detected, headers } = scored;
    const reply = {
      ...(clientToken !== undefined && { clientToken }),
      ...(languages.length > 0 && { requestedLanguages: languages }),
      ...(detected !== null && { detectedLanguages: [detected] }),
    };
    return ok(reply, { headers });
  },
});

const mapValues = <From, To>(values: Readonly<Record<string, From>>, change: (value: From) => To) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));

type CommentFields = Pick<
  AnalyzeBody,
  "comment" | "requestedAttributes" | "dropUnsupportedAttributes"
>;

function toAnalyze({ comment, ...body }: CommentFields): CommentToAnalyze {
  const text = comment?.text ?? "";
  const requested = Object.entries(body.requestedAttributes ?? {});
  return {
    text,
    bytes: new TextEncoder().encode(text).length,
    type: typeOf(comment?.type),
    attributes: Object.fromEntries(requested.map(([name, terms]) => [name, terms ?? {}])),
    dropUnsupported: body.dropUnsupportedAttributes,
  };
}

/** Of both methods. */
function wrongContext(context: AnalyzeBody["context"]): CommentFailure | null {
  if (context?.entries === undefined || context.articleAndParentComment === undefined) return null;
  return refused(
    "INVALID_REQUEST",
    "Context can have either entries or article_and_parent_comment, but both fields were populated.",
  );
}

const score = (value: number) => ({ value, type: "PROBABILITY" as const });

function toReply(body: AnalyzeBody, { summary, spans, ...analysis }: Analysis) {
  const scores = analysis.attributes.flatMap((name) => {
    if (summary === null) return [];
    const value = scoreOf(name, summary);
    if (value < (body.requestedAttributes?.[name]?.scoreThreshold ?? 0)) return [];
    const spanScores = spans.map(({ begin, end, scores: own }) => ({
      begin,
      end,
      score: score(scoreOf(name, own)),
    }));
    return [[name, { spanScores, summaryScore: score(value) }] as const];
  });
  return {
    ...(scores.length > 0 && { attributeScores: Object.fromEntries(scores) }),
    languages: analysis.languages,
    detectedLanguages: analysis.detectedLanguages,
    ...(body.clientToken !== undefined && { clientToken: body.clientToken }),
  };
}
