import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { api } from "../api/session.ts";
import { RequestFailed } from "../api/problem.ts";
import type { Content, Verdict } from "../api/shapes.ts";
import { bytes } from "../format.ts";
import { piecesOf } from "../marked-text.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNote } from "../ui/status.tsx";

interface StoredContentProps {
  readonly path: string;
  readonly verdict: Verdict;
}

/**
 * The content of a verdict, if it is stored. It is read on demand, since every reading is recorded. Content
 * that was drawn at random is blurred, and hidden from screen readers, until a person unblurs it: nobody
 * has reported it, and nothing says what it may hold.
 */
export function StoredContent({ path, verdict }: StoredContentProps) {
  const [content, setContent] = useState<Content | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const [isClear, setIsClear] = useState(!verdict.review.sampled);
  const place = useRef<HTMLDivElement>(null);
  const covered = useId();
  useLayoutEffect(() => {
    // The button that had the focus is gone.
    if (content !== null) place.current?.focus();
  }, [content, isClear]);
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
    <div
      ref={place}
      class="stack"
      role="group"
      aria-label="Content"
      aria-describedby={content !== null && !isClear ? covered : undefined}
      tabIndex={-1}
    >
      <h3>Content</h3>
      {error !== null && <ErrorNote error={error} onRetry={() => void read()} />}
      {content === null && (
        <div class="row">
          <Button small busy={busy} onClick={() => void read()}>
            Show the content
          </Button>
          <span class="hint">Each reading of stored content is recorded.</span>
        </div>
      )}
      {content !== null && !isClear && (
        <div class="row">
          <Button small onClick={() => setIsClear(true)}>
            Unblur
          </Button>
          <span id={covered} class="hint">
            Blurred: {partsOf(content)}. It was approved, and drawn at random for review.
          </span>
        </div>
      )}
      {content !== null && (
        <div class={isClear ? "stack" : "stack blurred"} aria-hidden={!isClear}>
          <Shown path={path} content={content} reasons={verdict.reasons} />
        </div>
      )}
    </div>
  );
}

/** `a text and 2 pictures`. */
const partsOf = ({ text, pictures }: Content): string =>
  [
    ...(text === null ? [] : ["a text"]),
    ...(pictures.length === 0
      ? []
      : [pictures.length === 1 ? "a picture" : `${pictures.length} pictures`]),
  ].join(" and ");

interface ShownProps {
  readonly path: string;
  readonly content: Content;
  readonly reasons: Verdict["reasons"];
}

function Shown({ path, content, reasons }: ShownProps) {
  const spans = reasons.flatMap((reason) => reason.spans ?? []);
  return (
    <>
      {content.text !== null && (
        <p class="content-box">
          {piecesOf(content.text, spans).map(({ text, marked }, at) =>
            marked ? <mark key={at}>{text}</mark> : text,
          )}
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
    </>
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
