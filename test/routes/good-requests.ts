import { ACCOUNT } from "../../src/http/mount.ts";
import type { Route } from "../../src/http/route.ts";
import { joined, wav } from "../audio/recordings.ts";
import { JPEG } from "../engines/embedded/sample-pictures.ts";
import type { Ask } from "../client.ts";

// For each route a request that it takes, wherever the route is found.

/** A form with a second of sound. */
const recording = (model: string) =>
  joined(
    `--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n`,
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n',
    wav(),
    "\r\n--b--\r\n",
  );

/** A form with a picture. */
const picture = (fields: Readonly<Record<string, string>>) =>
  joined(
    ...Object.entries(fields).map(
      ([name, text]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`,
    ),
    '--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n',
    JPEG,
    "\r\n--b--\r\n",
  );

const FORM = { "Content-Type": "multipart/form-data; boundary=b" };

/** Bodies that their routes take, so that only who asks can stand in the way. */
export const GOOD_BODIES: Readonly<Record<string, unknown>> = {
  "POST /v1/verdicts": { text: "Nice to meet you all here today" },
  "POST /v1/moderations": { input: "Nice to meet you all here today" },
  "POST /v1/policies/calibrate": {
    examples: [{ text: "A text", labels: { toxicity: false } }],
    max_miss_rate: 0.1,
  },
  "POST /v1alpha1/comments:analyze": {
    comment: { text: "Nice to meet you all here today" },
    requestedAttributes: { TOXICITY: {} },
  },
  "POST /v1alpha1/comments:suggestscore": {
    comment: { text: "Nice to meet you all here today" },
    attributeScores: { TOXICITY: { summaryScore: { value: 0 } } },
  },
  "POST /v1/embeddings": { model: "@cf/baai/bge-small-en-v1.5", input: "Nice to meet you" },
  [`POST ${ACCOUNT}/ai/run/:model+`]: { text: "Nice to meet you all here today" },
  "POST /v1/translations": { text: "Nice to meet you", target_language: "de" },
  "POST /v1/chat/completions": {
    model: "@cf/meta/llama-3.1-8b-instruct-fp8",
    messages: [{ role: "user", content: "Nice to meet you" }],
  },
  "POST /v1/sessions": { model: "@cf/meta/llama-3.1-8b-instruct-fp8" },
  "POST /v1/sessions/:id/messages": {
    messages: [{ role: "user", content: "Nice to meet you" }],
  },
  "POST /v1/completions": {
    model: "@cf/meta/llama-3.1-8b-instruct-fp8",
    prompt: "Nice to meet you",
  },
  "POST /v1/responses": {
    model: "@cf/meta/llama-3.1-8b-instruct-fp8",
    input: "Nice to meet you",
  },
  "POST /v1/documents": { type: "other", content: "Nice to meet you all here today", tasks: [] },
  "POST /v1/documents/search": { query: "Nice to meet you" },
  "POST /v1/documents/answer": { query: "Nice to meet you" },
  "POST /v1/verdicts/:id/review": { state: "claimed" },
  "POST /v1/webhooks": {
    url: "https://hooks.acme.dev/",
    events: ["quota.exceeded"],
    enabled: false,
  },
  "POST /admin/webhooks": {
    url: "https://hooks.acme.dev/",
    events: ["quota.exceeded"],
    enabled: false,
  },
  "POST /admin/webhooks/:id/replay": { from: "2036-11-20T00:00:00Z", only: "failed" },
  "POST /v1/webhooks/:id/replay": { from: "2036-11-20T00:00:00Z", only: "failed" },
  "POST /v1/pipelines/runs": {
    documents: [{ type: "other", content: "Nice to meet you" }],
    steps: ["moderate"],
  },
  "POST /v1/verdicts/batches": { items: [{ text: "Nice to meet you all here today" }] },
  "POST /v1/quote": { path: "/v1/moderations", body: { input: "Nice to meet you" } },
  "POST /v1/images/generations": { prompt: "Nice to meet you all here today" },
  "POST /v1/images": { prompt: "Nice to meet you all here today" },
  "POST /v1/audio/speech": { model: "@cf/deepgram/aura-1", voice: "luna", input: "Hello" },
  "POST /v1/erasures": { user_id: "u_nobody" },
  "POST /v1/audio/transcriptions": recording("@cf/openai/whisper"),
  "POST /v1/audio/translations": recording("@cf/openai/whisper-large-v3-turbo"),
  "POST /v1/images/edits": picture({ prompt: "Nice to meet you all here today" }),
  "POST /v1/images/variations": picture({}),
};

/** Of routes that cannot be asked without. */
const GOOD_QUERIES: Readonly<Record<string, string>> = {
  "GET /v1/export": "?user_id=u_nobody",
  [`GET ${ACCOUNT}/ai/models/schema`]: "?model=@cf/openai/whisper",
};

/** Of bodies that are not JSON. */
const GOOD_HEADERS: Readonly<Record<string, Record<string, string>>> = {
  "POST /v1/audio/transcriptions": FORM,
  "POST /v1/audio/translations": FORM,
  "POST /v1/images/edits": FORM,
  "POST /v1/images/variations": FORM,
};

export function goodRequest({
  method,
  path,
  body: spec,
}: Pick<Route, "method" | "path" | "body">): Pick<Ask, "body" | "headers"> & {
  /** With its question mark. */
  readonly query: string;
} {
  const label = `${method} ${path}`;
  const body = GOOD_BODIES[label] ?? (spec === undefined ? undefined : {});
  return {
    query: GOOD_QUERIES[label] ?? "",
    headers: GOOD_HEADERS[label] ?? {},
    ...(body === undefined ? {} : { body }),
  };
}
