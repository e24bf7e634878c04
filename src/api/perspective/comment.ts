import * as v from "valibot";
import { record, strictObject } from "../object-input.ts";
import { protoEnum, protoNumber } from "./proto-fields.ts";

// The Perspective API's requests and replies, version v1alpha1. Unlike the other drop-ins it refuses
// what it does not know, as Google's front end does.
// https://developers.perspectiveapi.com/s/about-the-api-methods

/** Room for a comment of the most bytes, escaped, and for its context. */
export const MAX_COMMENT_BODY_BYTES = 1_048_576;

const short = (description: string) =>
  v.pipe(v.string(), v.maxLength(4096), v.description(description));

const TextEntry = strictObject({
  text: v.optional(v.pipe(v.string(), v.description("At most 102,400 bytes."))),
  type: v.optional(protoEnum(["TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT", "HTML"])),
});

const Context = strictObject({
  entries: v.optional(v.pipe(v.array(TextEntry), v.maxLength(100))),
  articleAndParentComment: v.optional(
    strictObject({ article: v.optional(TextEntry), parentComment: v.optional(TextEntry) }),
  ),
});

const languages = v.pipe(
  v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(35))),
  v.maxLength(20),
  v.description("ISO 639-1, or BCP 47. English is judged; without one it is found out."),
);

const shareOfOne = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const attributeName = v.pipe(v.string(), v.maxLength(64));
/** Only PROBABILITY is scored. */
const scoreType = protoEnum([
  "SCORE_TYPE_UNSPECIFIED",
  "PROBABILITY",
  "STD_DEV_SCORE",
  "PERCENTILE",
  "RAW",
]);
const shareInput = v.pipe(protoNumber, v.minValue(0), v.maxValue(1));
const placeInput = v.pipe(protoNumber, v.safeInteger(), v.minValue(0));

const RequestedAttributeInput = strictObject({
  scoreType: v.optional(scoreType),
  scoreThreshold: v.optional(
    v.pipe(shareInput, v.description("An attribute whose summary is below it is left out.")),
  ),
});

const MAX_ATTRIBUTES = 64;

export const AnalyzeInput = strictObject({
  comment: v.optional(TextEntry),
  context: v.optional(v.pipe(Context, v.description("Accepted, and not used."))),
  requestedAttributes: v.optional(
    v.pipe(
      record(attributeName, v.nullable(RequestedAttributeInput)),
      v.maxEntries(MAX_ATTRIBUTES),
      v.description(
        "TOXICITY, SEVERE_TOXICITY, IDENTITY_ATTACK, INSULT, PROFANITY, THREAT, SEXUALLY_EXPLICIT, " +
          "each also with _EXPERIMENTAL, and TOXICITY_FAST.",
      ),
    ),
  ),
  spanAnnotations: v.optional(
    v.pipe(v.boolean(), v.description("A score for each sentence too.")),
    false,
  ),
  languages: v.optional(languages, []),
  doNotStore: v.optional(
    v.pipe(v.boolean(), v.description("Nothing of a comment is stored, whatever it says.")),
    false,
  ),
  dropUnsupportedAttributes: v.optional(
    v.pipe(v.boolean(), v.description("They are left out, not refused.")),
    false,
  ),
  clientToken: v.optional(short("Given back.")),
  sessionId: v.optional(short("Accepted, and not used.")),
  communityId: v.optional(short("Accepted, and not used.")),
});

export type AnalyzeBody = v.InferOutput<typeof AnalyzeInput>;

const Score = v.object({ value: shareOfOne, type: v.literal("PROBABILITY") });

const AttributeScores = v.object({
  spanScores: v.array(
    v.object({
      begin: v.pipe(v.number(), v.description("UTF-16 units of the text as sent.")),
      end: v.number(),
      score: Score,
    }),
  ),
  summaryScore: Score,
});

export const AnalyzeOutput = v.object({
  attributeScores: v.optional(v.record(v.string(), AttributeScores)),
  languages: v.array(v.string()),
  detectedLanguages: v.array(v.string()),
  clientToken: v.optional(v.string()),
});

/** Writers of protobuf leave out a value of 0. */
const SuggestedScore = strictObject({
  value: v.optional(shareInput, 0),
  type: v.optional(scoreType),
});

export const SuggestInput = strictObject({
  comment: v.optional(TextEntry),
  context: v.optional(Context),
  attributeScores: v.optional(
    v.pipe(
      record(
        attributeName,
        strictObject({
          summaryScore: v.optional(SuggestedScore),
          spanScores: v.optional(
            v.pipe(
              v.array(
                strictObject({
                  begin: v.optional(placeInput),
                  end: v.optional(placeInput),
                  score: v.optional(SuggestedScore),
                }),
              ),
              v.maxLength(1000),
            ),
          ),
        }),
      ),
      v.maxEntries(MAX_ATTRIBUTES),
      v.description("The scores that the client suggests."),
    ),
  ),
  languages: v.optional(languages, []),
  communityId: v.optional(short("Accepted, and not used.")),
  clientToken: v.optional(short("Given back.")),
  sessionId: v.optional(short("Accepted, and not used.")),
});

export const SuggestOutput = v.object({
  clientToken: v.optional(v.string()),
  requestedLanguages: v.optional(v.array(v.string())),
  detectedLanguages: v.optional(v.array(v.string())),
});

/** What Google's front end takes of any method; an unknown name is refused, as it is there. */
const parameter = v.optional(v.pipe(v.string(), v.maxLength(1000)));

const alt = v.optional(
  v.pipe(
    v.picklist(["json"]),
    v.description("The only form. The parameters after it are accepted, and change nothing."),
  ),
);

/** The parameters that Google's own discovery document has. */
export const documentedQuery = strictObject({
  key: v.optional(
    v.pipe(v.string(), v.maxLength(1000), v.description("A key of role `score`. Never logged.")),
  ),
  alt,
  fields: parameter,
  prettyPrint: parameter,
  quotaUser: parameter,
  userIp: parameter,
  callback: parameter,
  uploadType: parameter,
  upload_protocol: parameter,
  access_token: parameter,
  oauth_token: parameter,
  "$.xgafv": parameter,
});

/** With their other names. https://cloud.google.com/apis/docs/system-parameters */
export const googleQuery = strictObject({
  ...documentedQuery.entries,
  $alt: alt,
  $fields: parameter,
  $prettyPrint: parameter,
  $callback: parameter,
  pp: parameter,
});
