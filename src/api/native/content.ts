import * as v from "valibot";
import { shaped, stated } from "../../http/field-errors.ts";
import { name, policyName } from "../field.ts";
import { record, strictObject } from "../object-input.ts";

// A content item to be moderated, as the native surface takes it.

/** Without pictures; a body with pictures may have `MAX_BODY_BYTES`. */
export const MAX_TEXT_BYTES = 102_400;
export const MAX_BODY_BYTES = 10_485_760;

/** What stands in it once more: pictures without their base64, or the file of a batch. */
export const BODY_WEIGHT = 3;
export const MAX_PICTURES = 8;

const MAX_METADATA_BYTES = 4096;

const UTF8 = new TextEncoder();

export const text = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxBytes(MAX_TEXT_BYTES),
  v.description("Text of at most 100 KB."),
);

const Image = v.pipe(
  strictObject({
    url: v.optional(v.pipe(v.string(), v.maxLength(2048), v.description("An https URL."))),
    base64: v.optional(
      v.pipe(v.string(), v.description("The bytes of a PNG, JPEG or WebP picture, base64.")),
    ),
  }),
  v.check(
    stated(
      "must have either url or base64",
      (image: { url?: string | undefined; base64?: string | undefined }) =>
        (image.url === undefined) !== (image.base64 === undefined),
    ),
  ),
);

export const metadata = v.pipe(
  record(v.pipe(v.string(), v.maxLength(64)), v.pipe(v.string(), v.maxLength(512))),
  v.maxEntries(16),
  v.check(
    stated(
      "must be at most 4096 bytes",
      (entries: Record<string, string>) =>
        UTF8.encode(JSON.stringify(entries)).length <= MAX_METADATA_BYTES,
    ),
  ),
  v.description("At most 16 strings of the caller's own."),
);

export const language = v.pipe(
  v.string(),
  v.regex(
    shaped(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$/, "must be a language tag such as en or pt-BR"),
  ),
  v.description("BCP 47. When absent, it is found in the text."),
);

export const contentFields = {
  content_id: v.optional(name("The caller's id of the content.")),
  user_id: v.optional(name("The caller's id of the person.")),
  metadata: v.optional(metadata, {}),
  policy: v.optional(policyName),
  language: v.optional(language),
};

const Item = strictObject({
  ...contentFields,
  text: v.optional(text),
  images: v.optional(v.pipe(v.array(Image), v.maxLength(MAX_PICTURES))),
});

export const VerdictInput = v.pipe(
  Item,
  v.check(
    stated<v.InferOutput<typeof Item>>(
      "must have text or images",
      (body) => body.text !== undefined || (body.images ?? []).length > 0,
    ),
  ),
);
