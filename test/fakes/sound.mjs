// Speech in and out, as both fakes answer it.
//
// What is heard is always the same: "Good morning. How are you?", in two segments of half a second.
// What is said is MP3: a frame of 26.122 ms for each byte of the text. Behaviours beside those of
// workers-ai-server.mjs (a marker may stand in the text, or among the samples of a recording):
//   no_text bad_words         a transcript without, or with a broken, part
//   silent                    an empty one
//   plain                     one without times
//   measured:12.5             whisper-large-v3-turbo: so many seconds were heard
//   base64 not_base64         melotts: the sound as JSON, as its page says; or something that is not
//   not_sound no_sound        bytes that are no sound; none
//   compressed                a WAV whose length only a decoder knows
//   endless                   more sound than half a second a byte

const FRAME = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x00]), Buffer.alloc(413)]);

const WORDS = [
  ["Good", 0, 0.2],
  ["morning.", 0.2, 0.5],
  ["How", 0.5, 0.6],
  ["are", 0.6, 0.8],
  ["you?", 0.8, 1],
].map(([word, start, end]) => ({ word, start, end }));

const TEXT = "Good morning. How are you?";

const SEGMENTS = [WORDS.slice(0, 2), WORDS.slice(2)].map((words) => ({
  start: words[0].start,
  end: words.at(-1).end,
  text: words.map(({ word }) => word).join(" "),
  temperature: 0,
  avg_logprob: -0.25,
  compression_ratio: 1.1,
  no_speech_prob: 0.01,
  words,
}));

/** What a request of the `AI` binding asks, where it is about sound; else null. */
export function soundTask(model, inputs, query) {
  if (/whisper|nova-3/.test(model) && inputs === null) {
    return { task: "transcription", inputs: JSON.parse(query.userInputs ?? "{}") };
  }
  if (/melotts|aura/.test(model)) return { task: "speech", content: inputs.prompt ?? inputs.text };
  return null;
}

/** In the shape of the model that was asked. */
function transcript(behaviour, model) {
  if (behaviour === "no_text") return { word_count: 0 };
  const words = behaviour === "bad_words" ? [{ word: 1 }] : WORDS;
  const text = behaviour === "silent" ? "" : TEXT;
  if (behaviour === "plain") return { text };
  if (/nova/.test(model)) {
    const alternative = { transcript: text, confidence: 0.99, words };
    return { results: { channels: [{ alternatives: [alternative], detected_language: "en" }] } };
  }
  if (!/turbo/.test(model)) return { text, word_count: words.length, words, vtt: "WEBVTT\n" };
  const [, seconds] = /^measured:(.*)$/.exec(behaviour) ?? [];
  const duration = seconds === undefined ? {} : { duration: Number(seconds) };
  const segments = SEGMENTS.map((segment) =>
    behaviour === "bad_words" ? { ...segment, start: "now" } : segment,
  );
  return { text, transcription_info: { language: "en", ...duration }, segments };
}

function sound(behaviour, text) {
  if (behaviour === "not_sound") return Buffer.from("this is no sound");
  if (behaviour === "no_sound") return Buffer.alloc(0);
  if (behaviour === "compressed") {
    const header = Buffer.from("RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x55\0", "latin1");
    return Buffer.concat([header, Buffer.alloc(100)]);
  }
  const bytes = Buffer.byteLength(text);
  const frames = behaviour === "endless" ? Math.ceil((bytes * 500) / 26) + 1000 : bytes;
  return Buffer.concat(Array.from({ length: frames }, () => FRAME));
}

/** Answers what `soundTask` recognised. */
export function answerSound(behaviour, { task, model, content }, response) {
  const json = (value) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
  if (task === "transcription") return json(transcript(behaviour, model));
  if (behaviour === "base64") return json({ audio: sound("ok", content).toString("base64") });
  if (behaviour === "not_base64") return json({ audio: "?" });
  response.writeHead(200, { "content-type": "audio/mpeg" });
  response.end(sound(behaviour, content));
}

/** OpenAI's wire: false where a request is about something else. */
export function answerOpenAiSound(request, body, { script, response, fails }) {
  const isSpeech = request.url.endsWith("/v1/audio/speech");
  const isHeard = /\/v1\/audio\/(?:transcriptions|translations)$/.test(request.url);
  if (!isSpeech && !isHeard) return false;
  const answer = async () => {
    const inputs = isSpeech ? JSON.parse(body.toString()) : await fieldsOf(request, body);
    const content = isSpeech ? inputs.input : inputs.file.content;
    const task = isSpeech ? "speech" : "transcription";
    const behaviour = script.behaviour(task, content);
    const { headers } = request;
    const { url: path } = request;
    const { model } = inputs;
    script.record({ task, model, content, inputs, path, options: {}, headers, behaviour });
    if (fails(behaviour)) return;
    if (!isSpeech) {
      const { text, words, segments } = {
        ...transcript(behaviour, "turbo"),
        ...(behaviour !== "plain" && { words: WORDS }),
      };
      const verbose = inputs.response_format === "verbose_json" && behaviour !== "plain";
      const times = verbose ? { language: "english", duration: 1, segments, words } : {};
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ text, ...times, usage: { type: "duration", seconds: 1 } }));
      return;
    }
    answerSound(behaviour, { task, model: inputs.model, content }, response);
  };
  answer().catch((error) => {
    process.emitWarning(error);
    response.writeHead(599).end();
  });
  return true;
}

/** A form as it arrived, read by Node. */
async function fieldsOf(request, body) {
  const type = request.headers["content-type"];
  const form = await new Response(body, { headers: { "content-type": type } }).formData();
  const fields = {};
  for (const [name, value] of form) {
    if (typeof value === "string") {
      fields[name] = name.endsWith("[]") ? [...(fields[name] ?? []), value] : value;
    } else {
      const content = Buffer.from(await value.arrayBuffer()).toString("latin1");
      fields[name] = { name: value.name, type: value.type, content };
    }
  }
  return fields;
}
