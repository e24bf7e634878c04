import { useState } from "preact/hooks";
import { api } from "../api/session.ts";
import type { Decision, PolicyBody, PolicyReplay } from "../api/shapes.ts";
import { count, percent, words } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { SelectField } from "../ui/field.tsx";
import { Figure, Panel } from "../ui/panel.tsx";
import { Empty, ErrorNote, TagBadge, Warning } from "../ui/status.tsx";
import { together } from "./replay-sum.ts";

const DECISIONS: readonly Decision[] = ["allow", "flag", "block"];

/** A replay is read in parts of about 5,000 verdicts. */
const MOST_PARTS = 40;

interface ReplayPanelProps {
  readonly path: string;
  readonly body: PolicyBody;
  readonly changed: boolean;
}

/** Decides stored verdicts again with the policy in the form above. No engine runs; nothing is charged. */
export function PolicyReplayPanel({ path, body, changed }: ReplayPanelProps) {
  const [days, setDays] = useState("7");
  const [replay, setReplay] = useState<PolicyReplay | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [running, setRunning] = useState<AbortController | null>(null);
  const run = async () => {
    const abort = new AbortController();
    setRunning(abort);
    setError(null);
    setReplay(null);
    const until = new Date().toISOString();
    const from = new Date(Date.now() - Number(days) * 86_400_000).toISOString();
    let sum: PolicyReplay | null = null;
    let cursor: string | null = null;
    try {
      for (let part = 0; part < MOST_PARTS; part += 1) {
        const asked = { policy: body, from, to: until, ...(cursor !== null && { cursor }) };
        // oxlint-disable-next-line no-await-in-loop -- one part after the other, each shown
        const next: PolicyReplay = await api.send("POST", `${path}/replay`, asked, {
          signal: abort.signal,
          timeoutMs: 60_000,
        });
        sum = sum === null ? next : together(sum, next);
        setReplay(sum);
        cursor = next.next_cursor;
        if (cursor === null) break;
      }
    } catch (caught) {
      if (!abort.signal.aborted) setError(caught as Error);
    }
    setRunning(null);
  };
  return (
    <Panel
      title="Replay"
      hint="Decides stored verdicts again with the policy in the form. No engine runs, and it costs nothing."
      actions={
        <>
          <SelectField
            label="Of the last"
            value={days}
            choices={[
              { value: "1", label: "day" },
              { value: "7", label: "7 days" },
              { value: "30", label: "30 days" },
            ]}
            onValue={setDays}
          />
          {running === null ? (
            <Button icon="replay" onClick={() => void run()}>
              {changed ? "Replay the change" : "Replay"}
            </Button>
          ) : (
            <Button onClick={() => running.abort()}>Stop</Button>
          )}
        </>
      }
    >
      {running !== null && (
        <div class="row" role="status">
          <progress aria-label="Replaying" />
          <span class="hint">{count(replay?.verdicts ?? 0)} verdicts decided again so far</span>
        </div>
      )}
      {error !== null && <ErrorNote error={error} onRetry={() => void run()} />}
      {replay !== null && <Outcome replay={replay} />}
    </Panel>
  );
}

function Outcome({ replay }: { readonly replay: PolicyReplay }) {
  if (replay.verdicts === 0) {
    return (
      <Empty icon="replay" title="No verdict to replay">
        <p>This policy made no verdict in that time, or none with the needed scores.</p>
      </Empty>
    );
  }
  return (
    <div class="stack">
      <div class="figures">
        <Figure label="Decided again" value={count(replay.verdicts)} />
        <Figure
          label="Would change"
          value={count(replay.changed)}
          detail={percent(replay.changed, replay.verdicts)}
        />
        <Figure label="Lack a score" value={count(replay.unscorable.verdicts)} />
        <Figure
          label="As people decided"
          value={`${count(replay.agreement.proposed)} / ${count(replay.agreement.reviewed)}`}
          detail={`now ${count(replay.agreement.current)}`}
        />
      </div>
      <div class="table-frame">
        <table class="plain-table replay-grid">
          <caption class="hidden">Decisions as they are, and as they would be</caption>
          <thead>
            <tr>
              <th scope="col">Is</th>
              {DECISIONS.map((to) => (
                <th key={to} scope="col" class="end">
                  would be {to}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {DECISIONS.map((from) => (
              <tr key={from}>
                <th scope="row">{from}</th>
                {DECISIONS.map((to) => (
                  <td key={to} class={from === to ? "end same" : "end"}>
                    {count(replay.by[from][to])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {replay.not_replayed.length > 0 && (
        <Warning>
          <p>
            Scores cannot show the effect of these changes:{" "}
            {replay.not_replayed.map(words).join(", ")}.
          </p>
        </Warning>
      )}
      {replay.examples.length > 0 && (
        <ul class="stack" aria-label="Examples">
          {replay.examples.slice(0, 10).map((example) => (
            <li key={example.verdict_id} class="row">
              <code>…{example.verdict_id.slice(-8)}</code>
              <TagBadge tag={example.from} />→<TagBadge tag={example.to} />
              <span class="soft">{example.categories.join(", ")}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
