import { useState } from "preact/hooks";
import { api, tenantPath } from "../api/session.ts";
import type { List, Refusal } from "../api/shapes.ts";
import { count, moment, neurons, words } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Badge, Empty, none } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";
import { type DayRange, lastDays, RangePicker } from "./range.tsx";
import type { TabProps } from "./tenant-page.tsx";

const DAY_MS = 86_400_000;

const timesOf = ({ from, to }: DayRange) => ({
  from: `${from}T00:00:00.000Z`,
  to: new Date(Date.parse(to) + DAY_MS).toISOString(),
});

export function RefusalsTab({ tenant }: TabProps) {
  const [range, setRange] = useState(lastDays(1));
  const path = tenantPath(tenant, "/refusals");
  const page = usePaged(`${path} ${range.from} ${range.to}`, (cursor, signal) =>
    api.get<List<Refusal>>(path, { ...timesOf(range), cursor, limit: 100 }, { signal }),
  );
  return (
    <Panel
      title="Refusals by minute"
      hint="Why calls were refused, with the figures at that time. Counts appear within seconds."
      actions={
        <Button icon="replay" onClick={page.reload}>
          Refresh
        </Button>
      }
    >
      <RangePicker range={range} onRange={setRange} />
      <PagedTable
        page={page}
        caption="Refusals"
        columns={COLUMNS}
        keyOf={({ minute, kind, policy }) => `${minute} ${kind} ${policy ?? ""}`}
        empty={
          <Empty icon="check" title="Nothing was refused">
            <p>In the chosen days, every call with a valid key was admitted.</p>
          </Empty>
        }
        more="Show more"
        lines={6}
      />
    </Panel>
  );
}

const amount = (value: number | null) => (value === null ? none : neurons(value));

const COLUMNS: readonly Column<Refusal>[] = [
  {
    key: "minute",
    label: "Minute, UTC",
    main: true,
    cell: ({ minute }) => moment(minute).slice(0, 16),
  },
  { key: "kind", label: "Kind", cell: ({ kind }) => <Badge tone="bad">{words(kind)}</Badge> },
  { key: "policy", label: "By", cell: ({ policy }) => (policy === null ? "–" : words(policy)) },
  { key: "count", label: "Calls", end: true, cell: (refusal) => count(refusal.count) },
  { key: "limit", label: "Limit", end: true, cell: (one) => amount(one.limit_micro_neurons) },
  { key: "posted", label: "Posted", end: true, cell: (one) => amount(one.posted_micro_neurons) },
  { key: "pending", label: "Held", end: true, cell: (one) => amount(one.pending_micro_neurons) },
  {
    key: "required",
    label: "Asked for",
    end: true,
    cell: (one) => amount(one.largest_required_micro_neurons),
  },
  {
    key: "request",
    label: "First request",
    cell: ({ first_request_id: id }) => <code title={id}>…{id.slice(-8)}</code>,
  },
];
