// Hostile bodies by kind. Each is a function of a size in bytes and returns at most that many. Tests and
// the abuse run send them at the largest size of a route. Nothing here is random, and nothing needs
// Node, since the tests run inside workerd.

const UTF8 = new TextEncoder();

/** Texts as Latin-1, lists of numbers as bytes. */
const raw = (piece) =>
  typeof piece === "string"
    ? Uint8Array.from(piece, (letter) => letter.charCodeAt(0))
    : Uint8Array.from(piece);

/** A head, as many copies of a unit as fit, and a tail. */
export function filled(size, head, unit, tail = "") {
  const [first, one, last] = [head, unit, tail].map(raw);
  const count = Math.max(0, Math.floor((size - first.length - last.length) / one.length));
  const body = new Uint8Array(first.length + count * one.length + last.length);
  body.set(first);
  const end = first.length + count * one.length;
  if (count > 0) body.set(one, first.length);
  // Double the filled part until the space is full.
  for (let done = one.length; first.length + done < end; done *= 2) {
    body.copyWithin(first.length + done, first.length, Math.min(first.length + done, end - done));
  }
  body.set(last, end);
  return body;
}

/** Like `filled`, but `patch` writes each unit's number into it. */
function numbered(size, head, unit, patch) {
  const body = filled(size, head, unit);
  const view = new DataView(body.buffer);
  const [first, width] = [raw(head).length, raw(unit).length];
  for (let at = 0; first + (at + 1) * width <= body.length; at += 1) {
    patch(view, first + at * width, at);
  }
  return body;
}

const big = (value, width) =>
  Array.from({ length: width }, (_, at) => Math.floor(value / 256 ** (width - 1 - at)) % 256);
const little = (value, width) => big(value, width).toReversed();

const SEGMENT = [0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80, 0x67, 0xff];
const TRACKS = (size) => [0x16, 0x54, 0xae, 0x6b, 0x01, ...big(size, 7)];
const FTYP = [...big(16, 4), ...raw("ftypM4A "), 0, 0, 0, 0];
const mp4 = (size, content) => filled(size, [...FTYP, ...content[0]], content[1]);
const box = (type, size) => [...big(size, 4), ...raw(type)];

/** A WebM: one half is tracks, the other half blocks of the last track. */
function webmBlocks(size) {
  const half = Math.floor(size / 2 / 5) * 5;
  const head = [...SEGMENT, ...TRACKS(half)];
  const tracks = numbered(half, [], [0xae, 0x85, 0xd7, 0x83, 0, 0, 0], (view, at, track) =>
    view.setUint32(at + 3, (0x83 << 24) | (track & 0xffffff)),
  );
  const cluster = filled(
    size - head.length - tracks.length,
    [0x1f, 0x43, 0xb6, 0x75, 0xff],
    [0xa3, 0x88, 0x10, 0xff, 0xff, 0xfe, 0, 0, 0, 0],
  );
  const body = new Uint8Array(head.length + tracks.length + cluster.length);
  body.set(head);
  body.set(tracks, head.length);
  body.set(cluster, head.length + tracks.length);
  // The real size of the tracks, so that the cluster follows them.
  body.set(big(tracks.length, 7), SEGMENT.length + 5);
  return body;
}

const oggPage = (serial, segments, content) => [
  ...raw("OggS"), 0, 2, ...little(0, 8), ...little(serial, 4), ...little(0, 8), segments.length,
  ...segments, ...content,
]; // prettier-ignore

/** Empty recordings with as many elements, tracks, streams, boxes and frames as possible. */
export const SOUNDS = {
  "webm: a track in two bytes": (size) =>
    filled(size, [...SEGMENT, ...TRACKS(size - SEGMENT.length - 12)], [0xae, 0x80]),
  "webm: clusters in each other": (size) => filled(size, SEGMENT, [0x1f, 0x43, 0xb6, 0x75, 0xff]),
  "webm: segments in each other": (size) => filled(size, SEGMENT, [0x18, 0x53, 0x80, 0x67, 0xff]),
  "webm: an element in two bytes": (size) => filled(size, SEGMENT, [0xec, 0x80]),
  "webm: blocks of the last of many tracks": webmBlocks,
  "webm: tracks of long names": (size) =>
    filled(size, [...SEGMENT, ...TRACKS(size - SEGMENT.length - 12)], [0xae, 0xa2, 0x86, 0xa0, ...raw("A".repeat(32))]),
  "mp4: tracks without anything": (size) => mp4(size, [box("moov", size - 16), box("trak", 8)]),
  "mp4: boxes in each other": (size) =>
    numbered(size, FTYP, box("moov", 8), (view, at) => view.setUint32(at, view.byteLength - at)),
  "mp4: empty boxes": (size) => mp4(size, [[], box("free", 8)]),
  "mp4: a long edit list": (size) => {
    const entries = Math.floor((size - 64) / 20);
    const list = 16 + entries * 20;
    return mp4(16 + 8 + 8 + 8 + list, [
      [...box("moov", 24 + list), ...box("trak", 16 + list), ...box("edts", 8 + list), ...box("elst", list), 1, 0, 0, 0, ...big(entries, 4)],
      [...big(1000, 8), ...big(0, 8), 0, 1, 0, 0],
    ]);
  },
  "mp4: a long table of times": (size) => {
    const entries = Math.floor((size - 64) / 8);
    const list = 16 + entries * 8;
    return mp4(16 + 8 + 8 + list, [
      [...box("moov", 16 + list), ...box("trak", 8 + list), ...box("stts", list), ...big(0, 4), ...big(entries, 4)],
      [...big(1, 4), ...big(1024, 4)],
    ]);
  },
  "ogg: a stream a page": (size) =>
    numbered(size, [], oggPage(0, [8], raw("OpusHead")), (view, at, page) =>
      view.setUint32(at + 14, page, true)),
  "ogg: pages in each other": (size) =>
    filled(size, oggPage(1, [8], raw("OpusHead")), [...raw("OggS"), ...Array.from({ length: 24 }, (_, at) => (at === 22 ? 255 : at === 10 ? 1 : 0))]),
  "ogg: pages of empty packets": (size) =>
    filled(size, oggPage(1, [8], raw("OpusHead")), oggPage(1, Array.from({ length: 255 }, () => 0), []).map((byte, at) => (at === 5 ? 0 : byte))),
  "ogg: letters O": (size) => filled(size, oggPage(1, [8], raw("OpusHead")), "O"),
  "ogg: beginnings of pages": (size) => filled(size, oggPage(1, [8], raw("OpusHead")), "Ogg"),
  "mp3: sync bytes": (size) => filled(size, [0xff, 0xfb, 0x90, 0], [0xff]),
  "mp3: frames in each other": (size) => filled(size, [], [0xff, 0xfb, 0x90, 0]),
  "mp3: frames of free rate": (size) => filled(size, [], [0xff, 0xfb, 0, 0]),
  "mp3: frames of many lengths": (size) =>
    numbered(size, [0xff, 0xfb, 0x90, 0], [0xff, 0, 0, 0], (view, at, frame) => {
      view.setUint8(at + 1, [0xfb, 0xf3, 0xe3, 0xfd, 0xff][frame % 5]);
      view.setUint8(at + 2, (((frame % 14) + 1) << 4) | ((frame % 3) << 2));
    }),
  "aac: frames in each other": (size) =>
    numbered(size, [], [0xff, 0xf1, 0, 0x40, 0, 0, 0xfc], (view, at, frame) => {
      const length = 7 + ((frame * 7919) % 8184);
      view.setUint8(at + 2, (frame % 13) << 2);
      view.setUint8(at + 3, 0x40 | (length >> 11));
      view.setUint16(at + 4, (((length >> 3) & 255) << 8) | ((length & 7) << 5) | 31);
      view.setUint8(at + 6, 0xfc | (frame % 4));
    }),
  "aac: the shortest frames": (size) => filled(size, [], [0xff, 0xf1, 0x60, 0x40, 0x00, 0xff, 0xfc]),
  "mp3: a tag of nothing but sync": (size) => filled(size, [...raw("ID3"), 4, 0, 0, 0, 0, 0, 10], [0xff, 0xe0]),
  "flac: sync bytes": (size) => filled(size, [...raw("fLaC"), 0x80, 0, 0, 34, ...Array(34).fill(1)], [0xff]),
  "flac: beginnings of frames": (size) =>
    filled(size, [...raw("fLaC"), 0x80, 0, 0, 34, ...Array(34).fill(1)], [0xff, 0xf8, 0x7e, 0x18, 0xfe, 0xbf]),
  "wav: empty chunks": (size) =>
    filled(size, [...raw("RIFF"), 0, 0, 0, 0, ...raw("WAVE")], [...raw("junk"), 0, 0, 0, 0]),
  "wav: chunks of one byte": (size) =>
    filled(size, [...raw("RIFF"), 0, 0, 0, 0, ...raw("WAVE")], [...raw("LIST"), 1, 0, 0, 0, 0, 0]),
}; // prettier-ignore

const PNG = [137, 80, 78, 71, 13, 10, 26, 10];
const ihdr = (width, height, depth = 8, colour = 2) => [
  ...big(13, 4), ...raw("IHDR"), ...big(width, 4), ...big(height, 4), depth, colour, 0, 0, 0,
  0, 0, 0, 0,
]; // prettier-ignore

/** A JPEG's frame header of three components, each with a table of its own. */
const frame = (marker, width, height) => [
  0xff, marker, 0, 17, 8, ...big(height, 2), ...big(width, 2), 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0,
]; // prettier-ignore
const SCAN = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0];

/** Pictures that take long to scan, or that declare a large size. */
export const PICTURES = {
  "jpeg: fill bytes": (size) => filled(size, [0xff, 0xd8, 0xff, 0xe0, 0, 2], [0xff]),
  "jpeg: empty segments": (size) => filled(size, [0xff, 0xd8], [0xff, 0xe1, 0, 2]),
  "jpeg: comments, and no frame": (size) => filled(size, [0xff, 0xd8], [0xff, 0xfe, 0, 4, 0xff, 0xda]),
  "jpeg: scans without end": (size) => filled(size, [0xff, 0xd8, ...frame(0xc2, 4000, 4000)], SCAN),
  "jpeg: the largest frame": (size) => filled(size, [0xff, 0xd8, ...frame(0xc2, 65_535, 65_535)], SCAN),
  "png: empty chunks": (size) => filled(size, [...PNG, ...ihdr(4000, 4000)], [0, 0, 0, 0, ...raw("tEXt"), 0, 0, 0, 0]),
  "png: the largest header": (size) => filled(size, [...PNG, ...ihdr(0x7fffffff, 0x7fffffff)], [0]),
  "png: one line": (size) => filled(size, [...PNG, ...ihdr(16_000_000, 1)], [0, 0, 0, 0, ...raw("IDAT"), 0, 0, 0, 0]),
  "webp: empty chunks": (size) =>
    filled(size, [...raw("RIFF"), ...little(size - 8, 4), ...raw("WEBPVP8X"), 10, 0, 0, 0, 0x3f, 0, 0, 0, 0x9f, 0x0f, 0, 0x9f, 0x0f, 0], [...raw("EXIF"), 0, 0, 0, 0]),
  "webp: frames of nothing": (size) =>
    filled(size, [...raw("RIFF"), ...little(size - 8, 4), ...raw("WEBPVP8X"), 10, 0, 0, 0, 2, 0, 0, 0, 0x9f, 0x0f, 0, 0x9f, 0x0f, 0], [...raw("ANMF"), 16, 0, 0, 0, ...Array(16).fill(0)]),
}; // prettier-ignore

/** Texts that are slow to search, fold, split, match or normalise. */
export const TEXTS = {
  "one letter": (size) => "a".repeat(size),
  "one digit": (size) => "1".repeat(size),
  spaces: (size) => `a${" ".repeat(Math.max(0, size - 2))}a`,
  "spaces before commas": (size) => "   \t,".repeat(Math.floor(size / 5)),
  "line ends": (size) => "\n".repeat(size),
  "carriage returns": (size) => "\r".repeat(size),
  "single letters apart": (size) => "a ".repeat(Math.floor(size / 2)),
  "single letters, pointed": (size) => "i.d.i.o.t.".repeat(Math.floor(size / 10)),
  "marks of two kinds": (size) => "\u0315\u0300".repeat(Math.floor(size / 4)),
  "a letter that is eighteen": (size) => "\ufdfa".repeat(Math.floor(size / 3)),
  "half of a pair": (size) => "\ud800".repeat(Math.floor(size / 3)),
  emoji: (size) => "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}".repeat(Math.floor(size / 16)),
  "unseen characters": (size) => "\u200b".repeat(Math.floor(size / 3)),
  "orders without an end": (size) => "ignore a b c d ".repeat(Math.floor(size / 15)),
  "roles without an end": (size) => "as the moderator ".repeat(Math.floor(size / 17)),
  "verdicts without an end": (size) => "answer with as this it ".repeat(Math.floor(size / 23)),
  "foreign orders without an end": (size) => "ignoriere ".repeat(Math.floor(size / 10)),
  "threats without an end": (size) => "i will a b c ".repeat(Math.floor(size / 13)),
  insults: (size) => "you idiot ".repeat(Math.floor(size / 10)),
  curses: (size) => "fuck you ".repeat(Math.floor(size / 9)),
  stars: (size) => "f*".repeat(Math.floor(size / 2)),
  "letters that look like others": (size) => "\u0430\u0435\u043e ".repeat(Math.floor(size / 7)),
  "quotes without a partner": (size) => '"'.repeat(size),
  backticks: (size) => Array.from({ length: Math.floor(Math.sqrt(2 * size)) - 2 }, (_, at) => "`".repeat(at + 1)).join(" ").slice(0, size),
  backslashes: (size) => "\\".repeat(size),
  fences: (size) => "```\n".repeat(Math.floor(size / 4)),
  questions: (size) => "Is it a? ".repeat(Math.floor(size / 9)),
  "full stops": (size) => "a.".repeat(Math.floor(size / 2)),
  "another sentence each": (size) => {
    let text = "";
    for (let at = 0; text.length < size - 12; at += 1) text += `w${at.toString(36)} is. `;
    return text;
  },
  "base64 without an end": (size) => `${"A".repeat(59)} `.repeat(Math.floor(size / 60)),
  selects: (size) => "SELECT ".repeat(Math.floor(size / 7)),
  "tags of roles": (size) => "<|a".repeat(Math.floor(size / 3)),
  "angle brackets": (size) => "<text ".repeat(Math.floor(size / 6)),
  "Chinese characters": (size) => "\u4e2d".repeat(Math.floor(size / 3)),
}; // prettier-ignore

/** A JSON body from its pieces: `make(size)` is put between them as it is. */
const around = (head, tail, make) => (size) =>
  UTF8.encode(`${head}${make(Math.max(0, size - head.length - tail.length))}${tail}`);

const times = (unit) => (size) => unit.repeat(Math.floor(size / unit.length));

/** JSON that takes long to walk: deep, or with many small values. */
export const JSONS = {
  "arrays in each other": (size) => filled(size, "", "["),
  "objects in each other": (size) => filled(size, "", '{"a":'),
  "empty arrays": around("[0", "]", times(",[]")),
  "empty objects": around("[0", "]", times(",{}")),
  numbers: around("[0", "]", times(",0")),
  names: (size) => {
    let text = '{"a":0';
    for (let at = 0; text.length < size - 20; at += 1) text += `,"${at.toString(36)}":0`;
    return UTF8.encode(`${text}}`);
  },
  "the same name": around('{"a":0', "}", times(',"a":{}')),
  "a string of backslashes": around('{"text":"', '"}', times("\\\\")),
  "escaped quotes": around('{"text":"', '"}', times('\\"')),
  "quotes and nothing else": (size) => filled(size, "{", '"'),
  "escaped letters": around('{"text":"', '"}', times("\\u0041")),
  "an open string": (size) => filled(size, '{"text":"', "a"),
  "spaces": (size) => filled(size, "{", " ", "}"),
  "a long number": (size) => filled(size, '{"a":', "1", "}"),
  "prototypes": around('{"a":[0', "]}", times(',{"\\u005f_proto__":0}')),
  "no UTF-8": (size) => filled(size, '{"text":"', [0xc0], '"}'),
}; // prettier-ignore

/** Pages of HTML: tags without end, elements in each other, attributes, comments, references. */
export const PAGES = {
  "scripts that open": (size) => filled(size, "", "<script>"),
  "styles that open": (size) => filled(size, "", "<style>"),
  "fields that open": (size) => filled(size, "", "<textarea>"),
  "comments that open": (size) => filled(size, "", "<!--"),
  "dashes in a comment": (size) => filled(size, "<!--", "--"),
  "comments in a script": (size) => filled(size, "<script>", "<!--<script>"),
  "sections of data": (size) => filled(size, "<math>", "<![CDATA["),
  "drawings in each other": (size) => filled(size, "", "<svg>"),
  "formulas in each other": (size) => filled(size, "", "<math>"),
  "boxes in each other": (size) => filled(size, "", "<div>"),
  "letters in each other": (size) => filled(size, "", "<b> "),
  "paragraphs without end": (size) => filled(size, "", "<p hidden>x"),
  "boxes after letters in a paragraph": (size) => filled(size, `<p>${"<b>".repeat(100)}`, "<div></div>"),
  "items without end": (size) => filled(size, "", "<li>x"),
  "lists in each other": (size) => filled(size, "", "<ul><li>"),
  "tables in each other": (size) => filled(size, "", "<table><tr><td>"),
  "cells without end": (size) => filled(size, "<table>", "<tr><td hidden>"),
  "ends of what never began": (size) => filled(size, `<b><div>${"<i>".repeat(500)}`, "</b>"),
  "hidden elements without end": (size) => filled(size, "", "<i hidden>x"),
  "attributes": (size) => filled(size, "<p", " a", ">"),
  "attributes without end": (size) => filled(size, "", '<a href="'),
  "equals signs": (size) => filled(size, "<p ", "= ", ">"),
  "a long style": (size) => filled(size, '<i style="', "display: ", '">x</i>'),
  "a long name": (size) => filled(size, "<", "a", ">"),
  "spaces in a tag": (size) => filled(size, "<p", " ", ">"),
  "beginnings of tags": (size) => filled(size, "", "<"),
  "beginnings of end tags": (size) => filled(size, "", "</"),
  "references": (size) => filled(size, "", "&amp"),
  "beginnings of references": (size) => filled(size, "", "&#x"),
  "titles": (size) => filled(size, "", "<title>a</title>"),
  "line breaks": (size) => filled(size, "", "<br>x"),
}; // prettier-ignore

/** Bodies for the Workers AI route, where bytes are arrays of numbers. */
export const RUN_BODIES = {
  "arrays that do not close": (size) => filled(size, '{"audio":[}', '"audio":[}'),
  "arrays that open": (size) => filled(size, '{"audio":[', '1,"audio":['),
  "arrays that are none at their end": (size) => filled(size, '{"audio":[', "1,", 'x],"image":[1]}'),
  "the same array again": (size) => filled(size, '{"audio":[1]', ',"audio":[1]', "}"),
  "arrays of a number too large": (size) => filled(size, '{"audio":[1]', ',"image":[256]', "}"),
  "one long array": (size) => filled(size, '{"audio":[1', ",7", "]}"),
  "a long array of spaces": (size) => filled(size, '{"audio":[1', " ", "]}"),
  "a long number": (size) => filled(size, '{"audio":[', "0", "]}"),
  "names without values": (size) => filled(size, "{", '"image"'),
  "names and spaces": (size) => filled(size, '{"image"', " ", ":[1]}"),
  "base64 in a string": (size) => filled(size - (size % 4), '{"audio":"', "AAAA", '"}'),
  "base64 of escaped slashes": (size) => filled(size, '{"audio":"', "\\/", '"}'),
  "base64 of line ends": (size) => filled(size, '{"audio":"', "\\n", '"}'),
  "base64 with many escapes": (size) => filled(size, '{"audio":"', `${"A".repeat(31)}\\n`, '"}'),
  "base64 of spaces": (size) => filled(size, '{"audio":"', " ", '"}'),
}; // prettier-ignore

const CHAT_MODEL = "@cf/meta/llama-3.1-8b-instruct-fp8";

const chat = (messages, more = "") => [
  `{"model":"${CHAT_MODEL}","max_tokens":9${more},"messages":[${messages[0]}`,
  `${messages[1]}]}`,
];

const toolCalls = (make) => {
  const [head, tail] = chat([
    '{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"',
    '"}}]},{"role":"tool","tool_call_id":"a","content":"x"}',
  ]);
  return around(head, tail, make);
};

const nest =
  (open, close, escaped = "") =>
  (size) => {
    const depth = Math.floor(size / (open.length + close.length));
    return `${open.repeat(depth)}${escaped}${close.repeat(depth)}`;
  };

const promptOf = (make) =>
  around(...chat(['{"role":"user","content":"', '"}']), (size) => {
    // Escape once, then cut to the size, never in the middle of an escape.
    const text = JSON.stringify(make(size)).slice(1, -1).slice(0, size);
    return text.replace(/\\u?[0-9a-f]{0,3}$/, "");
  });

/** Chats: arguments of tools that are JSON again, schemas, many messages and parts. */
export const CHATS = {
  "arguments: arrays in each other": toolCalls(nest("[", "]")),
  "arguments: objects in each other": toolCalls(nest('{\\"a\\":', "}", "0")),
  "arguments: deep, then wide": toolCalls((size) => {
    const depth = Math.floor(size / 4);
    return `${"[".repeat(depth)}0${",0".repeat(Math.max(0, Math.floor((size - 2 * depth) / 2) - 1))}${"]".repeat(depth)}`;
  }),
  "arguments: empty arrays": toolCalls((size) => `[0${times(",[]")(size - 3)}]`),
  "arguments: open arrays": toolCalls(times("[")),
  "arguments: a long string": toolCalls((size) => `\\"${"é".repeat(Math.floor((size - 4) / 2))}\\"`),
  "arguments: names": toolCalls((size) => `{\\"a\\":0${times(',\\"b\\":0')(size - 10)}}`),
  "a schema of many names": (size) => schemaOf(size, times(',"b":{"type":"string"}')),
  "a schema of options": (size) => schemaOf(size, (left) => `,"b":{"enum":["x"${times(',"x"')(left - 30)}]}`),
  "a schema of required names": (size) => schemaOf(size, (left) => `},"required":["b"${times(',"b"')(left - 40)}],"more":{`),
  "a tool of many parameters": (size) => {
    const [head, tail] = chat(['{"role":"user","content":"hi"}', ""]);
    const tools = ',"tools":[{"type":"function","function":{"name":"f","parameters":{"a":0';
    return around(`${head}${tail.slice(0, -1)}${tools}`, "}}}]}", times(',"b":[[]]'))(size);
  },
  "many messages": around(...chat(['{"role":"user","content":"hi"}', ""]), (size) =>
    times(',{"role":"user","content":"a"}')(Math.min(size, 4095 * 31))),
  "many parts": around(...chat(['{"role":"user","content":"hi"}', ""]), (size) =>
    times(`,{"role":"user","content":[${Array(256).fill('{"type":"text","text":"a"}').join(",")}]}`)(size)),
  "stop sequences": around(...chat(['{"role":"user","content":"', '"}'], `,"stop":["${"a".repeat(255)}b","${"a".repeat(254)}c"]`), times("a")),
  ...Object.fromEntries(
  Object.entries(TEXTS).map(([name, make]) => [`said: ${name}`, promptOf(make)]),
  ),
}; // prettier-ignore

function schemaOf(size, make) {
  const head = `{"model":"${CHAT_MODEL}","max_tokens":9,"messages":[{"role":"user","content":"One is. Two is. Three is?"}],"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","properties":{"a":{"type":"string"}`;
  return around(head, "}}}}}", make)(size);
}

/** The boundary of the forms below. */
export const BOUNDARY = "qzvboundaryqzv";

const part = (name, more = "") =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;

/** A form around a file, as the transcription route takes it. */
export function formOf(file, model = "@cf/openai/whisper") {
  const head = raw(`${part("model")}${model}\r\n${part("file", '; filename="a"')}`);
  const tail = raw(`\r\n--${BOUNDARY}--\r\n`);
  const body = new Uint8Array(head.length + file.length + tail.length);
  body.set(head);
  body.set(file, head.length);
  body.set(tail, head.length + file.length);
  return body;
}

const FILE = part("file", '; filename="a"');
const END = `\r\n--${BOUNDARY}--\r\n`;

/** Forms: near-boundaries, parts without end, headers without end. */
export const FORMS = {
  "nearly boundaries": (size) => filled(size, FILE, `\r\n--${BOUNDARY.slice(0, -1)}\r`, END),
  "line ends": (size) => filled(size, FILE, "\r\n", END),
  "carriage returns": (size) => filled(size, FILE, "\r", END),
  "parts without end": (size) => filled(size, "", `${part("a")}\r\n`),
  "a header without end": (size) => filled(size, `--${BOUNDARY}\r\nContent-Disposition: form-data; `, "a"),
  "names in a header": (size) => filled(size, `--${BOUNDARY}\r\nContent-Disposition: form-data`, '; name="\\"'),
  "a boundary and spaces": (size) => filled(size, `--${BOUNDARY}`, " ", "\r\n"),
  "a text that is too long": (size) => filled(size, part("model"), "a", END),
  "no end": (size) => filled(size, FILE, "a"),
}; // prettier-ignore
