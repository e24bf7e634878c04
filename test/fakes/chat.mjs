// How both fakes chat: the model that answers what callers ask, beside the judge's and the vision
// model's own prompts. Behaviours are written like a query: [[fake:words=20&cut=5|unique]].
//
//   words=20            so many words, "w0 w1 …"; 5 without it
//   text=Hello          this text; `{nonce}` in it, URL-encoded, is the nonce of the prompt
//   usage=12/5/4/3      tokens: prompt, completion, of the prompt cached, of the completion thought; else by size
//   no_usage huge_usage zero_usage negative_usage …   as usageOf says
//   tool=get_weather    calls that tool, with arguments from `args` or {"city":"Paris"}; calls=2: twice
//   ids=a               whose ids are call_a0, call_a1 …; else call_0, call_1 … in each answer
//   reasoning=1         thinks first
//   finish=length       says so
//   logprobs=2          with the probabilities of its words, and of two in the place of each
//   null_text           with no text at all
//   no_choices bad_choices two_choices bad_calls bad_text   answers of no use
// Of a stream only:
//   cut=3               the connection is lost after 3 pieces; at 0 before any of it
//   close=3             the connection is closed in good order after 3 pieces
//   stall=3             silence after 3 pieces
//   endless             never ends; as fast as it is read
//   pace=10             10 ms after each piece
//   size=1000           each piece so many characters
//   no_done             ends without [DONE]
//   usages=3            usage with every third piece too, counted up to there
//   late_usage          usage twice at the end: first of half of the answer, then of all
//   error=3             an error event after 3 pieces
//   garbage=3           an event that is no JSON after 3 pieces
//   huge_event=3        an event of 3 MB after 3 pieces
//   split=1             sent byte by byte
//   crlf=1 cr=1         with CRLF, or with CR alone, at the ends of lines
//   bom=1               with a byte order mark before all of it, and its text at once
//   tight=1             without the blank after `data:`
//   fields=1            with a comment, an id and a name before each event
//   nothing             [DONE] alone
//   only_usage          a chunk with no choices but with the usage, and [DONE]
//   only_role           newer form: a piece with a role and nothing else, and [DONE]
//   empty_first         a chunk with no choices before all others, as Azure's filter sends one
//   nulls=1             newer form: null in each field of a piece that has nothing, and `usage: null`
//   no_ids              newer form: tool calls without id and type
//   GET {url}/__streams?match=…  [{ content, pieces, bytes, closed }]: how far each was written

import { setTimeout as sleep } from "node:timers/promises";

/** A chat is what is neither the judge nor the vision model: their schemas want the nonce back. */
export function isChat(inputs) {
  if (!Array.isArray(inputs?.messages)) return false;
  const format = JSON.stringify(inputs.response_format ?? "");
  // A question about passages has a nonce too.
  return !format.includes('"nonce"') || format.includes('"statements"');
}

export function chatPlan(behaviour, bytes, usageOf) {
  const plan = new URLSearchParams(behaviour);
  const has = (name) => plan.has(name);
  const number = (name, otherwise) => (plan.has(name) ? Number(plan.get(name)) : otherwise);
  const size = number("size", 0);
  const words = Array.from({ length: number("words", 5) }, (_, at) => `w${at}`);
  const text = plan.get("text") ?? words.map((word) => word.padEnd(size, "x")).join(" ");
  const args = plan.get("args") ?? '{"city":"Paris"}';
  const toolCalls = has("tool")
    ? Array.from({ length: number("calls", 1) }, () => ({
        name: plan.get("tool"),
        arguments: args,
      }))
    : [];
  const [prompt, completion, cached, reasoned] = (plan.get("usage") ?? "").split("/").map(Number);
  const spoiled = behaviour.split("&").find((part) => /^[a-z_]+_usage$/.test(part)) ?? "ok";
  const usage = has("usage")
    ? {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt + completion,
        ...(cached !== undefined && { prompt_tokens_details: { cached_tokens: cached } }),
        ...(reasoned !== undefined && {
          completion_tokens_details: { reasoning_tokens: reasoned },
        }),
      }
    : usageOf(spoiled, bytes, text);
  const reasoning = has("reasoning") ? "Let me think." : null;
  const finish = plan.get("finish") ?? (toolCalls.length > 0 ? "tool_calls" : "stop");
  const idOf = (/** @type {number} */ at) => `call_${plan.get("ids") ?? ""}${at}`;
  return { text, toolCalls, idOf, usage, reasoning, finish, has, number };
}

/** The n-th word has the logarithm -n / 10, and each other one in its place 1 less. */
const logprobsOf = (pieces, top, from = 0) => ({
  content: pieces.map((token, at) => {
    const logprob = -(from + at + 1) / 10;
    const bytes = [...Buffer.from(token)];
    const top_logprobs = Array.from({ length: top }, (_, other) =>
      other === 0
        ? { token, logprob, bytes }
        : { token: `other${other}`, logprob: logprob - other },
    );
    return { token, logprob, bytes, top_logprobs };
  }),
});

/** @param newer whether the model answers as OpenAI's do, or with `response` */
export function chatReply(
  { text, toolCalls, idOf, usage, reasoning, finish, has, number },
  model,
  newer,
) {
  if (!newer) {
    return {
      response: has("bad_text") ? 7 : has("null_text") ? null : toolCalls.length > 0 ? "" : text,
      ...(toolCalls.length > 0 && {
        tool_calls: has("bad_calls")
          ? "none"
          : toolCalls.map((call) => ({ ...call, arguments: JSON.parse(call.arguments) })),
      }),
      usage,
    };
  }
  const message = {
    role: "assistant",
    content: has("bad_text") ? 7 : has("null_text") || toolCalls.length > 0 ? null : text,
    ...(reasoning !== null && { reasoning_content: reasoning }),
    ...(toolCalls.length > 0 && {
      tool_calls: has("bad_calls")
        ? [{ id: "call_1" }]
        : toolCalls.map((call, at) => ({ id: idOf(at), type: "function", function: call })),
    }),
  };
  const logprobs = has("logprobs") ? logprobsOf(piecesOf(text), number("logprobs")) : null;
  const choice = { index: 0, message, logprobs, finish_reason: finish };
  const choices = has("no_choices")
    ? []
    : has("bad_choices")
      ? "none"
      : has("two_choices")
        ? [choice, choice]
        : [choice];
  return { id: "chatcmpl-fake", object: "chat.completion", created: 1, model, choices, usage };
}

const KEPT_STREAMS = 1000;
export const streams = [];

/** The pieces of a text as a model would send them: words with the blank before them. */
const piecesOf = (text) => text.match(/\s*\S+/g) ?? [];

const chunk = (model, delta, finish = null, { logprobs, ...extra } = {}) => ({
  id: "chatcmpl-fake",
  object: "chat.completion.chunk",
  created: 1,
  model,
  choices: [{ index: 0, delta, finish_reason: finish, ...(logprobs && { logprobs }) }],
  ...extra,
});

/** The fields of a piece, with nothing in them. */
const NOTHING = {
  role: null,
  content: null,
  refusal: null,
  function_call: null,
  tool_calls: null,
  reasoning_content: null,
};

/** What is sent before the end: in the newer form with a finish reason, in the older without. */
function* eventsOf(plan, model, newer) {
  const { text, toolCalls, reasoning, finish, has, number } = plan;
  const every = number("usages", 0);
  let sent = 0;
  if (has("nothing")) return;
  if (has("only_usage")) {
    yield newer ? { ...chunk(model, {}), choices: [], usage: plan.usage } : { usage: plan.usage };
    return;
  }
  if (has("only_role")) {
    yield chunk(model, { role: "assistant" });
    return;
  }
  if (has("empty_first")) {
    yield { ...chunk(model, {}), choices: [], prompt_filter_results: [{ prompt_index: 0 }] };
  }
  if (newer && !has("bom")) yield chunk(model, { role: "assistant", content: "" });
  if (newer && reasoning !== null) yield chunk(model, { reasoning_content: reasoning });
  if (toolCalls.length > 0) yield* callEvents(plan, model, newer);
  if (newer && has("null_text")) yield chunk(model, { content: null });
  const pieces = toolCalls.length > 0 || has("null_text") ? [] : piecesOf(text);
  const count = has("endless") ? Infinity : pieces.length;
  for (let at = 0; at < count; at += 1) {
    sent += 1;
    const piece = pieces[at % pieces.length];
    const usage =
      every > 0 && sent % every === 0
        ? { usage: { prompt_tokens: 1, completion_tokens: sent, total_tokens: 1 + sent } }
        : {};
    if (newer && has("nulls")) {
      yield chunk(model, { ...NOTHING, content: piece }, null, { usage: null });
      yield chunk(model, NOTHING, null, { usage: null });
      continue;
    }
    const [logprobs] = has("logprobs") ? [logprobsOf([piece], number("logprobs"), at)] : [];
    yield newer
      ? chunk(model, { content: piece }, null, { ...usage, logprobs })
      : { response: piece, ...usage };
  }
  if (newer) yield chunk(model, {}, finish);
  if (plan.usage === undefined) return;
  const half = { ...plan.usage, completion_tokens: Math.floor(plan.usage.completion_tokens / 2) };
  const usages = has("late_usage") ? [half, plan.usage] : [plan.usage];
  for (const usage of usages) {
    yield newer ? { ...chunk(model, {}), choices: [], usage } : { response: "", usage };
  }
}

function* callEvents({ toolCalls, idOf, has }, model, newer) {
  if (!newer) {
    const tool_calls = toolCalls.map((call) => ({
      ...call,
      arguments: JSON.parse(call.arguments),
    }));
    yield { response: "", tool_calls };
    return;
  }
  for (const [index, call] of toolCalls.entries()) {
    const ids = has("no_ids") ? {} : { id: idOf(index), type: "function" };
    const first = { index, ...ids };
    yield chunk(model, {
      tool_calls: [{ ...first, function: { name: call.name, arguments: "" } }],
    });
    for (const piece of call.arguments.match(/.{1,5}/gsu) ?? []) {
      yield chunk(model, { tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
}

/** Until it may be written on, or is closed. */
const roomIn = (response) =>
  new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });

export async function streamReply(plan, { model, newer, content, response, socket }) {
  const { has, number } = plan;
  const stream = { content, pieces: 0, bytes: 0, closed: false };
  streams.push(stream);
  if (streams.length > KEPT_STREAMS) streams.shift();
  response.on("close", () => (stream.closed = true));
  response.on("error", () => {});
  const end = has("crlf") ? "\r\n" : has("cr") ? "\r" : "\n";
  const before = has("fields") ? `: ping${end}id: 7${end}event: message${end}` : "";
  const name = has("tight") ? "data:" : "data: ";
  const cut = number("cut", Infinity);
  const stall = number("stall", Infinity);
  if (cut === 0) return socket.destroy();
  response.writeHead(200, { "content-type": "text/event-stream" });
  if (has("bom")) response.write("\uFEFF");
  const send = async (text) => {
    const bytes = Buffer.from(`${before}${name}${text}${end}${end}`);
    const parts = has("split") ? Array.from(bytes, (byte) => Buffer.from([byte])) : [bytes];
    for (const part of parts) {
      if (stream.closed) return;
      stream.bytes += part.length;
      const room = response.write(part);
      // oxlint-disable-next-line no-await-in-loop -- as fast as it is read, and no faster
      if (!room) await roomIn(response);
      // oxlint-disable-next-line no-await-in-loop -- a packet of its own
      if (has("split")) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  for (const event of eventsOf(plan, model, newer)) {
    if (stream.closed) return;
    if (stream.pieces === cut) {
      // What was written is on its way before the connection goes.
      response.write("", () => setImmediate(() => socket.destroy()));
      return;
    }
    if (stream.pieces === stall) return;
    if (stream.pieces === number("close", -1)) return void response.end();
    // oxlint-disable no-await-in-loop -- one after the other
    if (stream.pieces === number("error", -1)) await send('{"error":{"message":"Scripted"}}');
    if (stream.pieces === number("garbage", -1)) await send("{not json");
    if (stream.pieces === number("huge_event", -1)) await send(`"${"x".repeat(3_000_000)}"`);
    await send(JSON.stringify(event));
    if (has("pace")) await sleep(number("pace", 0));
    // oxlint-enable no-await-in-loop
    stream.pieces += 1;
  }
  if (stream.pieces === cut) return socket.destroy();
  if (!has("no_done")) await send("[DONE]");
  response.end();
}
