import { useEffect, useRef, useState } from "preact/hooks";
import { serverEvents } from "../api/events.ts";
import { api } from "../api/session.ts";
import type { ModelCard } from "../api/shapes.ts";
import { count, neurons, shortModel } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { AreaField, SelectField, TextField } from "../ui/field.tsx";
import { Figure, Panel } from "../ui/panel.tsx";
import { Empty, ErrorNote } from "../ui/status.tsx";
import { useLoad } from "../ui/use-load.ts";
import { readChunk } from "./chat-stream.ts";
import { curl, openAiChat } from "./code-samples.ts";
import { Samples } from "./samples.tsx";

/** The server ends a stream after ten minutes at most. */
const STREAM_MS = 620_000;

interface Answer {
  readonly text: string;
  readonly engine: string | null;
  readonly microNeurons: number | null;
  readonly held: number | null;
  readonly tokens: { readonly input: number; readonly output: number } | null;
  readonly finish: string | null;
}

const NO_ANSWER: Answer = {
  text: "",
  engine: null,
  microNeurons: null,
  held: null,
  tokens: null,
  finish: null,
};

export function ChatTry({ token }: { readonly token: string }) {
  const models = useLoad(`models ${token}`, (signal) =>
    api.get<{ data: readonly ModelCard[] }>("/v1/models", {}, { signal, token }),
  );
  const [model, setModel] = useState("auto");
  const [prompt, setPrompt] = useState("In one sentence: what is a neuron of Workers AI?");
  const [maxTokens, setMaxTokens] = useState("128");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [running, setRunning] = useState<AbortController | null>(null);
  const mounted = useRef<AbortController | null>(null);
  useEffect(() => () => mounted.current?.abort(), []);
  const body = {
    model,
    messages: [{ role: "user", content: prompt }],
    max_tokens: Number(maxTokens) || 128,
    stream: true,
    stream_options: { include_usage: true },
  };
  const send = async () => {
    const abort = new AbortController();
    mounted.current = abort;
    setRunning(abort);
    setError(null);
    setAnswer(NO_ANSWER);
    try {
      await stream(token, body, abort.signal, (change) =>
        setAnswer((before) => ({ ...(before ?? NO_ANSWER), ...change(before ?? NO_ANSWER) })),
      );
    } catch (caught) {
      if (!abort.signal.aborted) setError(caught as Error);
    }
    setRunning(null);
  };
  const { origin } = location;
  return (
    <>
      <div class="split">
        <Panel title="Chat">
          <form
            class="stack"
            onSubmit={(event) => {
              event.preventDefault();
              if (running === null && prompt !== "") void send();
            }}
          >
            <div class="columns">
              <SelectField
                label="Model"
                value={model}
                choices={choicesOf(models.data?.data ?? [])}
                onValue={setModel}
                error={models.error?.message}
              />
              <TextField
                label="Most tokens of the answer"
                inputMode="numeric"
                value={maxTokens}
                onValue={setMaxTokens}
                maxLength={6}
              />
            </div>
            <AreaField label="Prompt" rows={5} value={prompt} onValue={setPrompt} />
            <div class="actions">
              <Button type="submit" kind="primary" busy={running !== null} disabled={prompt === ""}>
                Send
              </Button>
              {running !== null && <Button onClick={() => running.abort()}>Stop</Button>}
            </div>
          </form>
        </Panel>
        <Panel title="Answer">
          {error !== null && <ErrorNote error={error} />}
          {answer === null && error === null && (
            <Empty icon="try" title="No answer yet">
              <p>It comes as it is written.</p>
            </Empty>
          )}
          {answer !== null && <ShownAnswer answer={answer} running={running !== null} />}
        </Panel>
      </div>
      <Samples samples={[curl(origin, "/v1/chat/completions", body), openAiChat(origin, body)]} />
    </>
  );
}

const choicesOf = (models: readonly ModelCard[]) => [
  { value: "auto", label: "auto: the tenant's routing" },
  ...models
    .filter(
      ({ id, neurogate }) =>
        id !== "auto" && neurogate.task === "text_generation" && neurogate.usable,
    )
    .map(({ id }) => ({ value: id, label: shortModel(id) })),
];

type Change = (before: Answer) => Partial<Answer>;

async function stream(
  token: string,
  body: unknown,
  signal: AbortSignal,
  tell: (change: Change) => void,
): Promise<void> {
  const response = await api.raw("POST", "/v1/chat/completions", {
    body,
    accept: "text/event-stream",
    token,
    signal,
    timeoutMs: STREAM_MS,
  });
  const held = Number(response.headers.get("x-neurogate-micro-neurons"));
  const engine = response.headers.get("x-neurogate-engine");
  tell(() => ({ engine, held: Number.isFinite(held) ? held : null }));
  if (response.body === null) return;
  for await (const { data } of serverEvents(response.body)) {
    const part = readChunk(data);
    if (part.error !== null) throw new Error(part.error);
    tell((before) => ({
      text: before.text + part.text,
      microNeurons: part.microNeurons ?? before.microNeurons,
      tokens: part.tokens ?? before.tokens,
      finish: part.finish ?? before.finish,
    }));
  }
}

function ShownAnswer({ answer, running }: { readonly answer: Answer; readonly running: boolean }) {
  return (
    <div class="stack">
      <p class="answer" aria-live={running ? "off" : "polite"} aria-busy={running}>
        {answer.text}
      </p>
      <div class="figures">
        <Figure
          label="Cost"
          value={answer.microNeurons === null ? "–" : neurons(answer.microNeurons)}
          unit="N"
          detail={answer.held === null ? undefined : `${neurons(answer.held)} N were held`}
        />
        <Figure
          label="Tokens"
          value={answer.tokens === null ? "–" : count(answer.tokens.input + answer.tokens.output)}
          detail={
            answer.tokens === null
              ? undefined
              : `${count(answer.tokens.input)} in, ${count(answer.tokens.output)} out`
          }
        />
        <Figure label="Engine" value={answer.engine ?? "–"} detail={answer.finish ?? undefined} />
      </div>
    </div>
  );
}
