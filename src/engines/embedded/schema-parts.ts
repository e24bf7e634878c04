import { field } from "../engine-call.ts";

// What a schema says in other places: references within it, and parts that hold together.

/** References to references, and parts of parts. */
const MAX_HOPS = 32;

/** The schema that a `$ref` names, in this document; undefined: there is none. */
export function resolved(schema: unknown, root: unknown): unknown {
  let here = schema;
  for (let hop = 0; hop < MAX_HOPS; hop += 1) {
    const ref = field(here, "$ref");
    if (ref === undefined) return here;
    const target = typeof ref === "string" ? at(ref, root) : undefined;
    if (target === undefined) return undefined;
    const { $ref: _, ...beside } = here as Readonly<Record<string, unknown>>;
    // What stands beside a reference holds too.
    here =
      Object.keys(beside).length === 0 || typeof target !== "object" || target === null
        ? target
        : { ...target, ...beside };
  }
  return undefined;
}

/** RFC 6901 in a fragment: `#/$defs/Address`. */
function at(ref: string, root: unknown): unknown {
  if (ref === "#") return root;
  if (!ref.startsWith("#/")) return undefined;
  let here: unknown = root;
  for (const token of ref.slice(2).split("/")) {
    const name = decoded(token).replaceAll("~1", "/").replaceAll("~0", "~");
    here = field(here, name);
    if (here === undefined) return undefined;
  }
  return here;
}

function decoded(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}

/** With all its `allOf` as one schema; null: a part refers to what is not there. */
export function mergedWith(schema: unknown, root: unknown, hops = 0): unknown {
  const parts = field(schema, "allOf");
  if (!Array.isArray(parts)) return schema;
  if (hops > MAX_HOPS) return null;
  const { allOf: _, ...own } = schema as Readonly<Record<string, unknown>>;
  let merged: Readonly<Record<string, unknown>> = own;
  for (const part of parts.slice(0, MAX_HOPS)) {
    const one = mergedWith(resolved(part, root), root, hops + 1);
    if (typeof one !== "object" || one === null) return null;
    merged = both(one as Readonly<Record<string, unknown>>, merged);
  }
  return merged;
}

function both(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const lists = [a["required"], b["required"]].filter((list) => Array.isArray(list));
  const properties = { ...objectOf(a["properties"]), ...objectOf(b["properties"]) };
  return {
    ...a,
    ...b,
    ...(lists.length > 0 && { required: lists.flat() }),
    ...(Object.keys(properties).length > 0 && { properties }),
  };
}

const objectOf = (value: unknown): object =>
  typeof value === "object" && value !== null ? value : {};
