import { cleanForJudge, judgedJson } from "../domain/moderation/judge.ts";
import type { MeasuredContent } from "../domain/moderation/plan-moderation.ts";
import type { TestOutcome } from "../domain/moderation/test-input.ts";
import {
  JUDGE_WINDOWS,
  SENTIMENT_WINDOWS,
  splitText,
  type WindowedText,
} from "../domain/moderation/text-window.ts";
import { tokensAtMost } from "../domain/generation/token-bound.ts";
import type { Picture } from "../engines/picture.ts";

// A parsed content item, and the measures that its admission needs.

/**
 * The header of an inline picture was read with the request; a URL is fetched after the call was admitted.
 */
export type PictureSource =
  | { readonly kind: "picture"; readonly picture: Picture }
  | { readonly kind: "url"; readonly url: URL };

export interface Content {
  readonly verdictId: string;
  readonly contentId: string | null;
  readonly userId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** BCP 47, as the caller gave it. */
  readonly language: string | null;
  readonly text: string | null;
  readonly pictures: readonly PictureSource[];
  /** The outcome that the text forces as a test input; null: it is judged. */
  readonly test: TestOutcome | null;
  /** The batch that it belongs to. */
  readonly batchId: string | null;
}

export interface PreparedContent extends Content {
  readonly windows: { readonly sentiment: WindowedText; readonly judge: WindowedText } | null;
}

export function prepare(content: Content): PreparedContent {
  if (content.text === null) return { ...content, windows: null };
  const judged = cleanForJudge(content.text);
  return {
    ...content,
    windows: {
      sentiment: splitText(content.text, SENTIMENT_WINDOWS),
      judge: splitText(judged, JUDGE_WINDOWS, (text) => tokensAtMost(judgedJson(text))),
    },
  };
}

/** Sizes only: the tenant's object plans and prices by them. */
export const measured = ({ windows, pictures, test }: PreparedContent): MeasuredContent => ({
  text:
    windows === null
      ? null
      : {
          sentiment: windows.sentiment.windows.map(({ tokens }) => tokens),
          judge: windows.judge.windows.map(({ tokens }) => tokens),
        },
  pictures: pictures.length,
  ...(test !== null && { test: true }),
});

/** The measures by which a moderation of these contents would be planned. */
export const measuredContents = (contents: readonly Content[]): readonly MeasuredContent[] =>
  contents.map((content) => measured(prepare(content)));

const UTF8 = new TextEncoder();

/**
 * SHA-256 (hex) over the digests of a content's text and pictures, in order. It never leaves the gateway in
 * this form: the tenant's object keys it with the tenant's own secret.
 */
export async function contentDigest(
  { text, pictures: sources }: Pick<Content, "text" | "pictures">,
  pictures: readonly (Picture | null)[],
): Promise<string> {
  const parts = [
    UTF8.encode(`text:${text ?? ""}`),
    ...sources.map((source, at) => {
      const picture = source.kind === "picture" ? source.picture : (pictures[at] ?? null);
      return picture?.bytes ?? UTF8.encode(source.kind === "url" ? `url:${source.url.href}` : "");
    }),
  ];
  const digests = await Promise.all(parts.map(sha256));
  return sha256(UTF8.encode(digests.join("\n")));
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
