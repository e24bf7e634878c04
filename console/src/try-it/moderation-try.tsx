import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api/session.ts";
import type { Quote, Verdict } from "../api/shapes.ts";
import { bytes, neurons } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { AreaField, Field, TextField } from "../ui/field.tsx";
import { Figure, Panel } from "../ui/panel.tsx";
import { Empty, ErrorNote } from "../ui/status.tsx";
import { VerdictView } from "../verdict-view.tsx";
import { curl, fetchCall, openAiModeration } from "./code-samples.ts";
import { Samples } from "./samples.tsx";

interface ModerationTryProps {
  readonly token: string;
  readonly picture: boolean;
}

const EXAMPLE = "Buy now, you useless idiot - limited offer!";

const MOST_PICTURE_BYTES = 4_194_304;

interface Picked {
  readonly name: string;
  readonly base64: string;
  readonly bytes: number;
  readonly url: string;
}

export function ModerationTry({ token, picture }: ModerationTryProps) {
  const [text, setText] = useState(picture ? "" : EXAMPLE);
  const [user, setUser] = useState("");
  const [content, setContent] = useState("");
  const [policy, setPolicy] = useState("");
  const [image, setImage] = useState<Picked | null>(null);
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [quote, setQuote] = useState<Quote | null>(null);
  const [took, setTook] = useState(0);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const body = {
    ...(text !== "" && { text }),
    ...(image !== null && { images: [{ base64: image.base64 }] }),
    ...(user !== "" && { user_id: user }),
    ...(content !== "" && { content_id: content }),
    ...(policy !== "" && { policy }),
  };
  const ready = text !== "" || image !== null;
  const judge = async () => {
    setBusy(true);
    setError(null);
    const began = performance.now();
    try {
      const sending = { token, once: true, timeoutMs: 90_000 };
      setVerdict(await api.send<Verdict>("POST", "/v1/verdicts", body, sending));
      setTook(performance.now() - began);
    } catch (caught) {
      setVerdict(null);
      setError(caught as Error);
    }
    setBusy(false);
  };
  const ask = async () => {
    setError(null);
    try {
      const asked = { path: "/v1/verdicts", body };
      setQuote(await api.send<Quote>("POST", "/v1/quote", asked, { token }));
    } catch (caught) {
      setError(caught as Error);
    }
  };
  const { origin } = location;
  return (
    <>
      <div class="split">
        <Panel title={picture ? "Picture" : "Text"}>
          <form
            class="stack"
            onSubmit={(event) => {
              event.preventDefault();
              if (ready) void judge();
            }}
          >
            {picture && <PictureField image={image} onImage={setImage} onError={setError} />}
            <AreaField
              label={picture ? "Text beside it" : "Text to judge"}
              rows={picture ? 2 : 6}
              value={text}
              onValue={setText}
            />
            <div class="columns">
              <TextField label="User id" value={user} onValue={setUser} maxLength={256} />
              <TextField label="Content id" value={content} onValue={setContent} maxLength={256} />
              <TextField
                label="Policy"
                placeholder="default"
                value={policy}
                onValue={setPolicy}
                maxLength={64}
              />
            </div>
            <div class="actions">
              <Button type="submit" kind="primary" busy={busy} disabled={!ready}>
                Judge it
              </Button>
              <Button disabled={!ready} onClick={() => void ask()}>
                What would it cost?
              </Button>
            </div>
            {quote !== null && (
              <p class="hint" role="status">
                {neurons(quote.min_micro_neurons)} to {neurons(quote.max_micro_neurons)} neurons
                {quote.refused_as === null
                  ? "; it would be admitted."
                  : `; refused now as ${quote.refused_as}.`}
              </p>
            )}
          </form>
        </Panel>
        <div aria-live="polite">
          <Panel title="Verdict">
            {error !== null && <ErrorNote error={error} />}
            {verdict === null && error === null && (
              <Empty icon="scale" title="No verdict yet">
                <p>Judge something to see the decision, and the checks that did not run.</p>
              </Empty>
            )}
            {verdict !== null && (
              <>
                <div class="figures">
                  <Figure label="Cost" value={neurons(verdict.micro_neurons)} unit="N" />
                  <Figure label="Took" value={Math.round(took)} unit="ms" />
                  <Figure label="Stages" value={verdict.stages.length} />
                </div>
                <VerdictView verdict={verdict} />
              </>
            )}
          </Panel>
        </div>
      </div>
      <Samples
        samples={[
          curl(origin, "/v1/verdicts", body),
          fetchCall(origin, "/v1/verdicts", body),
          openAiModeration(origin, moderationInput(text, image)),
        ]}
      />
    </>
  );
}

function moderationInput(text: string, image: Picked | null): unknown {
  if (image === null) return text;
  const url = "data:image/png;base64,…";
  const picture = { type: "image_url", image_url: { url } };
  return text === "" ? [picture] : [{ type: "text", text }, picture];
}

interface PictureFieldProps {
  readonly image: Picked | null;
  readonly onImage: (image: Picked | null) => void;
  readonly onError: (error: Error | null) => void;
}

function PictureField({ image, onImage, onError }: PictureFieldProps) {
  const shown = useRef<string | null>(null);
  useEffect(() => () => void (shown.current !== null && URL.revokeObjectURL(shown.current)), []);
  const pick = async (file: File | undefined) => {
    onError(null);
    onImage(null);
    if (file === undefined) return;
    if (file.size > MOST_PICTURE_BYTES) {
      onError(new Error(`A picture may have at most 4 MB; this one has ${bytes(file.size)}.`));
      return;
    }
    if (shown.current !== null) URL.revokeObjectURL(shown.current);
    shown.current = URL.createObjectURL(file);
    const base64 = await toBase64(file);
    onImage({ name: file.name, base64, bytes: file.size, url: shown.current });
  };
  return (
    <Field label="Picture to judge" hint="PNG, JPEG or WebP, at most 4 MB.">
      {(aria) => (
        <>
          <input
            {...aria}
            type="file"
            accept="image/png,image/jpeg,image/webp"
            onChange={(event) => void pick(event.currentTarget.files?.[0])}
          />
          {image !== null && (
            <div class="row">
              <img class="preview" src={image.url} alt="The picture that was chosen" />
              <span class="hint">
                {image.name}, {bytes(image.bytes)}
              </span>
            </div>
          )}
        </>
      )}
    </Field>
  );
}

/** Encodes the file through a data URL: the browser does this without a copy of the bytes in our code. */
function toBase64(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () =>
      resolve((reader.result as string).split(",", 2)[1] ?? ""),
    );
    reader.addEventListener("error", () => reject(new Error("The file could not be read.")));
    reader.readAsDataURL(file);
  });
}
