import type { JsonObject } from "../../http/openapi-schema.ts";
import { documentedQuery } from "./comment.ts";

// What Google's generated clients read to know where the methods are and what they take:
// https://developers.google.com/discovery/v1/reference/apis

const string = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const float = { type: "number", format: "float" } as const;
const int32 = { type: "integer", format: "int32" } as const;
const ref = (name: string) => ({ $ref: name });
const listOf = (items: JsonObject) => ({ type: "array", items });
const mapOf = (additionalProperties: JsonObject) => ({ type: "object", additionalProperties });

type Fields = Readonly<Record<string, JsonObject>>;

const SCHEMAS: Readonly<Record<string, Fields>> = {
  TextEntry: { text: string, type: string },
  ArticleAndParentComment: { article: ref("TextEntry"), parentComment: ref("TextEntry") },
  Context: {
    entries: listOf(ref("TextEntry")),
    articleAndParentComment: ref("ArticleAndParentComment"),
  },
  AttributeParameters: { scoreType: string, scoreThreshold: float },
  Score: { value: float, type: string },
  SpanScore: { begin: int32, end: int32, score: ref("Score") },
  AttributeScores: { summaryScore: ref("Score"), spanScores: listOf(ref("SpanScore")) },
  AnalyzeCommentRequest: {
    comment: ref("TextEntry"),
    context: ref("Context"),
    requestedAttributes: mapOf(ref("AttributeParameters")),
    spanAnnotations: flag,
    languages: listOf(string),
    doNotStore: flag,
    dropUnsupportedAttributes: flag,
    clientToken: string,
    sessionId: string,
    communityId: string,
  },
  AnalyzeCommentResponse: {
    attributeScores: mapOf(ref("AttributeScores")),
    languages: listOf(string),
    detectedLanguages: listOf(string),
    clientToken: string,
  },
  SuggestCommentScoreRequest: {
    comment: ref("TextEntry"),
    context: ref("Context"),
    attributeScores: mapOf(ref("AttributeScores")),
    languages: listOf(string),
    communityId: string,
    clientToken: string,
    sessionId: string,
  },
  SuggestCommentScoreResponse: {
    clientToken: string,
    requestedLanguages: listOf(string),
    detectedLanguages: listOf(string),
  },
};

const method = (name: string, message: string, description: string) => ({
  id: `commentanalyzer.comments.${name}`,
  path: `v1alpha1/comments:${name}`,
  flatPath: `v1alpha1/comments:${name}`,
  httpMethod: "POST",
  description,
  parameters: {},
  parameterOrder: [],
  request: ref(`${message}Request`),
  response: ref(`${message}Response`),
});

/** @param origin where this gateway was asked: clients go on to ask there */
export const discoveryDocument = (origin: string): JsonObject => ({
  kind: "discovery#restDescription",
  discoveryVersion: "v1",
  id: "commentanalyzer:v1alpha1",
  name: "commentanalyzer",
  version: "v1alpha1",
  title: "Perspective Comment Analyzer API, answered by Neurogate",
  description: "Scores of comments by attribute, in English.",
  protocol: "rest",
  rootUrl: `${origin}/`,
  servicePath: "",
  baseUrl: `${origin}/`,
  basePath: "",
  batchPath: "batch",
  parameters: Object.fromEntries(
    Object.keys(documentedQuery.entries).map((name) => [name, { ...string, location: "query" }]),
  ),
  schemas: Object.fromEntries(
    Object.entries(SCHEMAS).map(([id, properties]) => [id, { id, type: "object", properties }]),
  ),
  resources: {
    comments: {
      methods: {
        analyze: method("analyze", "AnalyzeComment", "Scores a comment by attribute."),
        suggestscore: method("suggestscore", "SuggestCommentScore", "What a client holds right."),
      },
    },
  },
});
