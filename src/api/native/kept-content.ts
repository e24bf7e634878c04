import * as v from "valibot";
import type { ContentRead, KeptContent } from "../../domain/moderation/kept-content.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { time } from "../field.ts";

// What was moderated, where it is kept, and who read it.

export const ContentOutput = v.object({
  object: v.literal("content"),
  verdict_id: v.string(),
  text: v.nullable(v.string()),
  pictures: v.pipe(
    v.array(
      v.nullable(
        v.object({
          content_type: v.string(),
          bytes: v.number(),
          kept: v.pipe(v.boolean(), v.description("False: its bytes could not be kept.")),
          path: v.nullable(v.pipe(v.string(), v.description("Where its bytes are read."))),
        }),
      ),
    ),
    v.description("In the order of the content; null: it was named by URL and never came."),
  ),
});

export const toContent = ({ verdictId, text, pictures }: KeptContent) => ({
  object: "content" as const,
  verdict_id: verdictId,
  text,
  pictures: pictures.map((picture, at) =>
    picture === null
      ? null
      : {
          content_type: picture.contentType,
          bytes: picture.bytes,
          kept: picture.kept,
          path: picture.kept ? `/v1/verdicts/${verdictId}/content/${at}` : null,
        },
  ),
});

export const ContentReadOutput = v.object({
  id: v.string(),
  object: v.literal("content_read"),
  at: time("When it was read."),
  key_id: v.nullable(v.pipe(v.string(), v.description("Null: the platform."))),
  request_id: v.string(),
  verdict_id: v.string(),
});

export const toContentRead = (read: ContentRead) => ({
  id: read.id,
  object: "content_read" as const,
  at: isoTime(read.atMs),
  key_id: read.keyId,
  request_id: read.requestId,
  verdict_id: read.verdictId,
});
