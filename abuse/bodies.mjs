// Makes bodies, queries and paths from the schemas of /openapi.json: right ones, and broken ones.
import { gzipSync } from "node:zlib";
import { pngPicture } from "../test/e2e/tiny-picture.mjs";

/**
 * One mark for each part of a request, so that a mark in a reply shows where it came from. None is a word
 * of a language or of a list.
 */
export const MARK = {
  /** Text to moderate. It must be in no reply at all. */
  text: "qzvtextqzv",
  /** Every other string of a body. It must be in no error. */
  value: "qzvvalueqzv",
  /** A model's name. A reply may repeat it if it looks like one. */
  model: "qzvmodelqzv",
  /** A field's name. An error may name the field that is wrong. */
  name: "qzvnameqzv",
  query: "qzvqueryqzv",
  header: "qzvheaderqzv",
  /** A part of the path. A problem's `instance` is the path of the request. */
  path: "qzvpathqzv",
};

/** A placeholder in a body for text that is not valid JSON. */
const RAW = (/** @type {number} */ at) => `@@raw${at}@@`;
const RAW_TEXTS = [
  "1e400",
  "-1e400",
  "123456789012345678901234567890",
  "0.1e-400",
  "-0",
  "1E5",
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  "NaN",
  "0x10",
  "undefined",
  "'a'",
];

const FITTING = [
  "default",
  "a1",
  "en",
  "de-DE",
  "2026-11-20T10:00:00.000Z",
  "2026-11-20",
  "1",
  "25",
  "0.011",
  // Cursors of lists: ids that nothing has.
  ...["vrd", "jnl", "evt", "dlv", "key", "grt", "bat", "run", "ses", "sug"].map(
    (prefix) => `${prefix}_01M7WM9VDG3WVTE8T1RYS3AM18`,
  ),
];

/** @typedef {import("../faults/random.mjs").Random} Random */

function freeString(/** @type {Random} */ random, schema, name) {
  if (name === "base64") return pngPicture(MARK.text);
  if (name === "url") return `https://${MARK.value}.invalid/${random.word(4)}.png`;
  if (schema.pattern !== undefined) {
    const pattern = new RegExp(schema.pattern, "u");
    const some = FITTING.filter((text) => pattern.test(text));
    if (some.length > 0) return random.pick(some);
  }
  const mark = name === "text" || name === "input" ? MARK.text : MARK.value;
  const text = `${name === "model" ? MARK.model : mark} ${random.word(random.integer(1, 12))}`;
  const most = schema.maxLength ?? 1000;
  return text.slice(0, most);
}

/** A value that fits a schema, as far as the schema says. */
export function fitting(/** @type {Random} */ random, schema, name = "") {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  if (schema.allOf !== undefined) return fitting(random, Object.assign({}, ...schema.allOf), name);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fitting(random, random.pick(choices), name);
  switch (Array.isArray(schema.type) ? random.pick(schema.type) : schema.type) {
    case "string":
      return freeString(random, schema, name);
    case "integer":
    case "number": {
      const least = schema.minimum ?? 0;
      return Math.min(least + random.integer(0, 1000), schema.maximum ?? Infinity);
    }
    case "boolean":
      return random.chance(0.5);
    case "null":
      return null;
    case "array": {
      const length = random.integer(schema.minItems ?? 0, Math.min(schema.maxItems ?? 4, 4));
      return Array.from({ length }, () => fitting(random, schema.items ?? {}, name));
    }
    case "object":
      return fittingObject(random, schema);
    default:
      return MARK.value;
  }
}

function fittingObject(random, { properties = {}, required = [], additionalProperties }) {
  const entries = Object.entries(properties)
    .filter(([name]) => required.includes(name) || random.chance(0.35))
    .map(([name, schema]) => [name, fitting(random, schema, name)]);
  if (typeof additionalProperties === "object" && random.chance(0.7)) {
    entries.push([`${MARK.name}${random.word(2)}`, fitting(random, additionalProperties)]);
  }
  return Object.fromEntries(entries);
}

/** A value that fits almost no schema. */
const odd = (/** @type {Random} */ random) =>
  random.weighted([
    [4, () => RAW(random.integer(0, RAW_TEXTS.length - 1))],
    [2, () => null],
    [2, () => random.pick([true, 0, -1, 1.5, 2 ** 53, 1e308, -1e308, 5e-324])],
    [2, () => MARK.value],
    [2, () => ""],
    [1, () => MARK.value.repeat(random.integer(10, 12_000))],
    [1, () => `${MARK.value}\u0000\u202e\ufeff\u{1f4a9}`],
    [1, () => "\ufdfa".repeat(random.integer(1, 5000))],
    [2, () => []],
    [2, () => ({})],
    [1, () => Array.from({ length: random.integer(1, 3000) }, () => MARK.value)],
    [1, () => nested(random.integer(2, 60), random.chance(0.5))],
    [2, () => ({ [random.pick(HOSTILE_NAMES)]: MARK.value })],
    [1, () => ({ toString: MARK.value, valueOf: 1, length: -1 })],
    [1, () => "https://127.0.0.1:1/a.png"],
    [1, () => `data:image/png;base64,${MARK.value}`],
  ])();

const HOSTILE_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "toJSON",
  "then",
  "",
  "a.b",
  "a/b~c",
  "\u0000",
  "\ud800",
];

/** Arrays or objects nested `deep` levels. */
function nested(depth, objects) {
  let value = MARK.value;
  for (let level = 0; level < depth; level += 1) {
    value = objects ? { [MARK.name]: value } : [value];
  }
  return value;
}

/** Every place of a value: its parent and its key. */
function placesIn(value, into = [], left = { count: 400 }) {
  if (typeof value !== "object" || value === null) return into;
  for (const key of Object.keys(value)) {
    if ((left.count -= 1) < 0) return into;
    into.push({ parent: value, key });
    placesIn(value[key], into, left);
  }
  return into;
}

/** `splice` would call the list's own `constructor`, which a field of a broken body may have replaced. */
function removeAt(/** @type {unknown[]} */ list, /** @type {number} */ at) {
  list.copyWithin(at, at + 1);
  list.length = Math.max(0, list.length - 1);
}

/** Breaks a body in one or several places. */
export function broken(/** @type {Random} */ random, body) {
  if (random.chance(0.08)) return odd(random);
  const root = { body: structuredClone(body) };
  for (let count = random.integer(1, 3); count > 0; count -= 1) {
    const places = placesIn(root);
    if (places.length === 0) break;
    const { parent, key } = random.pick(places);
    random.weighted([
      [6, () => (parent[key] = marked(key, odd(random)))],
      [2, () => (Array.isArray(parent) ? removeAt(parent, Number(key)) : delete parent[key])],
      [1, () => Array.isArray(parent) && parent.push(odd(random))],
      [2, () => addField(parent, random)],
    ])();
  }
  return root.body ?? null;
}

/** A value in the place of a model's name may be repeated as one. */
const marked = (key, value) =>
  key === "model" && typeof value === "string" ? value.replaceAll(MARK.value, MARK.model) : value;

function addField(parent, random) {
  const name = random.chance(0.5) ? random.pick(HOSTILE_NAMES) : `${MARK.name}${random.word(3)}`;
  // This makes an own field, even if its name is `__proto__`.
  const value = odd(random);
  Object.defineProperty(parent, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

export const written = (/** @type {unknown} */ value) =>
  (JSON.stringify(value) ?? "").replace(/"@@raw(\d+)@@"/g, (_, at) => RAW_TEXTS[Number(at)]);

/** Deep and complete JSON: code that walks it by recursion overflows its stack. */
const closed = (open, inside, close, depth) => open.repeat(depth) + inside + close.repeat(depth);

const JSON_TYPE = { "content-type": "application/json" };

const whole = (body, headers = JSON_TYPE) => ({ body: Buffer.from(body), headers });

/**
 * Bytes and headers of a body that is broken as JSON, as bytes, or in its headers.
 *
 * @returns {{ body: Buffer, headers: Record<string, string> }}
 */
export function spoiled(/** @type {Random} */ random, /** @type {string} */ text) {
  const bytes = Buffer.from(text);
  return random.weighted([
    [3, () => whole(bytes.subarray(0, random.integer(0, bytes.length)))],
    [2, () => whole(flipped(random, bytes))],
    [1, () => whole(Buffer.concat([bytes, Buffer.from([0xff, 0xfe, 0xc0, 0x80])]))],
    [1, () => whole(text.replace('"', '"\u0000'))],
    [1, () => whole(Buffer.from(text, "utf16le"))],
    [1, () => whole(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]))],
    [1, () => whole(gzipSync(bytes), { ...JSON_TYPE, "content-encoding": "gzip" })],
    [1, () => whole(bytes, { ...JSON_TYPE, "content-encoding": MARK.header })],
    [2, () => whole(bytes, { "content-type": random.pick(TYPES) })],
    [1, () => whole(bytes, {})],
    [1, () => whole("", JSON_TYPE)],
    [1, () => whole(`${text}${text}`)],
    [1, () => whole(`${text}//${MARK.value}`)],
    [2, () => whole(text.replace("{", `{"${MARK.name}":"${MARK.value}","${MARK.name}":1,`))],
    [1, () => whole(text.replace("{", `{"__proto__":{"${MARK.value}":1},`))],
    [1, () => whole(text.replace("{", `{"\\u005f_proto__":"${MARK.value}",`))],
    [1, () => whole("[".repeat(random.integer(1, 200_000)))],
    [1, () => whole(`{"${MARK.name}":`.repeat(random.integer(1, 20_000)))],
    [1, () => whole(closed("[", "1", "]", random.integer(30, 200_000)))],
    [1, () => whole(closed('{"a":', '"__proto__"', "}", random.integer(30, 50_000)))],
    [1, () => whole(`[${`"${MARK.value}",`.repeat(random.integer(1, 20_000))}0]`)],
    [0.1, () => whole(`{"text":"${MARK.text.repeat(random.integer(100_000, 1_200_000))}"}`)],
    [0.1, () => whole(`[${"[],".repeat(random.integer(100_000, 3_000_000))}0]`)],
  ])();
}

/** Broken bytes of a body: cut, changed, longer than declared, or with another content type. */
export const spoiledBytes = (/** @type {Random} */ random, { body, headers }) =>
  random.weighted([
    [3, () => whole(body.subarray(0, random.integer(0, body.length)), headers)],
    [3, () => whole(flipped(random, body), headers)],
    [1, () => whole(Buffer.concat([body, Buffer.from(MARK.value)]), headers)],
    [1, () => whole(Buffer.concat([body, body]), headers)],
    [2, () => whole(body, { "content-type": random.pick(TYPES) })],
    [0.2, () => whole(Buffer.alloc(random.integer(1, 12_000_000), body), headers)],
  ])();

const TYPES = [
  "text/plain",
  "application/xml",
  "multipart/form-data; boundary=x",
  "application/json; charset=utf-16",
  `application/${MARK.header}`,
  "application/json,application/json",
  ";",
];

function flipped(random, bytes) {
  const copy = Buffer.from(bytes);
  for (let count = random.integer(1, 8); count > 0 && copy.length > 0; count -= 1) {
    copy[random.integer(0, copy.length - 1)] = random.integer(0, 255);
  }
  return copy;
}

/** A query with an operation's parameters: some wrong, some twice, some unknown. */
export function drawQuery(/** @type {Random} */ random, parameters) {
  const pairs = parameters
    .filter((parameter) => parameter.in === "query" && random.chance(0.4))
    .map(({ name, schema }) => [
      name,
      random.chance(0.6)
        ? String(fitting(random, schema, name)).replaceAll(MARK.value, MARK.query)
        : random.pick(ODD_TEXTS),
    ])
    // A reply may say which model there is not, wherever it was named.
    .map(([name, value]) => [
      name,
      name === "model" ? value.replaceAll(MARK.query, MARK.model) : value,
    ]);
  if (random.chance(0.1)) pairs.push([MARK.name, MARK.query]);
  if (random.chance(0.05) && pairs.length > 0) pairs.push(pairs[0]);
  const query = pairs.map(([name, value]) => `${name}=${escapeSome(random, value)}`).join("&");
  return query === "" ? "" : `?${query}`;
}

const ODD_TEXTS = [
  "",
  "0",
  "-1",
  "201",
  "99999999999999999999",
  "1e3",
  "NaN",
  "null",
  MARK.query,
  MARK.query.repeat(60),
  "2026-13-45",
  "+010000-01-01T00:00:00.000Z",
  "2026-11-20T10:00:00Z' OR 1=1 --",
  "\u0000",
  "~",
  "zzzzzzzzzzzz",
  "../../etc",
  "__proto__",
];

const escapeSome = (random, text) =>
  random.chance(0.03)
    ? random.pick(["%", "%zz", "%ff%fe", "%00", "%ed%a0%80", "+", "%25"])
    : encodeURIComponent(text);

function knownOf(known, name, collection) {
  const found = known[name] ?? known.ids[collection];
  if (found === undefined) throw new Error(`nothing is known for {${name}} of ${collection}`);
  return found;
}

/** The path with its parameters: some exist, some do not, some are impossible. */
export function drawPath(/** @type {Random} */ random, /** @type {string} */ path, known) {
  // Requests must not end or change the tenant that they are made with.
  if (path !== "/admin/tenants/{tenant}" && random.chance(0.5)) {
    path = path.replace(/\{(tenant|account)\}/, known.ownTenant);
  }
  return path.replace(/(?<=(\w+)\/)\{(\w+)\}/g, (_, collection, name) =>
    random.weighted([
      [6, () => random.pick(knownOf(known, name, collection))],
      [2, () => `${MARK.path}-${random.word(3)}`],
      [1, () => encodeURIComponent(random.pick(ODD_TEXTS).replaceAll(MARK.query, MARK.path))],
      [1, () => escapeSome(random, `vrd_${random.word(26).toUpperCase()}`)],
    ])(),
  );
}

/** Headers that a caller may add, right and wrong. */
export const drawHeaders = (/** @type {Random} */ random) =>
  random.weighted([
    [10, () => ({})],
    [1, () => ({ "idempotency-key": `"${MARK.header}-${random.word(2)}"` })],
    [
      1,
      () => ({
        "idempotency-key": random.pick(["", '"', '""', "a b", "\u00ff", MARK.header.repeat(40)]),
      }),
    ],
    [1, () => ({ "if-match": random.pick(['"1"', "*", MARK.header, '"99999999999999999999"']) })],
    [1, () => ({ accept: random.pick(["application/x-ndjson", MARK.header, "\u00e9"]) })],
    [1, () => ({ origin: `https://${MARK.header}.invalid` })],
    [1, () => ({ [`x-${MARK.header}`]: MARK.header.repeat(random.integer(1, 300)) })],
    [1, () => ({ "x-request-id": MARK.header, "cf-connecting-ip": MARK.header })],
    [1, () => ({ cookie: MARK.header, "transfer-encoding": "chunked" })],
  ])();
