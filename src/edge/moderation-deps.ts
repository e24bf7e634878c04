import type * as v from "valibot";
import type { VerdictInput } from "../api/native/content.ts";
import type { Config } from "../config.ts";
import type { FieldError } from "../domain/ledger/failure.ts";
import { usable } from "../domain/ledger/quota.ts";
import { TEST_INPUTS } from "../domain/moderation/test-input.ts";
import { judgePicture, pictureModelOf } from "../engines/embedded/picture-model/picture-model.ts";
import { textJudge } from "../engines/embedded/text-model.ts";
import { newId } from "../http/ids.ts";
import { callHeaders, rateLimitHeaders } from "../http/rate-headers.ts";
import { resolveOverHttps } from "../io/resolve-host.ts";
import type { Content } from "../moderation/content.ts";
import type { Moderation, ModerationDeps } from "../moderation/moderation-call.ts";
import { readBase64Picture, readPictureUrl } from "../moderation/picture-sources.ts";
import { engineOf, bucketOf, recordInferences, tenantObject } from "./bindings.ts";

const RESOLVE_HOST = resolveOverHttps((...request) => fetch(...request));

/** What a moderation call needs of this deployment. */
export const moderationDeps = (call: {
  readonly env: Env;
  readonly config: Config;
  readonly caller: { readonly tenant: string };
}): ModerationDeps => ({
  config: call.config,
  engine: engineOf(call.config, call.env),
  tenant: () => tenantObject(call.env, call.caller.tenant),
  judgeText: textJudge(call.env.ASSETS),
  // With a real vision model the small one does not run: it finds less, and has more false alarms.
  judgePicture:
    call.config.inference === "embedded"
      ? (picture) => judgePicture(picture, pictureModelOf(call.env.ASSETS))
      : null,
  bucket: bucketOf(call.env),
  resolveHost: RESOLVE_HOST,
  observe: recordInferences(call.env, call.caller.tenant),
});

/**
 * Runs to its end even when the client leaves: what was admitted is settled. (After a disconnect
 * the platform grants 30 s; what is not settled by then, the hold's deadline settles.)
 */
export function toItsEnd<Result>(ctx: ExecutionContext, work: Promise<Result>): Promise<Result> {
  ctx.waitUntil(work.catch(() => undefined));
  return work;
}

/** The headers of a reply that cost something. */
export const costHeaders = (
  { microNeurons, standing, replayed }: Moderation,
  config: Config,
): Record<string, string> => ({
  ...callHeaders({
    microNeurons,
    available: usable(standing.neurons),
    engine: config.inference,
    replayed,
  }),
  ...rateLimitHeaders(standing),
});

// The body of `POST /v1/verdicts`, which is an item of a batch too, as the moderation takes it.

export type VerdictBody = v.InferOutput<typeof VerdictInput>;

/**
 * The content that a verdict is asked for.
 *
 * @param as its ids; absent: a new one, outside a batch
 */
export function readContent(
  body: VerdictBody,
  as: { readonly verdictId: string; readonly batchId: string | null } = {
    verdictId: newId("vrd"),
    batchId: null,
  },
):
  | { readonly kind: "content"; readonly content: Content }
  | { readonly kind: "invalid_request"; readonly errors: readonly FieldError[] } {
  const sources = (body.images ?? []).map(({ url, base64 }, at) =>
    url === undefined
      ? readBase64Picture(base64 ?? "", ["images", at, "base64"])
      : readPictureUrl(url, ["images", at, "url"]),
  );
  const errors = sources.flatMap((source) => (source.kind === "wrong" ? [source.error] : []));
  if (errors.length > 0) return { kind: "invalid_request", errors };
  const content: Content = {
    ...as,
    contentId: body.content_id ?? null,
    userId: body.user_id ?? null,
    metadata: body.metadata,
    language: body.language ?? null,
    text: body.text ?? null,
    pictures: sources.flatMap((source) => (source.kind === "read" ? [source.source] : [])),
    test: TEST_INPUTS.get(body.text ?? null) ?? null,
  };
  return { kind: "content", content };
}
