import { render } from "preact";
import { useMemo, useState } from "preact/hooks";
import { type ApiDocument, entriesByTag, matches } from "./document.ts";
import { OperationView } from "./operation-view.tsx";
import { Prose } from "./prose.tsx";

// Draws the API's document with the console's own components. All scripts, styles, fonts and pictures
// come from this server, and the pages' content security policy needs no exception. A ready-made viewer
// would need both.

/** @throws when there is no document or it cannot be drawn. */
export async function show(element: HTMLElement): Promise<void> {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`/openapi.json answered ${response.status}`);
  const document = (await response.json()) as ApiDocument;
  render(<Viewer document={document} />, element);
  // The element of the address's fragment did not exist when the browser first looked for it.
  globalThis.document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function Viewer({ document }: { readonly document: ApiDocument }) {
  const [search, setSearch] = useState("");
  const all = useMemo(() => entriesByTag(document), [document]);
  const found = [...all]
    .map(([tag, entries]) => [tag, entries.filter((entry) => matches(entry, search))] as const)
    .filter(([, entries]) => entries.length > 0);
  const count = found.reduce((sum, [, entries]) => sum + entries.length, 0);
  const { info, components } = document;
  return (
    <div class="docs">
      <nav aria-label="Operations">
        <label>
          Search
          <input
            type="search"
            value={search}
            onInput={({ currentTarget }) => {
              setSearch(currentTarget.value);
              // The results of a search begin at the top, so scroll there.
              scrollTo(0, 0);
            }}
          />
        </label>
        <p role="status" class="count">
          {count === 1 ? "1 operation" : `${count} operations`}
        </p>
        <ul>
          {found.map(([tag, entries]) => (
            <li key={tag}>
              <a href={`#tag-${tag}`}>{tag}</a>
              {search !== "" && (
                <ul>
                  {entries.map(({ operationId, summary }) => (
                    <li key={operationId}>
                      <a href={`#${operationId}`}>{summary}</a>
                    </li>
                  ))}
                </ul>
              )}
            </li>
          ))}
        </ul>
      </nav>
      <main id="content">
        <h1>
          {info.title} <span class="version">{info.version}</span>
        </h1>
        {info.description !== undefined && <Prose text={info.description} />}
        <p>
          The document itself is at <a href="/openapi.json">/openapi.json</a>.
        </p>
        <section id="access" aria-label="Access">
          <h2>Access</h2>
          <dl>
            {Object.entries(components.securitySchemes).map(([name, { description }]) => (
              <div key={name}>
                <dt>
                  <code>{name}</code>
                </dt>
                <dd>{description !== undefined && <Prose text={description} />}</dd>
              </div>
            ))}
          </dl>
        </section>
        {found.map(([tag, entries]) => (
          <section key={tag} id={`tag-${tag}`} aria-label={tag}>
            <h2>{tag}</h2>
            {entries.map((entry) => (
              <OperationView key={entry.operationId} entry={entry} document={document} />
            ))}
          </section>
        ))}
      </main>
    </div>
  );
}
