import { useState } from "preact/hooks";
import type { List, ReconciledDay } from "../api/shapes.ts";
import { api } from "../api/session.ts";
import { dayFrom, exactNeurons, neurons, percent, usd, words } from "../format.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { Badge, Empty, LoadState, Warning } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { useLoad } from "../ui/use-load.ts";

/** The request waits while the server asks Cloudflare for a day's figures. */
const TIMEOUT_MS = 60_000;

export const useReconciliation = () =>
  useLoad("reconciliation", (signal) =>
    api.get<List<ReconciledDay>>("/admin/reconciliation", {}, { signal }),
  );

/** The journals compared with Cloudflare's own figures, by day. */
export function Reconciliation() {
  const { data, error, reload } = useReconciliation();
  const [day, setDay] = useState(dayFrom(Date.now(), -1));
  const [busy, setBusy] = useState(false);
  const days = data?.data ?? [];
  const latest = days[0];
  const compare = async () => {
    setBusy(true);
    try {
      const kept = await api.send<ReconciledDay>(
        "POST",
        "/admin/reconcile",
        { day },
        { timeoutMs: TIMEOUT_MS },
      );
      const compared = kept.last_outcome === "compared";
      announce(`${day}: ${words(kept.last_outcome)}.`, compared ? "good" : "bad");
    } catch (caught) {
      announce((caught as Error).message, "bad");
    }
    setBusy(false);
    reload();
  };
  return (
    <Panel
      title="Reconciliation"
      hint="The journals compared with Cloudflare's count: every night, or now."
      actions={
        <>
          <TextField label="Day" type="date" value={day} onValue={setDay} />
          <Button icon="scale" busy={busy} onClick={() => void compare()}>
            Compare
          </Button>
        </>
      }
    >
      <LoadState data={data} error={error} onRetry={reload} lines={4} />
      {latest?.last_outcome === "not_configured" && (
        <Warning>
          <p>
            Cloudflare's figures cannot be read: set the secrets <code>CLOUDFLARE_ACCOUNT_ID</code>{" "}
            and <code>CLOUDFLARE_API_TOKEN</code>.
          </p>
        </Warning>
      )}
      {data !== null && days.length === 0 && (
        <Empty icon="scale" title="No day was compared yet">
          <p>It happens at 02:00 UTC for the day before.</p>
        </Empty>
      )}
      {days.length > 0 && (
        <Table caption="Days" columns={COLUMNS} rows={days} keyOf={({ day: one }) => one} />
      )}
    </Panel>
  );
}

export function DriftBadge({ day }: { readonly day: ReconciledDay }) {
  const { drift_micro_neurons: drift, micro_neurons: ours } = day;
  if (drift === null) return <Badge tone="neutral">{words(day.state)}</Badge>;
  const share = ours === 0 ? (drift === 0 ? 0 : 1) : Math.abs(drift) / ours;
  return (
    <span title={exactNeurons(drift)}>
      <Badge tone={share > 0.02 ? "bad" : share > 0.005 ? "warn" : "good"}>
        {drift > 0 ? "+" : ""}
        {neurons(drift)} N, {percent(share, 1)}
      </Badge>
    </span>
  );
}

const COLUMNS: readonly Column<ReconciledDay>[] = [
  { key: "day", label: "Day", main: true, cell: ({ day }) => day },
  { key: "drift", label: "Drift", cell: (day) => <DriftBadge day={day} /> },
  { key: "ours", label: "Ours", end: true, cell: (day) => neurons(day.micro_neurons) },
  {
    key: "theirs",
    label: "Cloudflare's",
    end: true,
    cell: (day) =>
      day.upstream_micro_neurons === null ? "–" : neurons(day.upstream_micro_neurons),
  },
  {
    key: "why",
    label: "Estimated, held",
    end: true,
    cell: (day) => `${neurons(day.estimated_micro_neurons)}, ${neurons(day.held_micro_neurons)}`,
  },
  { key: "bill", label: "Expected bill", end: true, cell: (day) => usd(day.expected_bill_usd) },
  { key: "charged", label: "Charged", end: true, cell: (day) => usd(day.charged_to_tenants_usd) },
  { key: "carried", label: "Carried", end: true, cell: (day) => usd(day.carried_by_platform_usd) },
];
