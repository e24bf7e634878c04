import { useState } from "preact/hooks";
import { api, tenantPath } from "../api/session.ts";
import type { JournalLine, List } from "../api/shapes.ts";
import { exactNeurons, moment, neurons } from "../format.ts";
import { hashOf } from "../hash-route.ts";
import { Button } from "../ui/button.tsx";
import { SelectField } from "../ui/field.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, none, TagBadge } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";
import { Line } from "./journal-line.tsx";
import type { TabProps } from "./tenant-page.tsx";

const OUTCOMES = [
  { value: "", label: "Every outcome" },
  { value: "posted", label: "Posted" },
  { value: "voided", label: "Voided" },
  { value: "expired", label: "Expired" },
] as const;

export function JournalTab({ tenant }: TabProps) {
  const [outcome, setOutcome] = useState<(typeof OUTCOMES)[number]["value"]>("");
  const [line, setLine] = useState<JournalLine | null>(null);
  const path = tenantPath(tenant, "/ledger");
  const page = usePaged(`${path} ${outcome}`, (cursor, signal) =>
    api.get<List<JournalLine>>(path, { cursor, outcome, limit: 50 }, { signal }),
  );
  return (
    <Panel
      title="Journal"
      hint="One line for each call, newest first. A line never changes."
      actions={
        <>
          <SelectField label="Outcome" value={outcome} choices={OUTCOMES} onValue={setOutcome} />
          <Button icon="replay" onClick={page.reload}>
            Refresh
          </Button>
        </>
      }
    >
      <PagedTable
        page={page}
        caption="Journal lines"
        columns={columns(tenant, setLine)}
        keyOf={({ id }) => id}
        empty={
          <Empty icon="audit" title="No line yet">
            <p>Each admitted call gets a line when it ends.</p>
          </Empty>
        }
        filter={{ outcome }}
        more="Show older lines"
        lines={8}
      />
      {line !== null && (
        <Line tenant={tenant} line={line} onClose={() => setLine(null)} onAdjusted={page.reload} />
      )}
    </Panel>
  );
}

const columns = (
  tenant: string,
  open: (line: JournalLine) => void,
): readonly Column<JournalLine>[] => [
  {
    key: "settled",
    label: "Settled, UTC",
    main: true,
    cell: (line) => (
      <button type="button" class="link" onClick={() => open(line)}>
        {moment(line.settled_at)}
      </button>
    ),
  },
  { key: "outcome", label: "Outcome", cell: ({ outcome }) => <TagBadge tag={outcome} /> },
  { key: "route", label: "Route", cell: ({ route }) => <code>{route}</code> },
  {
    key: "verdict",
    label: "Verdict",
    cell: ({ verdict_id: id }) =>
      id === null ? (
        none
      ) : (
        <a href={hashOf(["tenants", tenant, "verdicts", id])}>…{id.slice(-6)}</a>
      ),
  },
  { key: "user", label: "User", cell: ({ user_id: user }) => user ?? none },
  { key: "held", label: "Held", end: true, cell: (line) => neurons(line.held_micro_neurons) },
  {
    key: "charged",
    label: "Charged",
    end: true,
    cell: (line) => <b title={exactNeurons(line.micro_neurons)}>{neurons(line.micro_neurons)}</b>,
  },
  {
    key: "overage",
    label: "Overage",
    end: true,
    cell: ({ overage_micro_neurons: overage }) => (overage === 0 ? none : neurons(overage)),
  },
];
