import type { FieldError } from "../domain/ledger/failure.ts";
import { TEST_INPUTS } from "../domain/moderation/test-input.ts";
import { NO_ROOM } from "../http/intake.ts";
import { ok } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { openAiRateHeaders } from "../http/rate-headers.ts";
import { defineRoute } from "../http/route.ts";
import { type Content, measuredContents } from "../moderation/content.ts";
import { moderationCall } from "../moderation/moderation-call.ts";
import { readImageUrl } from "../moderation/picture-sources.ts";
import { BODY_WEIGHT, MAX_BODY_BYTES, MAX_TEXT_BYTES } from "../api/native/content.ts";
import {
  MODELS,
  ModerationInput,
  ModerationOutput,
  type ModerationRequestBody,
  toResult,
} from "../api/openai/moderation.ts";
import { costHeaders, moderationDeps, toItsEnd } from "../edge/moderation-deps.ts";
import { idempotencyOf } from "../http/call-labels.ts";
import { objectCaller, GOVERNED } from "../edge/bindings.ts";
import { mendedModeration } from "../api/drop-in-body.ts";

export const createModeration = defineRoute({
  method: "POST",
  path: "/v1/moderations",
  summary: "OpenAI's moderation endpoint",
  description: "A drop-in for the official clients; each result is a verdict of its own.",
  surface: "openai",
  admits: { kind: "moderation", route: "POST /v1/moderations" },
  auth: { kind: "key", roles: ["call"] },
  body: {
    schema: ModerationInput,
    limitBytes: MAX_BODY_BYTES,
    weight: BODY_WEIGHT,
    mend: mendedModeration,
  },
  reply: { status: 200, schema: ModerationOutput },
  failures: GOVERNED,
  handle: async (call) => {
    const started = Date.now();
    const { model } = call.body;
    if (!isModel(model)) return { kind: "model_not_found", model };
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const contents = readContents(call.body);
    if (contents.kind === "invalid_request") return contents;
    if (!(await hasRoom(call, contents.contents.length))) return NO_ROOM;
    const moderated = await toItsEnd(
      call.ctx,
      moderationCall(moderationDeps(call), {
        callId: newId("jnl"),
        requestId: call.requestId,
        route: "POST /v1/moderations",
        tenantId: call.caller.tenant,
        caller: objectCaller(call.caller),
        userId: personOf(call.body),
        policyName: call.body.neurogate?.policy ?? null,
        contents: contents.contents,
        context: call.context,
        idempotency: read.idempotency,
      }),
    );
    if (moderated.kind !== "moderated") return moderated;
    const { verdicts, microNeurons, callId, standing } = moderated;
    const body = {
      // The same call gives the same id, also when it is replayed.
      id: callId.replace(/^jnl_/, "modr-"),
      model,
      results: verdicts.map(toResult),
      neurogate: { micro_neurons: microNeurons, request_id: call.requestId },
    };
    const headers = {
      ...costHeaders(moderated, call.config),
      ...openAiRateHeaders(standing.rates, standing.nowMs),
      "openai-processing-ms": String(Date.now() - started),
    };
    return ok(body, { headers });
  },
});

/** Memory of one text's verdict: as a value, on its way to the tenant's object, and in the reply. */
const VERDICT_BYTES = 16 * 1024;

/** So many verdicts have room beside any body. */
const FEW = 100;

const hasRoom = (
  { moreRoom }: { readonly moreRoom: (bytes: number) => boolean | Promise<boolean> },
  verdicts: number,
): boolean | Promise<boolean> => verdicts <= FEW || moreRoom(verdicts * VERDICT_BYTES);

const isModel = (name: string): boolean => (MODELS as readonly string[]).includes(name);

/** What a quote for such a call goes by. */
export function measureModerations(body: ModerationRequestBody) {
  if (!isModel(body.model)) return { kind: "model_not_found" as const, model: body.model };
  const read = readContents(body);
  if (read.kind === "invalid_request") return read;
  const policyName = body.neurogate?.policy ?? null;
  return { kind: "moderation" as const, policyName, contents: measuredContents(read.contents) };
}

const personOf = ({ neurogate, safety_identifier, user }: ModerationRequestBody): string | null =>
  neurogate?.user_id ?? safety_identifier ?? user ?? null;

type Items = readonly Pick<Content, "text" | "pictures">[];

function readContents(
  body: ModerationRequestBody,
):
  | { readonly kind: "contents"; readonly contents: readonly Content[] }
  | { readonly kind: "invalid_request"; readonly errors: readonly FieldError[] } {
  const items = itemsOf(body.input);
  if ("kind" in items) return items;
  const ids = body.neurogate?.content_ids ?? [];
  if (ids.length > 0 && ids.length !== items.length) {
    const detail = "must name one id for each result";
    return { kind: "invalid_request", errors: [{ path: ["neurogate", "content_ids"], detail }] };
  }
  const contents = items.map((item, at): Content => ({
    ...item,
    verdictId: newId("vrd"),
    contentId: ids[at] ?? null,
    userId: personOf(body),
    metadata: body.neurogate?.metadata ?? {},
    language: body.neurogate?.language ?? null,
    test: TEST_INPUTS.get(item.text) ?? null,
    batchId: null,
  }));
  return { kind: "contents", contents };
}

/** Strings are items of their own, parts are one. */
function itemsOf(
  input: ModerationRequestBody["input"],
): Items | { readonly kind: "invalid_request"; readonly errors: readonly FieldError[] } {
  if (typeof input === "string") return [{ text: input, pictures: [] }];
  const texts = input.filter((part) => typeof part === "string");
  if (texts.length > 0) {
    const bytes = texts.reduce((total, text) => total + new TextEncoder().encode(text).length, 0);
    if (bytes > MAX_TEXT_BYTES) return wrong([{ path: ["input"], detail: TOO_MUCH_TEXT }]);
    return texts.map((text) => ({ text, pictures: [] }));
  }
  const parts = input.filter((part) => typeof part !== "string");
  const sources = parts.flatMap((part, at) =>
    part.type === "image_url"
      ? [readImageUrl(part.image_url.url, ["input", at, "image_url", "url"])]
      : [],
  );
  const errors = sources.flatMap((source) => (source.kind === "wrong" ? [source.error] : []));
  if (errors.length > 0) return wrong(errors);
  const said = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const text = said.length === 0 ? null : said.join("\n");
  if (text !== null && new TextEncoder().encode(text).length > MAX_TEXT_BYTES) {
    return wrong([{ path: ["input"], detail: TOO_MUCH_TEXT }]);
  }
  const pictures = sources.flatMap((source) => (source.kind === "read" ? [source.source] : []));
  return [{ text, pictures }];
}

const TOO_MUCH_TEXT = `must be at most ${MAX_TEXT_BYTES} bytes of text in all`;

const wrong = (errors: readonly FieldError[]) => ({ kind: "invalid_request" as const, errors });
