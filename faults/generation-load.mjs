// Draws chats (streamed and not) and embeddings among the calls, with the failures of their engines.

const CHAT = "@cf/meta/llama-3.1-8b-instruct-fp8";
const EMBEDDINGS = "@cf/baai/bge-base-en-v1.5";

/** The fake engine's behaviours for a chat: test/fakes/chat.mjs. */
const FAULTS = [
  [50, "words=20"],
  [6, "3040,words=9"],
  [4, "3040"],
  [3, "500"],
  [3, "drop"],
  [2, "hang"],
  [3, "no_usage"],
  [2, "bad_text"],
  [2, "not_json"],
];

/** Behaviours that only a stream has. */
const STREAM_FAULTS = [
  [30, "words=40"],
  [8, "words=4000"],
  [6, "cut=0"],
  [8, "words=40&cut=7"],
  [5, "words=40&close=9"],
  [5, "words=40&stall=4"],
  [3, "endless"],
  [4, "words=30&no_usage=1"],
  [3, "words=30&late_usage=1"],
  [3, "words=30&error=5"],
  [3, "words=30&garbage=5"],
  [3, "words=30&no_done=1"],
];

/** @returns {[path: string, body: unknown]} */
export function drawGeneration(
  /** @type {import("./random.mjs").Random} */ random,
  { name, marker },
) {
  const promptOf = (faults) =>
    `Say something. ${marker} [[fake:${random.weighted(faults)}|${name}.${random.word(6)}]]`;
  const chat = (stream) => ({
    model: CHAT,
    user: name,
    max_tokens: random.integer(20, 200),
    messages: [{ role: "user", content: promptOf(stream ? STREAM_FAULTS : FAULTS) }],
    ...(stream && { stream, stream_options: { include_usage: true } }),
  });
  return random.weighted([
    [3, () => ["/v1/chat/completions", chat(false)]],
    [4, () => ["/v1/chat/completions", chat(true)]],
    [
      1,
      () => [
        "/v1/embeddings",
        { model: EMBEDDINGS, user: name, input: [`${marker} ${random.word(9)}`, marker] },
      ],
    ],
  ])();
}

/** The failures that a generation may have after its admission. */
export const ENGINE_FAILURES = new Set(["engine_failed", "engine_busy", "engine_timeout"]);

/**
 * The cost of a chat or an embedding in µN that the reply states. A stream states it at its end; null
 * if the stream was cut before. The call may not be settled yet at that time.
 */
export function chargeOf(body, headers) {
  if (typeof body !== "string") {
    return { charged: Number(headers.get("x-neurogate-micro-neurons")), streamed: false };
  }
  const stated = /"micro_neurons":(\d+)/.exec(body.slice(body.lastIndexOf('"usage"')))?.[1];
  return { charged: stated === undefined ? null : Number(stated), streamed: true };
}
