import { useState } from "preact/hooks";
import type { ApiDocument, Body, Entry } from "./document.ts";
import { Prose } from "./prose.tsx";
import { SchemaView } from "./schema-view.tsx";

interface Props {
  readonly entry: Entry;
  readonly document: ApiDocument;
}

export function OperationView({ entry, document }: Props) {
  const { operationId, method, path, summary, description } = entry;
  return (
    <article class="operation" id={operationId} aria-labelledby={`${operationId}-name`}>
      <h3 id={`${operationId}-name`}>
        <a href={`#${operationId}`}>{summary}</a>
      </h3>
      <p class="endpoint">
        <span class={`method ${method.toLowerCase()}`}>{method}</span> <code>{path}</code>
      </p>
      {description !== undefined && <Prose text={description} />}
      <Access entry={entry} document={document} />
      <Parameters entry={entry} document={document} />
      {entry.requestBody !== undefined && (
        <Part
          title={entry.requestBody.required === true ? "Body" : "Body, optional"}
          body={entry.requestBody}
          document={document}
        />
      )}
      {Object.entries(entry.responses).map(([status, response]) => (
        <Part
          key={status}
          title={status}
          text={response.description === summary ? undefined : response.description}
          body={response}
          document={document}
        />
      ))}
    </article>
  );
}

/** The kinds of token that the operation accepts; one is enough. */
function Access({ entry }: Props) {
  const schemes = (entry.security ?? []).flatMap((each) => Object.keys(each));
  return (
    <p class="access">
      {schemes.length === 0 ? "Needs no token." : "Accepts: "}
      {schemes.map((scheme, at) => (
        <>
          {at > 0 && " or "}
          <a href="#access">{scheme}</a>
        </>
      ))}
    </p>
  );
}

function Parameters({ entry: { parameters = [] }, document }: Props) {
  if (parameters.length === 0) return null;
  return (
    <section>
      <h4>Parameters</h4>
      <ul class="members">
        {parameters.map(({ name, in: place, required, description, schema }) => (
          <li key={`${place} ${name}`}>
            <code class="member-name">{name}</code> <span class="type">in {place},</span>{" "}
            {required === true && <span class="required">required</span>}{" "}
            <SchemaView
              schema={description === undefined ? schema : { ...schema, description }}
              document={document}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface PartProps {
  readonly title: string;
  readonly text?: string | undefined;
  readonly body: Body;
  readonly document: ApiDocument;
}

/** A body or a reply. Its schema is drawn when it is opened. */
function Part({ title, text, body, document }: PartProps) {
  const [open, setOpen] = useState(false);
  const contents = Object.entries(body.content ?? {});
  const label = (
    <>
      <strong class={/^[45]/.test(title) ? "status failed" : "status"}>{title}</strong>{" "}
      {text !== undefined && <Prose text={text} />}
    </>
  );
  if (contents.length === 0) return <div class="part">{label}</div>;
  return (
    <details class="part" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{label}</summary>
      {open &&
        contents.map(([type, { schema }]) => (
          <section key={type}>
            <p class="type">{type}</p>
            {schema !== undefined && <SchemaView schema={schema} document={document} />}
          </section>
        ))}
    </details>
  );
}
