// The parts of an OpenAPI 3.1 document that the page shows, and their descriptions in words. Nothing
// here draws.

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly pattern?: string;
}

export interface Body {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: Body & { readonly required?: boolean };
  readonly responses: Readonly<Record<string, Body & { readonly description: string }>>;
}

export interface ApiDocument {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
  };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: Readonly<Record<string, { readonly description?: string }>>;
  };
}

export interface Entry extends Operation {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
}

/** Every operation, by tag, in the document's order. */
export function entriesByTag({ paths }: ApiDocument): ReadonlyMap<string, readonly Entry[]> {
  const entries = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Entry => ({
      ...operation,
      method: method.toUpperCase(),
      path,
      tag: operation.tags[0] ?? "service",
    })),
  );
  return new Map(
    [...Map.groupBy(entries, ({ tag }) => tag)].toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

/** Whether every word of the search is in the path, the summary, the description or the tag. */
export function matches(entry: Entry, search: string): boolean {
  const { method, path, summary, description = "", tag } = entry;
  const text = [method, path, summary, description, tag].join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** `#/components/schemas/Problem` becomes `Problem`. */
export const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);

const LIMITS = [
  ["minimum", "at least", ""],
  ["exclusiveMinimum", "more than", ""],
  ["maximum", "at most", ""],
  ["exclusiveMaximum", "less than", ""],
  ["minLength", "at least", "characters"],
  ["maxLength", "at most", "characters"],
  ["minItems", "at least", "items"],
  ["maxItems", "at most", "items"],
  ["maxProperties", "at most", "members"],
  ["pattern", "matches", ""],
] as const;

/** The constraints of a value in words: `at most 64`, `one of "a", "b"`. */
export function limitsOf(schema: Schema): readonly string[] {
  const limits = LIMITS.flatMap(([name, label, unit]) =>
    schema[name] === undefined ? [] : [`${label} ${schema[name]} ${unit}`.trimEnd()],
  );
  if (schema.enum !== undefined) {
    limits.unshift(`one of ${schema.enum.map((one) => JSON.stringify(one)).join(", ")}`);
  }
  if (schema.const !== undefined) limits.unshift(`always ${JSON.stringify(schema.const)}`);
  if (schema.default !== undefined) limits.push(`default ${JSON.stringify(schema.default)}`);
  return limits;
}

/** The type in a few words: `string or null`, `array of Problem`. */
export function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) return [...new Set(branches.map(typeOf))].join(" or ");
  if (schema.allOf !== undefined) return schema.allOf.map(typeOf).join(" and ");
  if (schema.items !== undefined) return `array of ${typeOf(schema.items)}`;
  const type = typeof schema.type === "string" ? schema.type : (schema.type ?? []).join(" or ");
  if (type === "" && schema.const !== undefined) return typeof schema.const;
  return [type === "" ? "anything" : type, schema.format].filter(Boolean).join(", ");
}

/** The parts below a value that can be opened: members, items, branches, and named schemas with parts. */
export function childrenOf(
  schema: Schema,
  document: ApiDocument,
): readonly (readonly [string, Schema])[] {
  if (schema.$ref !== undefined) {
    const named = document.components.schemas[nameOf(schema.$ref)];
    return named === undefined ? [] : childrenOf(named, document);
  }
  const branches = [...(schema.anyOf ?? schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const open = branches.filter((branch) => childrenOf(branch, document).length > 0);
  // For "a value or null" the members of the value are shown directly.
  if (open.length === 1 && schema.allOf === undefined && open[0] !== undefined) {
    return childrenOf(open[0], document);
  }
  const { additionalProperties: others } = schema;
  return [
    ...Object.entries(schema.properties ?? {}),
    ...(typeof others === "object" && Object.keys(others).length > 0
      ? [["(any name)", others] as const]
      : []),
    ...(schema.items === undefined ? [] : childrenOf(schema.items, document)),
    ...(schema.properties === undefined
      ? open.map((branch, at) => [`(form ${at + 1})`, branch] as const)
      : open.flatMap((branch) => childrenOf(branch, document))),
  ];
}

/** The required members of the schema that `childrenOf` opened. */
export function requiredOf(schema: Schema, document: ApiDocument): readonly string[] {
  if (schema.$ref !== undefined) {
    const named = document.components.schemas[nameOf(schema.$ref)];
    return named === undefined ? [] : requiredOf(named, document);
  }
  if (schema.required !== undefined) return schema.required;
  if (schema.items !== undefined) return requiredOf(schema.items, document);
  const open = (schema.anyOf ?? schema.oneOf ?? []).filter(
    (branch) => childrenOf(branch, document).length > 0,
  );
  return open.length === 1 && open[0] !== undefined ? requiredOf(open[0], document) : [];
}
