import { useState } from "preact/hooks";
import { api } from "../api/session.ts";
import type { Delivery, List, Webhook } from "../api/shapes.ts";
import { count, moment, words } from "../format.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { SelectField, TextField } from "../ui/field.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, ErrorNote, none, TagBadge } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";

interface DeliveriesProps {
  readonly path: string;
  readonly deliveriesPath: string;
  readonly webhook: Webhook;
  readonly onChanged: () => void;
}

const STATES = [
  { value: "", label: "Every state" },
  { value: "pending", label: "Pending" },
  { value: "delivered", label: "Delivered" },
  { value: "failed", label: "Failed" },
] as const;

export function Deliveries({ path, deliveriesPath, webhook, onChanged }: DeliveriesProps) {
  const [state, setState] = useState<(typeof STATES)[number]["value"]>("");
  const [asking, setAsking] = useState(false);
  const [testing, setTesting] = useState(false);
  const own = `${path}/${webhook.id}`;
  const page = usePaged(`${own} ${state}`, (cursor, signal) =>
    api.get<List<Delivery>>(`${own}/deliveries`, { state, cursor, limit: 50 }, { signal }),
  );
  const replay = async ({ id }: Delivery) => {
    try {
      await api.send("POST", `${deliveriesPath}/${encodeURIComponent(id)}/replay`);
      announce("It is sent again.");
    } catch (caught) {
      announce((caught as Error).message, "bad");
    }
    // By then most deliveries that are sent at once have their result.
    setTimeout(page.reload, 700);
  };
  const test = async () => {
    setTesting(true);
    try {
      const tried = await api.send<Delivery>("POST", `${own}/test`);
      const last = tried.attempts.at(-1);
      const good = tried.state === "delivered";
      announce(
        good ? "The endpoint accepted the test." : `The test failed: ${saidOf(last)}.`,
        good ? "good" : "bad",
      );
    } catch (caught) {
      announce((caught as Error).message, "bad");
    }
    setTesting(false);
    page.reload();
  };
  return (
    <Panel
      title="Deliveries"
      hint={webhook.url}
      actions={
        <>
          <SelectField label="State" value={state} choices={STATES} onValue={setState} />
          <Button busy={testing} onClick={() => void test()}>
            Send a test
          </Button>
          <Button icon="replay" onClick={() => setAsking(true)}>
            Replay a time
          </Button>
          <Button onClick={page.reload}>Refresh</Button>
        </>
      }
    >
      <PagedTable
        page={page}
        caption="Deliveries"
        columns={columns(replay)}
        keyOf={({ id }) => id}
        empty={
          <Empty icon="bell" title="Nothing was sent yet">
            <p>Send a test, or wait for an event that the endpoint subscribed to.</p>
          </Empty>
        }
        filter={{ state }}
        more="Show older ones"
        lines={5}
      />
      {asking && (
        <ReplayTime
          path={own}
          onClose={() => setAsking(false)}
          onAsked={() => {
            setAsking(false);
            onChanged();
            setTimeout(page.reload, 700);
          }}
        />
      )}
    </Panel>
  );
}

const saidOf = (attempt: Delivery["attempts"][number] | undefined): string =>
  attempt === undefined
    ? "it was not tried"
    : attempt.error === null
      ? `it answered ${attempt.status}`
      : `${words(attempt.error)}${attempt.status === null ? "" : ` ${attempt.status}`}`;

const columns = (replay: (delivery: Delivery) => Promise<void>): readonly Column<Delivery>[] => [
  {
    key: "event",
    label: "Event, UTC",
    main: true,
    cell: (delivery) => (
      <>
        <span title={delivery.event_id}>{moment(delivery.created_at)}</span>
        <p class="hint">{delivery.event_type ?? "not stored any more"}</p>
      </>
    ),
  },
  { key: "state", label: "State", cell: ({ state }) => <TagBadge tag={state} /> },
  { key: "tries", label: "Tries", end: true, cell: ({ attempt_count: tries }) => count(tries) },
  {
    key: "last",
    label: "Last said",
    cell: ({ attempts }) => (
      <span title={attempts.at(-1)?.reply ?? undefined}>{saidOf(attempts.at(-1))}</span>
    ),
  },
  {
    key: "latency",
    label: "Latency",
    end: true,
    cell: ({ attempts }) => {
      const last = attempts.at(-1);
      return last === undefined ? "–" : `${Math.round(last.latency_ms)} ms`;
    },
  },
  {
    key: "next",
    label: "Next try",
    cell: ({ next_attempt_at: next }) => (next === null ? none : moment(next).slice(5)),
  },
  {
    key: "acts",
    label: "Actions",
    end: true,
    cell: (delivery) => (
      <Button
        small
        icon="replay"
        label={`Replay the delivery of ${moment(delivery.created_at)}`}
        onClick={() => void replay(delivery)}
      >
        Replay
      </Button>
    ),
  },
];

interface ReplayTimeProps {
  readonly path: string;
  readonly onClose: () => void;
  readonly onAsked: () => void;
}

function ReplayTime({ path, onClose, onAsked }: ReplayTimeProps) {
  const [from, setFrom] = useState(new Date(Date.now() - 86_400_000).toISOString().slice(0, 16));
  const [only, setOnly] = useState<"failed" | "all">("failed");
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const ask = async () => {
    setBusy(true);
    setError(null);
    try {
      await api.send("POST", `${path}/replay`, { from: `${from}:00.000Z`, only });
      announce("The replay has begun. New events are sent first.");
      onAsked();
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Replay a time" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <TextField
          label="Events from, UTC"
          type="datetime-local"
          required
          value={from}
          onValue={setFrom}
        />
        <SelectField
          label="Which"
          value={only}
          choices={[
            { value: "failed", label: "only events that were not delivered" },
            { value: "all", label: "all events, once more" },
          ]}
          onValue={setOnly}
        />
        {error !== null && <ErrorNote error={error} what="The replay was not started" />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>
            Replay
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
