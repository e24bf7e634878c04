import type { FieldError } from "../domain/ledger/failure.ts";
import { type Fields, isEmptyList, isFields } from "./object-input.ts";

// What clients of the drop-in surfaces send in other ways than their documents say. Most write an
// option that was not given as null, some as nothing; histories come back as other providers write
// them. It is put right before a schema sees it: what means the same is taken, and nothing is guessed.

/** Texts that are the input itself: an empty one is a wrong one, and not absent. */
const INPUTS: ReadonlySet<string> = new Set(["input", "prompt", "text"]);

/** What a tool is given and gives, as an object: null is a value within them. */
const OF_TOOLS: ReadonlySet<string> = new Set(["arguments", "content", "output"]);

/** Fields that hold a JSON Schema. */
const SCHEMAS: ReadonlySet<string> = new Set([
  "format",
  "guided_json",
  "json",
  "json_schema",
  "parameters",
  "schema",
]);

/** Keywords of a schema that hold a value. */
const VALUES: ReadonlySet<string> = new Set(["const", "default", "example"]);

/** Keywords of a schema that hold a list of values. */
const LISTS_OF_VALUES: ReadonlySet<string> = new Set(["enum", "examples"]);

/** Keywords of a schema that hold schemas by names, which the caller chooses. */
const BY_NAME: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);

/** What the names of an object are. */
type Names = "fields" | "keywords" | "chosen";

/**
 * Null means absent on every field, however deep it lies. So does an empty text at the top: clients in
 * languages without null send it for an option that was not given, and within `stop`.
 */
export function mended(value: unknown): unknown {
  const given = withoutNulls(value, "fields");
  if (!isFields(given)) return given;
  const options = without(given, (name, is) => is === "" && !INPUTS.has(name));
  const { stop } = options;
  return Array.isArray(stop)
    ? { ...options, stop: stop.filter((text) => text !== "" && text !== null) }
    : options;
}

/** Calls itself once a level: a body nests 32 deep at most. */
function withoutNulls(value: unknown, names: Names): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, names));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, is]) => {
      if (isKept(name, is, names)) return [[name, is]];
      return is === null ? [] : [[name, withoutNulls(is, namesWithin(name, names))]];
    }),
  );
}

/** Whether it is a value of the caller's, with each null that is in it. */
function isKept(name: string, is: unknown, names: Names): boolean {
  if (names === "fields") return OF_TOOLS.has(name) && isFields(is);
  return (
    names === "keywords" && (VALUES.has(name) || (LISTS_OF_VALUES.has(name) && Array.isArray(is)))
  );
}

function namesWithin(name: string, names: Names): Names {
  if (names === "fields") return SCHEMAS.has(name) ? "keywords" : "fields";
  return names === "keywords" && BY_NAME.has(name) ? "chosen" : "keywords";
}

/** An empty field of a form is one that was not filled in, in a list too. */
export function mendedForm(value: unknown): unknown {
  if (!isFields(value)) return value;
  const filled = Object.entries(value).map(([name, is]) => [
    name,
    Array.isArray(is) ? is.filter((item) => item !== "") : is,
  ]);
  return without(Object.fromEntries(filled), (_, is) => is === "" || isEmptyList(is));
}

/** Moderations, whose one item may have its parts in the forms of a chat. */
export function mendedModeration(value: unknown): unknown {
  const body = mended(value);
  if (!isFields(body) || !Array.isArray(body["input"])) return body;
  const input: readonly unknown[] = body["input"];
  return input.some(isFields) ? { ...body, input: input.map(mendedPart) } : body;
}

/** A chat, with its history as the field's gateways take it. */
export const mendedChat = (value: unknown): unknown => withChatForms(mended(value));

/** The same of a body that is mended but for what only a chat has. */
export function withChatForms(value: unknown): unknown {
  const body = mendedEffort(mendedFormat(value));
  if (!isFields(body)) return body;
  const { messages, tools, tool_choice: choice } = body;
  // `auto` is what is done without tools anyway.
  const saysNothing = body["tool_choice"] === "auto" && !isFilled(tools);
  return {
    ...(saysNothing ? without(body, (name) => name === "tool_choice") : body),
    ...(Array.isArray(messages) && { messages: messages.map(mendedMessage) }),
    ...(Array.isArray(tools) && { tools: tools.map(nestedTool) }),
    ...(isFields(choice) && { tool_choice: nestedTool(choice) }),
  };
}

/** As routers of several providers have it, and the Responses API. */
function mendedEffort(body: unknown): unknown {
  if (!isFields(body) || !isFields(body["reasoning"]) || "reasoning_effort" in body) return body;
  const { effort } = body["reasoning"];
  return effort === undefined ? body : { ...body, reasoning_effort: effort };
}

/** A function with its fields beside its type, as the Responses API has it, or without a type. */
function nestedTool(tool: unknown): unknown {
  if (!isFields(tool)) return tool;
  const { type = "function", function: called, ...rest } = tool;
  if (isFields(called)) return { ...tool, type, function: mendedFunction(called) };
  return type === "function" && typeof rest["name"] === "string"
    ? { type, function: mendedFunction(rest) }
    : tool;
}

/** The same the other way round: a function as a chat has it, or without a type. */
export function flatTool(tool: unknown): unknown {
  if (!isFields(tool)) return tool;
  const { type = "function", function: called, ...rest } = tool;
  if (type !== "function") return tool;
  return { type, ...mendedFunction(isFields(called) ? { ...rest, ...called } : rest) };
}

/** PHP writes an object without fields as an empty list. */
function mendedFunction(called: Fields): Fields {
  const { parameters } = called;
  if (isEmptyList(parameters)) return { ...called, parameters: {} };
  return isFields(parameters) && isEmptyList(parameters["properties"])
    ? { ...called, parameters: { ...parameters, properties: {} } }
    : called;
}

/**
 * A schema for the answer, as it is spelt elsewhere: as `formatOf` reads it, in the Responses API's
 * `text`, and in the fields of `schemaBeside`. All become OpenAI's form.
 */
export function mendedFormat(body: unknown): unknown {
  if (!isFields(body)) return body;
  const { response_format: format, text } = body;
  if (isFields(format)) return { ...body, response_format: formatOf(format) };
  if (format !== undefined) return body;
  if (!isFields(text) || !isFields(text["format"])) return schemaBeside(body);
  // Its other fields stay, and are refused by name.
  const rest = without(text, (name) => name === "format");
  return {
    ...without(body, (name) => name === "text"),
    ...(Object.keys(rest).length > 0 && { text: rest }),
    response_format: formatOf(text["format"]),
  };
}

/**
 * A `schema` or a `json_schema` beside `json_object`, Cloudflare's bare schema in `json_schema`, and the
 * flat form of the Responses API, in OpenAI's form for chats. A second schema stays, and is refused.
 */
export function formatOf(format: Fields): Fields {
  const { type, json_schema: given, schema, ...rest } = format;
  if (type !== "json_object" && type !== "json_schema") return format;
  const json_schema = isNoSchema(format) ? undefined : given;
  if (json_schema === undefined) {
    return schema === undefined
      ? format
      : { type: "json_schema", json_schema: { name: ANSWER, ...rest, schema } };
  }
  // What is no schema stays, for the check of its form.
  if (!isFields(json_schema)) return { ...format, type: "json_schema" };
  const isBare = Object.keys(json_schema).some((name) => !WRAPPING.has(name));
  const wrapped = "schema" in json_schema || !isBare ? json_schema : { schema: json_schema };
  const isTwice = schema !== undefined && "schema" in wrapped;
  return {
    type: "json_schema",
    json_schema: { name: ANSWER, ...rest, ...(schema !== undefined && { schema }), ...wrapped },
    ...(isTwice && { schema }),
  };
}

/** What a schema of an answer is wrapped in. */
const WRAPPING: ReadonlySet<string> = new Set(["name", "description", "schema", "strict"]);

const isNoSchema = ({ type, json_schema: given }: Fields): boolean =>
  type === "json_object" && isFields(given) && Object.keys(given).length === 0;

/** The types of a format. Others are refused anyway. */
const TYPES: ReadonlySet<unknown> = new Set(["text", "json_object", "json_schema"]);

/**
 * A schema that a format still has in a field that is not its own.
 *
 * @param own where a `json_schema` of this surface has its schema
 */
export function straySchema(
  format: unknown,
  path: readonly string[],
  own: "schema" | "json_schema",
): FieldError | null {
  if (!isFields(format) || !TYPES.has(format["type"])) return null;
  const isOwn = (name: string): boolean => format["type"] === "json_schema" && name === own;
  const stray = (["schema", "json_schema"] as const).find(
    (name) =>
      format[name] !== undefined && !isOwn(name) && !(name !== "schema" && isNoSchema(format)),
  );
  if (stray === undefined) return null;
  const where = [...path, own].join(".");
  const detail = `must be absent: the one schema of an answer is ${where}, with the type json_schema`;
  return { path: [...path, stray], detail };
}

/**
 * vLLM's and Cloudflare's `guided_json`, vLLM's `structured_outputs`, llama.cpp's `json_schema` and
 * Ollama's `format`.
 */
function schemaBeside(body: Fields): Fields {
  const { structured_outputs: outputs, json_schema: schema, format } = body;
  const json = isFields(outputs) && Object.keys(outputs).length === 1 ? outputs["json"] : undefined;
  const instead = (name: string, response_format: unknown): Fields => ({
    ...without(body, (field) => field === name),
    response_format,
  });
  if (body["guided_json"] !== undefined) {
    return instead("guided_json", schemaFormat(read(body["guided_json"])));
  }
  if (json !== undefined) return instead("structured_outputs", schemaFormat(read(json)));
  if (isFields(schema) && isSchema(schema)) return instead("json_schema", schemaFormat(schema));
  if (format === "json") return instead("format", { type: "json_object" });
  return isFields(format) && isSchema(format) ? instead("format", schemaFormat(format)) : body;
}

/** Other servers' fields for the form of an answer. */
const FORMS = [
  "guided_json",
  "guided_regex",
  "guided_choice",
  "guided_grammar",
  "structured_outputs",
  "grammar",
  "json_schema",
  "format",
] as const;

/**
 * A field for the form of an answer that cannot be honoured: dropped in silence, the caller would read
 * something else than was asked for.
 *
 * @param instead the field of this surface
 * @param more fields that it does not have besides
 */
export const formRefused =
  (instead: string, more: readonly string[] = []) =>
  (body: unknown): FieldError | null => {
    const name = [...FORMS, ...more].find((field) => Object(body)[field] !== undefined);
    return name === undefined ? null : { path: [name], detail: `must be absent: ${instead}` };
  };

const IN_RESPONSE_FORMAT =
  "the form of an answer is a JSON schema in response_format, and nothing else";
const fieldOfChatRefused = formRefused(IN_RESPONSE_FORMAT);

/** Of a chat, or null: its form of the answer is one that can be honoured. */
export function chatFormRefused(body: unknown): FieldError | null {
  const { response_format: format, text } = Object(body) as Fields;
  if (isFields(text) && text["format"] !== undefined) {
    return { path: ["text", "format"], detail: `must be absent: ${IN_RESPONSE_FORMAT}` };
  }
  return fieldOfChatRefused(body) ?? straySchema(format, ["response_format"], "json_schema");
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

/** A message of a history in OpenAI's form for chats. */
export function mendedMessage(sent: unknown): unknown {
  if (!isFields(sent)) return sent;
  const named = without(sent, (name, is) => name === "name" && is === "");
  const message = named["role"] === "function" ? ofTool(named) : withCall(named);
  const { role, tool_calls } = message;
  const content = role === "tool" ? mendedOutput(message["content"]) : message["content"];
  const calls = Array.isArray(tool_calls) ? { tool_calls: tool_calls.map(mendedCall) } : {};
  const rest = { ...without(message, (name) => name === "content"), ...calls };
  if (!Array.isArray(content)) return content === undefined ? rest : { ...rest, content };
  const parts = content.filter((part) => !isThought(part)).map(mendedPart);
  // An assistant that only called tools, or only thought, said nothing.
  return parts.length === 0 && role === "assistant" ? rest : { ...rest, content: parts };
}

/** The output of a function as a text, if the function returned nothing or an object. */
export function mendedOutput(given: unknown): unknown {
  if (given === undefined || given === null || isEmptyList(given)) return "";
  return isFields(given) ? JSON.stringify(given) : given;
}

/** As answers came before calls had ids: by the name of what was called. */
const ofTool = ({ name, ...message }: Fields): Fields => ({
  ...message,
  role: "tool",
  tool_call_id: name,
});

/** The call that such an answer is for: found by its name, since it has no id. */
function withCall({ function_call: called, ...message }: Fields): Fields {
  if (message["role"] !== "assistant" || !isFields(called) || isFilled(message["tool_calls"])) {
    return message;
  }
  return { ...message, tool_calls: [{ id: called["name"], type: "function", function: called }] };
}

/** Workers AI's older models have the name and the arguments of a call beside its id. */
function mendedCall(call: unknown): unknown {
  if (!isFields(call)) return call;
  const { name, arguments: given, ...rest } = call;
  const { function: called = name === undefined ? undefined : { name, arguments: given } } = call;
  return {
    type: "function",
    ...rest,
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
  const { image_url: url, type } = part;
  // The names of the Responses API.
  const isText = type === "input_text" || type === "output_text";
  const chatType = isText ? "text" : type === "input_image" ? "image_url" : type;
  const named = chatType === type ? part : { ...part, type: chatType };
  return typeof url === "string" ? { ...named, image_url: { url } } : named;
}

/** The reasoning of one answer is not sent with the next request. */
export const isThought = (part: unknown): boolean => isFields(part) && THOUGHTS.has(part["type"]);

const THOUGHTS: ReadonlySet<unknown> = new Set(["thinking", "redacted_thinking", "reasoning"]);

const isFilled = (list: unknown): boolean => Array.isArray(list) && list.length > 0;

const without = (fields: Fields, leaveOut: (name: string, value: unknown) => boolean): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => !leaveOut(name, value)));
