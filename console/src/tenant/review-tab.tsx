import { useEffect, useRef, useState } from "preact/hooks";
import { api, tenantPath } from "../api/session.ts";
import { RequestFailed } from "../api/problem.ts";
import type { Decision, List, Verdict } from "../api/shapes.ts";
import { count, moment } from "../format.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, ErrorNote, Skeleton, TagBadge } from "../ui/status.tsx";
import { VerdictView } from "../verdict-view.tsx";
import { CLAIMED_AT_ONCE, countOpen, ownClaims } from "./own-claims.ts";
import { StoredContent } from "./stored-content.tsx";
import type { TabProps } from "./tenant-page.tsx";

// The review queue. A person claims a few verdicts at a time, so that two people never review the same
// one, and decides each with one key.

const KEYS: Readonly<Record<string, Decision>> = { a: "allow", f: "flag", b: "block" };

export function ReviewTab({ tenant }: TabProps) {
  const path = tenantPath(tenant, "/verdicts");
  const [queue, setQueue] = useState<readonly Verdict[] | null>(null);
  const [at, setAt] = useState(0);
  const [note, setNote] = useState("");
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(0);
  const [waiting, setWaiting] = useState<string | null>(null);
  const current = queue?.[at] ?? null;

  const look = (signal: AbortSignal) =>
    countOpen(path, signal)
      .then(setWaiting)
      .catch(() => undefined);

  const claim = async () => {
    setBusy(true);
    setError(null);
    try {
      const body = { limit: CLAIMED_AT_ONCE };
      const claimed = await api.send<List<Verdict>>("POST", `${path}/claim`, body);
      setQueue((known) => together(known ?? [], claimed.data));
      if (claimed.data.length === 0) announce("No verdict is left to claim.");
      await look(new AbortController().signal);
    } catch (caught) {
      setError(caught as Error);
    }
    setBusy(false);
  };

  const decide = async (decision: Decision) => {
    if (current === null || busy) return;
    setBusy(true);
    setError(null);
    const body = {
      state: "done",
      decision,
      revision: current.revision,
      note: note === "" ? null : note,
    };
    try {
      await api.send("POST", `${path}/${encodeURIComponent(current.id)}/review`, body);
      announce(`Decided: ${decision}.`);
      setDone((n) => n + 1);
      without(current);
    } catch (caught) {
      if (caught instanceof RequestFailed && caught.problem.kind === "review_conflict") {
        announce("Somebody else has decided this verdict, or your claim has ended.", "bad");
        without(current);
      } else setError(caught as Error);
    }
    setBusy(false);
  };

  const without = (verdict: Verdict) => {
    const left = (queue ?? []).filter(({ id }) => id !== verdict.id);
    setQueue(left);
    setAt(Math.min(at, Math.max(0, left.length - 1)));
    setNote("");
  };

  const move = (by: number) =>
    setAt((before) => Math.max(0, Math.min((queue?.length ?? 1) - 1, before + by)));

  useEffect(() => {
    const abort = new AbortController();
    ownClaims(path, abort.signal)
      .then((found) => setQueue((known) => together(found, known ?? [])))
      .catch((caught: unknown) => !abort.signal.aborted && setError(caught as Error));
    void look(abort.signal);
    return () => abort.abort();
  }, [path]);
  useShortcuts({ decide, move, next: claim });

  return (
    <div class="split">
      <Panel
        title="To decide"
        hint={hintOf(queue?.length ?? 0, waiting, done)}
        actions={
          <Button icon="plus" kind="primary" busy={busy} onClick={() => void claim()}>
            Claim the next ones
          </Button>
        }
      >
        {error !== null && <ErrorNote error={error} onRetry={() => void claim()} />}
        {queue === null && error === null && <Skeleton lines={6} />}
        {queue?.length === 0 && (
          <Empty icon="scale" title="You have claimed nothing">
            <p>
              Claim the oldest verdicts that wait. For a quarter of an hour nobody else gets them.
              Flagged verdicts come here, and verdicts with a failed check.
            </p>
          </Empty>
        )}
        {queue !== null && queue.length > 0 && (
          <Queue queue={queue} current={current} onChoose={setAt} />
        )}
        <Help />
      </Panel>
      {current !== null && (
        <Panel title="This one">
          <StoredContent
            key={current.id}
            path={`${path}/${encodeURIComponent(current.id)}`}
            verdict={current}
          />
          <TextField label="Note" value={note} onValue={setNote} maxLength={1000} />
          <div class="actions">
            {Object.entries(KEYS).map(([key, decision]) => (
              <Button
                key={key}
                kind={decision === "block" ? "danger" : "plain"}
                disabled={busy}
                onClick={() => void decide(decision)}
              >
                <kbd aria-hidden="true">{key}</kbd> {decision}
              </Button>
            ))}
          </div>
          <VerdictView verdict={current} />
        </Panel>
      )}
    </div>
  );
}

function hintOf(claimed: number, waiting: string | null, done: number): string {
  const parts = [
    `${waiting ?? "…"} wait`,
    `${count(claimed)} claimed by you`,
    ...(done > 0 ? [`${count(done)} decided`] : []),
  ];
  return `${parts.join(", ")}.`;
}

interface QueueProps {
  readonly queue: readonly Verdict[];
  readonly current: Verdict | null;
  readonly onChoose: (at: number) => void;
}

const Queue = ({ queue, current, onChoose }: QueueProps) => (
  <ul class="verdict-list">
    {queue.map((verdict, at) => (
      <li key={verdict.id}>
        <button
          type="button"
          class="verdict-item"
          aria-current={verdict.id === current?.id ? "true" : undefined}
          onClick={() => onChoose(at)}
        >
          <TagBadge tag={verdict.decision} />
          {verdict.review.sampled && <span class="hint">sample</span>}
          <span class="what">
            {verdict.reasons[0]?.message ?? verdict.content_id ?? `…${verdict.id.slice(-6)}`}
          </span>
          <span class="hint">{moment(verdict.created_at).slice(5, 16)}</span>
        </button>
      </li>
    ))}
  </ul>
);

const Help = () => (
  <p class="keys-help">
    <span>
      <kbd>j</kbd> <kbd>k</kbd> next, before
    </span>
    <span>
      <kbd>a</kbd> allow
    </span>
    <span>
      <kbd>f</kbd> flag
    </span>
    <span>
      <kbd>b</kbd> block
    </span>
    <span>
      <kbd>n</kbd> claim the next ones
    </span>
  </p>
);

/** Verdicts that were claimed while the list was loading, and those of the list, each once. */
const together = (first: readonly Verdict[], then: readonly Verdict[]): readonly Verdict[] => [
  ...first.filter(({ id }) => !then.some((one) => one.id === id)),
  ...then,
];

interface Shortcuts {
  readonly decide: (decision: Decision) => Promise<void>;
  readonly move: (by: number) => void;
  readonly next: () => Promise<void>;
}

/** The queue's shortcuts. They are off while a person types, and with a modifier, which browsers use. */
function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const { target } = event;
      if (target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
        return;
      if (document.querySelector("dialog[open]") !== null) return;
      const decision = KEYS[event.key];
      if (decision !== undefined) void latest.current.decide(decision);
      else if (event.key === "j") latest.current.move(1);
      else if (event.key === "k") latest.current.move(-1);
      else if (event.key === "n") void latest.current.next();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
