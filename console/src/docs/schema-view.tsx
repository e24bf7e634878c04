import { useState } from "preact/hooks";
import {
  type ApiDocument,
  childrenOf,
  limitsOf,
  requiredOf,
  type Schema,
  typeOf,
} from "./document.ts";
import { Prose } from "./prose.tsx";

interface Props {
  readonly schema: Schema;
  readonly document: ApiDocument;
}

/** The members of an object, or the other parts below a schema. Each is drawn when it is opened. */
export function SchemaView({ schema, document }: Props) {
  const children = childrenOf(schema, document);
  if (children.length === 0) return <Value schema={schema} />;
  const required = requiredOf(schema, document);
  return (
    <ul class="members">
      {children.map(([name, child]) => (
        <li key={name}>
          <code class="member-name">{name}</code>{" "}
          {required.includes(name) && <span class="required">required</span>}{" "}
          <Value schema={child} />
          <Members schema={child} document={document} name={name} />
        </li>
      ))}
    </ul>
  );
}

function Value({ schema }: { readonly schema: Schema }) {
  const limits = limitsOf(schema);
  return (
    <>
      <span class="type">{typeOf(schema)}</span>
      {schema.description !== undefined && <Prose text={schema.description} />}
      {limits.length > 0 && <p class="limits">{limits.join("; ")}</p>}
    </>
  );
}

/** Closed at first: schemas nest ten levels deep, and a page with all of them would be a megabyte. */
function Members({ schema, document, name }: Props & { readonly name: string }) {
  const [open, setOpen] = useState(false);
  if (childrenOf(schema, document).length === 0) return null;
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        Members<span class="unseen"> of {name}</span>
      </summary>
      {open && <SchemaView schema={schema} document={document} />}
    </details>
  );
}
