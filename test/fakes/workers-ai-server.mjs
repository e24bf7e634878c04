import { createServer } from "node:http";
import { PATIENT } from "./patient.mjs";
import { chatPlan, chatReply, isChat, streamReply } from "./chat.mjs";
import { rawTaskOf, smallResults, smallTask } from "./workers-ai-tasks.mjs";
import { answerConversion, isConversion } from "./markdown.mjs";
import { documentAnswer, documentTask } from "./documents.mjs";
import { formFields, pictureOf } from "./made-pictures.mjs";
import { answerOpenAi } from "./openai-server.mjs";
import {
  Script,
  breakTransport,
  contentOf,
  control,
  judgeScores,
  modelAnswer,
  negativity,
  nonceIn,
  padding,
  readBody,
  usageOf,
  visionScores,
} from "./script.mjs";
import { answerSound, soundTask } from "./sound.mjs";

// A local stand-in for the other side of the `AI` binding. The runtime's own `Ai` class talks to it
// (TOOLING 1), so what is tested is what is deployed, but for the statuses, which are our choice.
// The same server speaks OpenAI's wire under `/openai/v1` (see openai-server.mjs).
//
// Its URL is `env.FAKE_AI_URL` in tests. It is one server for all test files, so a script must be
// tied to the content of a request:
//
// 1. A marker in the text, or among the bytes of a picture (after its end is a good place):
//      [[fake:3036]]                      every check that carries this content
//      [[fake:judge=3040]]                only the judge; others: sentiment, labels, vision
//      [[fake:judge=500;sentiment=hang]]  one for each
//      [[fake:3040,ok|a7f3]]              in turn, the last for ever. Calls are counted per check
//                                         and marker: end it with "|" and something unique
// 2. A rule, for content that cannot carry a marker. It goes before markers:
//      POST {url}/__script { "match": "part of the content", "task"?: "judge", "behaviour": "3040,ok", "times"?: 2 }
//      DELETE {url}/__script?match=part of the content
// 3. What arrived:
//      GET {url}/__requests?match=…  [{ task, model, content, headers, inputs, options, bytes, behaviour }], the last 500
//
// Behaviours. Without one, a good answer: texts with words such as "idiot", "stupid", "kill you"
// score high with the judge, "terrible", "worst", "idiot" are negative; pictures are a tabby.
//   score:80                       sentiment: NEGATIVE at 0.80
//   score:toxicity=80&hate=20      judge: these percentages, the others 0
//   score:nsfw=90&text=no+entry    vision: the score and the writing that it sees, with `more=1` not all
//                                  of it; `no_text`: the score alone
//   label:whiskey_jug=0.7&cup=0.1  labels
//   3036 4006 3040 5007 5016 …     any four digits: that error, as `{ internalCode }`
//   errors:5007                    the same as `{ errors: [{ code }] }`
//   json_mode json_mode_text       "JSON Mode couldn't be met", with code 5024 or without any
//   400 429 500 …                  any three digits: that status with a plain text
//   429@30 3040@30 429@ms1500      that status or code, with `Retry-After: 30`, or `retry-after-ms: 1500`
//   hang hang_body drip drop drop_body huge malformed bad_utf8 empty_body not_json redirect
//   no_usage huge_usage cached_usage negative_usage fraction_usage text_usage excess_cached_usage zero_usage
//   charset                        a good answer as `application/json; charset=utf-8`
//   Of a question about a document: see documents.mjs
//   Of a chat: see chat.mjs; of speech, heard or said: sound.mjs
//   Of judge and vision: string obey close_fence other_nonce no_nonce second_object prose code_fence
//     extra_key missing_key duplicate_key escaped_duplicate_key float fraction_text out_of_range
//     string_score null empty array refusal truncated
//   Of reranking, objects, caption and translation: see workers-ai-tasks.mjs
//   Of picture: not_picture empty_picture large_picture huge_picture cut_picture wide_picture, and no_image, bad_base64
//     of models that answer in JSON
//   Of sentiment and labels: no_label bad_score empty_list, and positive_first of sentiment

const HTTP_STATUS = {
  3003: 400, 3006: 413, 3007: 408, 3008: 408, 3023: 403, 3036: 429, 3039: 400, 3040: 429, 3041: 403,
  3042: 404, 4006: 429, 5004: 400, 5005: 405, 5007: 400, 5016: 403, 5018: 403, 5019: 405, 5035: 403,
  3030: 400, 3046: 408, 5006: 400, 5021: 413, 5024: 400, 5025: 400, 5028: 410,
}; // prettier-ignore

/** Models of Workers AI that answer as `{ choices }`; the others answer `{ response }`. */
const CHAT_SHAPE = /gemma-4|glm-|gpt-oss|kimi-|nemotron-3|deepseek-v4|qwen3\.8/;

const json = (response, status, value, type = "application/json", end = "") => {
  response.writeHead(status, { "content-type": type, "cf-ai-req-id": crypto.randomUUID() });
  response.end(JSON.stringify(value) + end);
};

function fail(behaviour, response) {
  const code = /^(errors:)?(\d{4})$/.exec(behaviour);
  if (code !== null) {
    const number = Number(code[2]);
    const message = `Scripted error ${number}`;
    const body = code[1]
      ? { errors: [{ code: number, message }], success: false, result: {}, messages: [] }
      : { internalCode: number, description: message, name: "InferenceUpstreamError" };
    json(response, HTTP_STATUS[number] ?? 500, body);
    return true;
  }
  if (behaviour === "json_mode") {
    json(response, 400, { errors: [{ code: 5024, message: "JSON Mode couldn't be met" }] });
    return true;
  }
  if (behaviour === "json_mode_text") {
    response.writeHead(400, { "content-type": "text/plain" });
    response.end("Error: JSON Mode couldn't be met");
    return true;
  }
  if (/^\d{3}$/.test(behaviour)) {
    response.writeHead(Number(behaviour), { "content-type": "text/plain" });
    response.end("error code: 1105");
    return true;
  }
  return false;
}

function sentiment(behaviour, text) {
  const score = negativity(behaviour, text);
  const labels = [
    { label: "NEGATIVE", score },
    { label: "POSITIVE", score: 1 - score },
  ];
  switch (behaviour) {
    case "positive_first":
      return labels.toReversed();
    case "no_label":
      return [labels[1]];
    case "bad_score":
      return [{ label: "NEGATIVE", score: 1.5 }, labels[1]];
    case "empty_list":
      return [];
    default:
      return labels.toSorted((a, b) => b.score - a.score);
  }
}

/** Vectors of four numbers; `ragged`, `short` and `text_vector` are not that. */
function embeddings(behaviour, texts) {
  const data = texts.map((text) => [text.length, 0.5, -0.25, 0]);
  if (behaviour === "ragged") data[0] = [1];
  if (behaviour === "short") data.pop();
  if (behaviour === "text_vector") data[0] = ["1", 2, 3, 4];
  return { shape: [data.length, 4], data, pooling: "mean" };
}

function imageLabels(behaviour) {
  if (behaviour === "empty_list") return [];
  if (behaviour === "no_label") return [{ score: 0.9 }];
  if (behaviour === "bad_score") return [{ label: "tabby", score: -1 }];
  if (!behaviour.startsWith("label:")) return [{ label: "TABBY", score: 0.92 }];
  return [...new URLSearchParams(behaviour.slice(6))].map(([label, score]) => ({
    label,
    score: Number(score),
  }));
}

function chat(task, model, behaviour, messages, content) {
  const scores = task === "vision" ? visionScores(behaviour) : judgeScores(behaviour, content);
  const answer = modelAnswer(behaviour, nonceIn(messages), scores);
  const usage = usageOf(behaviour, Buffer.byteLength(JSON.stringify(messages)), answer);
  if (!CHAT_SHAPE.test(model)) return { response: answer, usage };
  const written = typeof answer === "string" || answer === null ? answer : JSON.stringify(answer);
  return {
    id: "chatcmpl-fake",
    object: "chat.completion",
    created: 1,
    model,
    choices: [
      { index: 0, message: { role: "assistant", content: written }, finish_reason: "stop" },
    ],
    usage,
  };
}

/** A model that calls a tool although none is offered says nothing. */
function aboutDocument(behaviour, { model, inputs }, messages, newer) {
  const format = inputs.response_format.json_schema;
  const { properties } = format.schema ?? format;
  const text = behaviour === "tool" ? "" : documentAnswer(behaviour, messages, properties);
  const usage = usageOf(behaviour, Buffer.byteLength(JSON.stringify(messages)), text);
  const toolCalls =
    behaviour === "tool" ? [{ name: "send_money", arguments: '{"to":"Mallory"}' }] : [];
  return chatReply(
    { text, toolCalls, usage, reasoning: null, finish: "stop", has: () => false },
    model,
    newer,
  );
}

/** What was asked: the raw form has the input as its body and its options in the query. */
function parse(url, headers, body) {
  const model = headers["cf-consn-model-id"] ?? "";
  if (headers["content-type"]?.startsWith("multipart/form-data")) {
    const inputs = formFields(body, headers["content-type"]);
    const options = Object.fromEntries(new URL(url).searchParams);
    return { task: "picture", model, content: inputs.prompt ?? "", inputs, options, messages: [] };
  }
  if (headers["content-type"] !== "application/json") {
    const query = Object.fromEntries(new URL(url).searchParams);
    const content = body.toString("latin1");
    const sound = soundTask(model, null, query);
    if (sound !== null) return { ...sound, model, content, options: query, messages: [] };
    const task = rawTaskOf(model);
    return { task, model, content, inputs: null, options: query, messages: [] };
  }
  const { inputs, options } = JSON.parse(body.toString());
  const messages = inputs.messages ?? [];
  const sound = soundTask(model, inputs, {});
  if (sound !== null) return { ...sound, model, inputs, options, messages };
  const small = smallTask(model, inputs);
  if (small !== null) return { ...small, model, inputs, options, messages };
  if (Array.isArray(inputs.text)) {
    return {
      task: "embeddings",
      model,
      content: inputs.text.join("\n"),
      inputs,
      options,
      messages,
    };
  }
  if (inputs.text !== undefined) {
    return { task: "sentiment", model, content: inputs.text, inputs, options, messages };
  }
  if (inputs.prompt !== undefined) {
    return { task: "picture", model, content: inputs.prompt, inputs, options, messages };
  }
  if (inputs.image !== undefined) {
    const content = Buffer.from(inputs.image).toString("latin1");
    return { task: "labels", model, content, inputs: null, options, messages };
  }
  const pictures = messages.some(({ content }) => Array.isArray(content));
  const about = documentTask(inputs);
  const task = about ?? (isChat(inputs) ? "chat" : pictures ? "vision" : "judge");
  return { task, model, content: contentOf(messages), inputs, options, messages };
}

/**
 * AI Gateway, which the binding calls under `/ai-gateway/run` when it is given a gateway: it gives the same
 * answer again to the same request, and says in a header which it was. A gateway called `silent…` gives no
 * header, as one without a cache; one called `broken…` says something else.
 */
const gatewayCache = new Map();

function throughGateway(request, body, response, answer) {
  const gateway = gatewayOf(request, body);
  if (gateway === null) return answer();
  const model = request.headers["mf-header-cf-consn-model-id"];
  const { inputs } = JSON.parse(body.toString());
  const key = JSON.stringify([gateway.id, gateway.cacheKey ?? [model, inputs]]);
  const headers = (status) => ({
    "cf-aig-log-id": crypto.randomUUID(),
    ...(!gateway.id.startsWith("silent") && {
      "cf-aig-cache-status": gateway.id.startsWith("broken") ? "hit?" : status,
    }),
  });
  const kept = gateway.skipCache === true ? undefined : gatewayCache.get(key);
  if (kept !== undefined) {
    response.writeHead(200, { ...kept.headers, ...headers("HIT") });
    return response.end(kept.body);
  }
  const chunks = [];
  const { writeHead, write, end } = response;
  let given = {};
  response.writeHead = (status, more) => {
    given = more ?? {};
    return writeHead.call(response, status, { ...more, ...headers("MISS") });
  };
  response.write = (chunk, ...rest) => {
    chunks.push(Buffer.from(chunk));
    return write.call(response, chunk, ...rest);
  };
  response.end = (chunk, ...rest) => {
    if (chunk !== undefined) chunks.push(Buffer.from(chunk));
    if (response.statusCode === 200 && gateway.skipCache !== true) {
      gatewayCache.set(key, { headers: given, body: Buffer.concat(chunks) });
    }
    // Node's own `end` may call `write`.
    response.write = write;
    return end.call(response, chunk, ...rest);
  };
  return answer();
}

/** The gateway of a request; one in the options and not in the path would be a mistake of the binding. */
function gatewayOf(request, body) {
  const { pathname } = new URL(request.headers["mf-url"]);
  if (pathname !== "/ai-gateway/run") return null;
  return JSON.parse(body.toString()).options.gateway;
}

function answerRun(script, request, body, response) {
  const headers = Object.fromEntries(
    Object.entries(request.headers)
      .filter(([name]) => name.startsWith("mf-header-"))
      .map(([name, value]) => [name.slice("mf-header-".length), value]),
  );
  const { messages, ...asked } = parse(request.headers["mf-url"], headers, body);
  const behaviour = script.behaviour(asked.task, asked.content);
  const chunked = request.headers["transfer-encoding"] === "chunked";
  // As it was written: a number of 64 bits is another one when it is read.
  const digitsOf = (/** @type {string} */ name) =>
    new RegExp(`"${name}":([-\\d]+)`).exec(body.subarray(0, 65_536).toString("latin1"))?.[1] ??
    null;
  const [seed, maximum] = [digitsOf("seed"), digitsOf("maximum")];
  script.record({ ...asked, headers, bytes: body.length, chunked, behaviour, seed, maximum });

  if (breakTransport(behaviour, request, response) || fail(behaviour, response)) return;
  if (asked.task === "picture") {
    answerPicture(behaviour, asked, response);
    return;
  }
  if (asked.task === "transcription" || asked.task === "speech") {
    return answerSound(behaviour, asked, response);
  }
  const newer = CHAT_SHAPE.test(asked.model);
  const says = behaviour.replaceAll("%7Bnonce%7D", () => nonceIn(messages));
  const plan = asked.task === "chat" ? chatPlan(says, body.length, usageOf) : null;
  if (plan !== null && asked.inputs.stream === true) {
    const { model, content } = asked;
    void streamReply(plan, { model, newer, content, response, socket: request.socket });
    return;
  }
  if (documentTask(asked.inputs) !== null) {
    return json(response, 200, aboutDocument(behaviour, asked, messages, newer));
  }
  const result = {
    chat: () => chatReply(plan, asked.model, newer),
    sentiment: () => sentiment(behaviour, asked.content),
    embeddings: () => embeddings(behaviour, asked.inputs.text),
    labels: () => imageLabels(behaviour),
    ...smallResults(behaviour, asked),
    judge: () => chat("judge", asked.model, behaviour, messages, asked.content),
    vision: () => chat("vision", asked.model, behaviour, messages, asked.content),
  }[asked.task]();
  const type = behaviour === "charset" ? "application/json; charset=utf-8" : "application/json";
  json(response, 200, result, type, padding(behaviour));
}

/** FLUX and Lucid Origin answer in JSON; Phoenix with a JPEG, Stable Diffusion with a PNG. */
function answerPicture(behaviour, { model, inputs }, response) {
  const size = { width: Number(inputs.width ?? 1024), height: Number(inputs.height ?? 1024) };
  const png = /stable-diffusion|dreamshaper/.test(model);
  const bytes = pictureOf(behaviour, size, png ? "png" : "jpeg");
  if (/flux|lucid/.test(model)) {
    const image = behaviour === "bad_base64" ? "%%%" : bytes.toString("base64");
    json(response, 200, behaviour === "no_image" ? { picture: image } : { image });
    return;
  }
  response.writeHead(200, { "content-type": png ? "image/png" : "image/jpeg" });
  response.end(bytes);
}

export async function startFakeWorkersAi() {
  const script = new Script();
  const server = createServer(PATIENT, async (request, response) => {
    try {
      const body = await readBody(request);
      if (control(script, request.url, request, body, response)) return;
      if (request.url.startsWith("/openai/")) answerOpenAi(script, request, body, response);
      else if (isConversion(request)) answerConversion(script, request, body, response);
      else {
        throughGateway(request, body, response, () => answerRun(script, request, body, response));
      }
    } catch (error) {
      // A mistake of the fake itself must be seen, and must not look like a scripted failure.
      if (!request.complete) return;
      process.emitWarning(error);
      if (!response.headersSent) response.writeHead(599);
      response.end();
    }
  });
  server.on("connection", (socket) => socket.unref());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return { url: new URL(`http://127.0.0.1:${server.address().port}`) };
}
