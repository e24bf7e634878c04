import type * as v from "valibot";
import type { FieldError } from "../domain/ledger/failure.ts";
import { testOutcome } from "../domain/moderation/test-input.ts";
import { newId } from "../http/ids.ts";
import type { Content } from "../moderation/content.ts";
import { readBase64Picture, readPictureUrl } from "../moderation/picture-sources.ts";
import type { VerdictInput } from "../api/native/content.ts";

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
    test: testOutcome(body.text ?? null),
  };
  return { kind: "content", content };
}
