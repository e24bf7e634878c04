import { field } from "../engine-call.ts";

// Resolves the references within a schema (`$ref`) and merges the parts of `allOf`.

/** The most references to references, and parts of parts. */
const MAX_HOPS = 32;
/** The most keywords and properties that are merged for one answer. */
const MAX_JOINED = 4096;

export interface Document {
  readonly root: unknown;
  /** How much may still be merged; below 0: the limit was passed. */
  left: number;
  /** Merged parts: a part with many references is merged once. */
  readonly merged: Map<unknown, unknown>;
}

export const documentOf = (root: unknown): Document => ({
  root,
  left: MAX_JOINED,
  merged: new Map(),
});

function mayJoin(document: Document, part: object): boolean {
  const { properties, required } = part as Readonly<Record<string, unknown>>;
  const names = Array.isArray(required) ? required.length : 0;
  document.left -= 1 + Object.keys(part).length + Object.keys(objectOf(properties)).length + names;
  return document.left >= 0;
}

/** The schema that a `$ref` names, in this document; undefined: there is none, or the limit was passed. */
export function resolved(schema: unknown, document: Document): unknown {
  const { root } = document;
  let here = schema;
  for (let hop = 0; hop < MAX_HOPS; hop += 1) {
    const ref = field(here, "$ref");
    if (ref === undefined) return here;
    const target = typeof ref === "string" ? at(ref, root) : undefined;
    if (target === undefined) return undefined;
    const isAlone = Object.keys(Object(here)).length === 1;
    if (isAlone || typeof target !== "object" || target === null) here = target;
    else if (!mayJoin(document, Object(here)) || !mayJoin(document, target)) return undefined;
    else {
      // Keywords beside a reference count too.
      const { $ref: _, ...beside } = here as Readonly<Record<string, unknown>>;
      here = { ...target, ...beside };
    }
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

/** The schema with its `allOf` merged into it; null: a reference leads nowhere, or the limit was passed. */
export function mergedWith(schema: unknown, document: Document, hops = 0): unknown {
  const parts = field(schema, "allOf");
  if (!Array.isArray(parts)) return schema;
  if (hops > MAX_HOPS || !mayJoin(document, Object(schema))) return null;
  const { allOf: _, ...own } = schema as Readonly<Record<string, unknown>>;
  let merged: Readonly<Record<string, unknown>> = own;
  for (const part of parts) {
    const one =
      document.merged.get(part) ?? mergedWith(resolved(part, document), document, hops + 1);
    if (typeof one !== "object" || one === null || !mayJoin(document, one)) return null;
    document.merged.set(part, one);
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
    ...(lists.length > 0 && { required: [...new Set(lists.flat())] }),
    ...(Object.keys(properties).length > 0 && { properties }),
  };
}

const objectOf = (value: unknown): object =>
  typeof value === "object" && value !== null ? value : {};
