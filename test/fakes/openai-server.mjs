import { createServer } from "node:http";
import { PATIENT } from "./patient.mjs";
import { chatPlan, chatReply, isChat, streamReply } from "./chat.mjs";
import { pictureOf } from "./made-pictures.mjs";
import {
  Script,
  breakTransport,
  contentOf,
  control,
  judgeScores,
  modelAnswer,
  nonceIn,
  padding,
  readBody,
  usageOf,
  visionScores,
} from "./script.mjs";
import { answerOpenAiSound } from "./sound.mjs";

// A local stand-in for an OpenAI-compatible server (Ollama, llama.cpp, vLLM): POST
// `{base}/chat/completions`, streamed or not (chat.mjs), and `{base}/embeddings`. In vitest it is `${env.FAKE_AI_URL}openai/v1`, part
// of the fake of Workers AI; elsewhere `startFakeOpenAi()` starts one of its own.
//
// Scripted as workers-ai-server.mjs says, with the behaviours of judge and vision. Differences:
//   400 401 403 404 429 500 503   that status with OpenAI's error body
//   in_body:400                   status 200, with that code in an error in its body; it may be a name
//   named:403:content_filter      that status with that name as its error's code
//   plain:400                     that status with a plain text
//   no_choices bad_choices        an answer without, or with broken, `choices`
//   length                        finish_reason "length": the answer was cut

const json = (response, status, value, end = "") => {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(value) + end);
};

function broken(behaviour, request, response) {
  if (breakTransport(behaviour, request, response)) return true;
  const [, form, code, name] = /^(in_body|plain|named):(\w+)(?::(\w+))?$/.exec(behaviour) ?? [];
  if (form === "plain") {
    response.writeHead(Number(code), { "content-type": "text/plain" });
    response.end("The prompt is too long");
    return true;
  }
  if (form === "in_body") {
    const number = Number(code);
    json(response, 200, {
      error: { message: "Scripted in the body", code: Number.isNaN(number) ? code : number },
    });
    return true;
  }
  if (form === "named") {
    json(response, Number(code), { error: { message: "Scripted", code: name } });
    return true;
  }
  if (!/^\d{3}$/.test(behaviour)) return false;
  const error = { message: "Scripted", type: "server_error", param: null, code: null };
  json(response, Number(behaviour), { error });
  return true;
}

export function answerOpenAi(script, request, body, response) {
  const fails = (behaviour) => broken(behaviour, request, response);
  if (answerOpenAiSound(request, body, { script, response, fails })) return;
  if (request.method === "POST" && request.url.endsWith("/v1/embeddings")) {
    answerEmbeddings(script, request, body, response);
    return;
  }
  if (request.method === "POST" && request.url.endsWith("/v1/images/generations")) {
    answerImages(script, request, body, response);
    return;
  }
  if (request.method !== "POST" || !request.url.endsWith("/v1/chat/completions")) {
    json(response, 404, { error: { message: "Not found", type: "invalid_request_error" } });
    return;
  }
  const inputs = JSON.parse(body.toString());
  const { messages, model } = inputs;
  const pictures = messages.some(({ content }) => Array.isArray(content));
  const task = isChat(inputs) ? "chat" : pictures ? "vision" : "judge";
  const content = contentOf(messages);
  const behaviour = script.behaviour(task, content);
  const { headers } = request;
  script.record({
    task,
    model,
    content,
    inputs,
    options: {},
    headers,
    bytes: body.length,
    behaviour,
  });

  if (broken(behaviour, request, response)) return;
  if (task === "chat") {
    const plan = chatPlan(behaviour, body.length, usageOf);
    if (inputs.stream !== true) return json(response, 200, chatReply(plan, model, true));
    const { socket } = request;
    return void streamReply(plan, { model, newer: true, content, response, socket });
  }
  const scores = task === "vision" ? visionScores(behaviour) : judgeScores(behaviour, content);
  const answer = modelAnswer(behaviour, nonceIn(messages), scores);
  const written = typeof answer === "string" || answer === null ? answer : JSON.stringify(answer);
  const message = { role: "assistant", content: written };
  const finish_reason = behaviour === "length" ? "length" : "stop";
  const choices = { no_choices: [], bad_choices: "none" }[behaviour] ?? [
    { index: 0, message, finish_reason },
  ];
  const usage = usageOf(behaviour, body.length, answer);
  json(
    response,
    200,
    { id: "chatcmpl-fake", object: "chat.completion", model, choices, usage },
    padding(behaviour),
  );
}

/** `url_only`: an address in place of the bytes. */
function answerImages(script, request, body, response) {
  const inputs = JSON.parse(body.toString());
  const { prompt: content, model } = inputs;
  const behaviour = script.behaviour("picture", content);
  const { headers } = request;
  script.record({ task: "picture", model, content, inputs, options: {}, headers, behaviour });
  if (breakTransport(behaviour, request, response)) return;
  if (/^\d{3}$/.test(behaviour)) {
    json(response, Number(behaviour), { error: { message: "Scripted", type: "server_error" } });
    return;
  }
  const [width, height] = inputs.size.split("x").map(Number);
  const b64_json = pictureOf(behaviour, { width, height }, "png").toString("base64");
  const datum = behaviour === "url_only" ? { url: "http://127.0.0.1/picture.png" } : { b64_json };
  json(response, 200, { created: 1, data: [datum] });
}

/** In reverse order, as the wire allows. */
function answerEmbeddings(script, request, body, response) {
  const inputs = JSON.parse(body.toString());
  const content = [inputs.input].flat().join("\n");
  const behaviour = script.behaviour("embeddings", content);
  const { headers } = request;
  script.record({
    task: "embeddings",
    model: inputs.model,
    content,
    inputs,
    options: {},
    headers,
    behaviour,
  });
  if (breakTransport(behaviour, request, response)) return;
  if (/^\d{3}$/.test(behaviour)) {
    json(response, Number(behaviour), { error: { message: "Scripted", type: "server_error" } });
    return;
  }
  const data = [inputs.input].flat().map((text, index) => ({
    object: "embedding",
    index,
    embedding: [text.length, 0.5, -0.25, 0],
  }));
  const usage = behaviour === "no_usage" ? undefined : { prompt_tokens: 7, total_tokens: 7 };
  json(response, 200, { object: "list", data: data.toReversed(), model: inputs.model, usage });
}

/** `url` is the base URL, with `/v1` and no slash at its end, as `OPENAI_BASE_URL` is written. */
export async function startFakeOpenAi() {
  const script = new Script();
  const server = createServer(PATIENT, async (request, response) => {
    try {
      const body = await readBody(request);
      if (control(script, request.url, request, body, response)) return;
      answerOpenAi(script, request, body, response);
    } catch (error) {
      if (!request.complete) return;
      process.emitWarning(error);
      if (!response.headersSent) response.writeHead(599);
      response.end();
    }
  });
  server.on("connection", (socket) => socket.unref());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return { url: new URL(`http://127.0.0.1:${server.address().port}/v1`) };
}
