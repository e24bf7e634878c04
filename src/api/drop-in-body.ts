// What clients of the drop-in surfaces send in other ways than their documents say. Most write an
// option that was not given as null, some as nothing; histories come back as other providers write
// them. It is put right before a schema sees it: what means the same is taken, and nothing is guessed.

type Fields = Readonly<Record<string, unknown>>;

/** Fields in which null is a value: JSON Schemas, and the arguments of a tool. */
const HOLDS_NULL: ReadonlySet<string> = new Set([
  "arguments",
  "const",
  "default",
  "enum",
  "example",
  "examples",
]);

/** Names of people: nobody is named by nothing. */
const PERSONS: ReadonlySet<string> = new Set(["user", "safety_identifier"]);

/** Null means absent on every field, however deep it lies; an empty name of a person too. */
export function mended(value: unknown): unknown {
  const given = withoutNulls(value);
  return isFields(given) ? without(given, (name, is) => is === "" && PERSONS.has(name)) : given;
}

/** Calls itself once a level: a body nests 32 deep at most. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, is]) => {
      if (HOLDS_NULL.has(name)) return [[name, is]];
      return is === null ? [] : [[name, withoutNulls(is)]];
    }),
  );
}

/** An empty field of a form is one that was not filled in. */
export const mendedForm = (value: unknown): unknown =>
  isFields(value) ? without(value, (_, is) => is === "") : value;

/** A chat, with its history as the field's gateways take it. */
export function mendedChat(value: unknown): unknown {
  const body = mendedFormat(mended(value));
  if (!isFields(body)) return body;
  const { messages, tools } = body;
  // `auto` is what is done without tools anyway.
  const saysNothing = body["tool_choice"] === "auto" && !isFilled(tools);
  return {
    ...(saysNothing ? without(body, (name) => name === "tool_choice") : body),
    ...(Array.isArray(messages) && { messages: messages.map(mendedMessage) }),
  };
}

/**
 * A schema for the answer, as it is spelt elsewhere: vLLM's and Cloudflare's `guided_json`, a `schema`
 * beside `json_object`, and Cloudflare's bare schema in `json_schema`. All become OpenAI's form.
 */
export function mendedFormat(body: unknown): unknown {
  if (!isFields(body)) return body;
  const { guided_json: guided, ...rest } = body;
  const format = rest["response_format"];
  if (guided !== undefined && format === undefined) {
    return { ...rest, response_format: schemaFormat(read(guided)) };
  }
  if (!isFields(format)) return body;
  const { type, schema, json_schema: given } = format;
  if (type === "json_object" && isFields(schema))
    return { ...body, response_format: schemaFormat(schema) };
  if (type === "json_schema" && isFields(given) && !("schema" in given) && isSchema(given)) {
    return { ...body, response_format: schemaFormat(given) };
  }
  const isUnnamed = type === "json_schema" && isFields(given) && !("name" in given);
  return isUnnamed
    ? { ...body, response_format: { ...format, json_schema: { name: ANSWER, ...given } } }
    : body;
}

const ANSWER = "answer";

const schemaFormat = (schema: unknown): Fields => ({
  type: "json_schema",
  json_schema: { name: ANSWER, schema },
});

/** vLLM takes it as a text, too. */
function read(schema: unknown): unknown {
  if (typeof schema !== "string") return schema;
  try {
    return JSON.parse(schema);
  } catch {
    return schema;
  }
}

/** Keywords that a schema of an answer has, and the wrapping of one has not. */
const isSchema = (given: Fields): boolean =>
  ["type", "properties", "$ref", "anyOf", "oneOf", "allOf", "enum"].some((name) => name in given);

function mendedMessage(sent: unknown): unknown {
  if (!isFields(sent)) return sent;
  const message = sent["role"] === "function" ? ofTool(sent) : sent;
  const { content, tool_calls } = message;
  const calls = Array.isArray(tool_calls) ? { tool_calls: tool_calls.map(mendedCall) } : {};
  if (!Array.isArray(content)) return { ...message, ...calls };
  const parts = content.filter((part) => !isThought(part)).map(mendedPart);
  // An assistant that only calls tools says nothing.
  const isSilent = parts.length === 0 && isFilled(tool_calls);
  const rest = without(message, (name) => name === "content");
  return { ...rest, ...(isSilent ? {} : { content: parts }), ...calls };
}

/** As answers came before calls had ids: by the name of what was called. */
const ofTool = ({ name, ...message }: Fields): Fields => ({
  ...message,
  role: "tool",
  tool_call_id: name,
});

function mendedCall(call: unknown): unknown {
  if (!isFields(call)) return call;
  const { function: called } = call;
  return {
    type: "function",
    ...call,
    ...(isFields(called) && { function: { ...called, ...mendedArguments(called) } }),
  };
}

/** As an object, or as nothing where there are none. */
function mendedArguments({ arguments: given }: Fields): { readonly arguments?: string } {
  if (given === "" || given === null || given === undefined) return { arguments: "{}" };
  return isFields(given) ? { arguments: JSON.stringify(given) } : {};
}

function mendedPart(part: unknown): unknown {
  if (typeof part === "string") return { type: "text", text: part };
  if (!isFields(part)) return part;
  const { image_url: url } = part;
  return typeof url === "string" ? { ...part, image_url: { url } } : part;
}

/** The reasoning of one answer is not sent with the next request. */
const isThought = (part: unknown): boolean => isFields(part) && THOUGHTS.has(part["type"]);

const THOUGHTS: ReadonlySet<unknown> = new Set(["thinking", "redacted_thinking", "reasoning"]);

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);

const isFilled = (list: unknown): boolean => Array.isArray(list) && list.length > 0;

const without = (fields: Fields, leaveOut: (name: string, value: unknown) => boolean): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => !leaveOut(name, value)));
