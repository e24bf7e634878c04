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

interface Failed {
  readonly error: Error;
  /** The same once more; null for a decision, whose buttons are there. */
  readonly again: (() => Promise<void>) | null;
}

const retryOf = ({ again }: Failed) => (again === null ? undefined : () => void again());

export function ReviewTab({ tenant }: TabProps) {
  const path = tenantPath(tenant, "/verdicts");
  const [queue, setQueue] = useState<readonly Verdict[] | null>(null);
  const [at, setAt] = useState(0);
  const [notes, setNotes] = useState<Readonly<Record<string, string>>>({});
  const [failed, setFailed] = useState<Failed | null>(null);
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(0);
  const [waiting, setWaiting] = useState<string | null>(null);
  const current = queue?.[at] ?? null;
  const note = current === null ? "" : (notes[current.id] ?? "");

  const fail = (caught: unknown, again: Failed["again"]) =>
    setFailed({ error: caught as Error, again });

  const look = (signal: AbortSignal) =>
    countOpen(path, signal)
      .then(setWaiting)
      .catch(() => undefined);

  const load = (signal: AbortSignal) => {
    setFailed(null);
    void look(signal);
    return ownClaims(path, signal)
      .then((found) => setQueue((known) => together(found, known ?? [])))
      .catch((caught: unknown) => {
        if (!signal.aborted) fail(caught, () => load(signal));
      });
  };

  const claim = async () => {
    setBusy(true);
    setFailed(null);
    try {
      const body = { limit: CLAIMED_AT_ONCE };
      const claimed = await api.send<List<Verdict>>("POST", `${path}/claim`, body);
      setQueue((known) => together(known ?? [], claimed.data));
      if (claimed.data.length === 0) announce("No verdict is left to claim.");
      await look(new AbortController().signal);
    } catch (caught) {
      fail(caught, claim);
    }
    setBusy(false);
  };

  const decide = async (decision: Decision) => {
    if (current === null || busy) return;
    setBusy(true);
    setFailed(null);
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
      } else fail(caught, null);
    }
    setBusy(false);
  };

  const without = (verdict: Verdict) => {
    const left = (queue ?? []).filter(({ id }) => id !== verdict.id);
    setQueue(left);
    setAt(Math.min(at, Math.max(0, left.length - 1)));
  };

  const move = (by: number) =>
    setAt((before) => Math.max(0, Math.min((queue?.length ?? 1) - 1, before + by)));

  useEffect(() => {
    const abort = new AbortController();
    void load(abort.signal);
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
        {failed !== null && <ErrorNote error={failed.error} onRetry={retryOf(failed)} />}
        {queue === null && failed === null && <Skeleton lines={6} />}
        {queue?.length === 0 && (
          <Empty icon="scale" title="You have claimed nothing">
            <p>
              Claim the verdicts that wait: urgent ones first, then the oldest. For a quarter of an
              hour nobody else gets them. Flagged verdicts come here, those with a failed check,
              appeals, and samples of what was approved.
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
          <TextField
            label="Note"
            value={note}
            onValue={(typed) => setNotes({ ...notes, [current.id]: typed })}
            maxLength={1000}
          />
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
