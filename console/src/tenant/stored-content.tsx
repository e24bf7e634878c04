import { useEffect, useState } from "preact/hooks";
import { api } from "../api/session.ts";
import { RequestFailed } from "../api/problem.ts";
import type { Content, Reason } from "../api/shapes.ts";
import { bytes } from "../format.ts";
import { piecesOf } from "../marked-text.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNote } from "../ui/status.tsx";

/** The content of a verdict, if it is stored. It is read on demand, since every reading is recorded. */
export function StoredContent({
  path,
  reasons,
  isBlurred = false,
}: {
  readonly path: string;
  readonly reasons: readonly Reason[];
  /** Hidden until a click: nobody has reported it, and nothing says what it may hold. */
  readonly isBlurred?: boolean;
}) {
  const [content, setContent] = useState<Content | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const [isClear, setIsClear] = useState(!isBlurred);
  const read = async () => {
    setBusy(true);
    setError(null);
    try {
      setContent(await api.get<Content>(`${path}/content`));
    } catch (caught) {
      setError(caught as Error);
    }
    setBusy(false);
  };
  if (error instanceof RequestFailed && error.problem.kind === "not_found") {
    return (
      <p class="hint">
        The content is not stored: the tenant does not store content, or it has expired.
      </p>
    );
  }
  return (
    <div class="stack">
      <h3>Content</h3>
      {error !== null && <ErrorNote error={error} onRetry={() => void read()} />}
      {content === null ? (
        <div class="row">
          <Button small busy={busy} onClick={() => void read()}>
            Show the content
          </Button>
          <span class="hint">Each reading of stored content is recorded.</span>
        </div>
      ) : (
        <div class="stack">
          {!isClear && (
            <div class="row">
              <Button small onClick={() => setIsClear(true)}>
                Unblur
              </Button>
              <span class="hint">Approved content, drawn at random.</span>
            </div>
          )}
          <div class={isClear ? "stack" : "stack blurred"} aria-hidden={!isClear}>
            {content.text !== null && (
              <p class="content-box">
                {piecesOf(
                  content.text,
                  reasons.flatMap(({ spans = [] }) => spans),
                ).map(({ text, marked }, at) => (marked ? <mark key={at}>{text}</mark> : text))}
              </p>
            )}
            <div class="row">
              {content.pictures.map((picture, at) =>
                picture?.kept === true ? (
                  <Picture key={at} path={`${path}/content/${at}`} label={`Picture ${at + 1}`} />
                ) : (
                  <span key={at} class="hint">
                    Picture {at + 1}
                    {picture === null ? " never came." : ` (${bytes(picture.bytes)}) is not kept.`}
                  </span>
                ),
              )}
            </div>
          </div>
        </div>
      )}
    </div>
  );
}

/** Fetched with the token and shown from memory, since an `img` sends no token. */
function Picture({ path, label }: { readonly path: string; readonly label: string }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let made: string | null = null;
    api
      .raw("GET", path, { signal: abort.signal })
      .then((response) => response.blob())
      .then((blob) => {
        made = URL.createObjectURL(blob);
        setUrl(made);
      })
      .catch(() => undefined);
    return () => {
      abort.abort();
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [path]);
  return url === null ? (
    <span class="hint">{label}</span>
  ) : (
    <img class="preview" src={url} alt={label} />
  );
}
