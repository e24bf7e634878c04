import { useState } from "preact/hooks";
import { tenantPath } from "../api/session.ts";
import type { Usage } from "../api/shapes.ts";
import { count, milliseconds, exactNeurons, neurons, shortModel, usd, words } from "../format.ts";
import { StackedBars } from "../ui/chart.tsx";
import { Figure, Panel } from "../ui/panel.tsx";
import { Empty, LoadState } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { readUsage } from "../api/read-usage.ts";
import { useLoad } from "../ui/use-load.ts";
import { byDay, daysOf, sumByModel } from "./by-day.ts";
import { lastDays, RangeBar } from "./range.tsx";
import { VerdictSumsPanel } from "../verdict-sums-panel.tsx";
import type { TabProps } from "./tenant-page.tsx";

export function UsageTab({ tenant }: TabProps) {
  const [range, setRange] = useState(lastDays(7));
  const path = tenantPath(tenant, "/usage");
  const key = `${path} ${range.from} ${range.to}`;
  const { data, error, loading, reload } = useLoad(key, (signal) =>
    readUsage<Usage>(path, { ...range, group_by: "day,model" }, signal),
  );
  return (
    <div class="stack">
      <RangeBar range={range} onRange={setRange} loading={loading} />
      <LoadState data={data} error={error} onRetry={reload} lines={8} />
      {data !== null && <UsageReport usage={data} range={range} />}
    </div>
  );
}

function UsageReport({
  usage,
  range,
}: {
  readonly usage: Usage;
  readonly range: { from: string; to: string };
}) {
  const { totals, month } = usage;
  const refused = Object.values(totals.refused).reduce((sum, n) => sum + n, 0);
  const days = daysOf(range.from, range.to);
  return (
    <div class="grid">
      <Panel title="Total" class="span-12" hint={`${range.from} to ${range.to}, UTC days`}>
        <div class="figures">
          <Figure label="Calls" value={count(totals.calls)} />
          <Figure
            label="Neurons"
            value={neurons(totals.micro_neurons)}
            title={exactNeurons(totals.micro_neurons)}
          />
          <Figure label="Of quota" value={neurons(totals.quota_micro_neurons)} unit="N" />
          <Figure label="Granted" value={neurons(totals.granted_micro_neurons)} unit="N" />
          <Figure label="Overage" value={neurons(totals.overage_micro_neurons)} unit="N" />
          <Figure label="Cost" value={usd(totals.cost_usd)} title={`USD ${totals.cost_usd}`} />
          <Figure
            label="Charge"
            value={usd(totals.charge_usd)}
            title={`USD ${totals.charge_usd}`}
          />
          <Figure label="Refused" value={count(refused)} />
          <Figure
            label="Latency p50"
            value={milliseconds(totals.latency.p50_ms)}
            detail={`p95 ${milliseconds(totals.latency.p95_ms)}, p99 ${milliseconds(totals.latency.p99_ms)}`}
          />
          <Figure
            label={`${month.month} so far`}
            value={usd(month.to_date.charge_usd)}
            detail={
              month.forecast === null ? "charged" : `${usd(month.forecast.charge_usd)} at its end`
            }
          />
        </div>
      </Panel>
      <VerdictSumsPanel verdicts={totals.verdicts} />
      {usage.data.length === 0 ? (
        <Panel title="By day and model" class="span-12">
          <Empty icon="money" title="Nothing was used in these days">
            <p>Make a call under “Try it”, or look at other days.</p>
          </Empty>
        </Panel>
      ) : (
        <>
          <Panel title="Neurons by day and model" class="span-12">
            <StackedBars
              label="Neurons by day and model"
              places={days}
              series={byDay(usage.data, days)}
              format={(n) => count(n)}
            />
          </Panel>
          <Panel
            title="By model"
            class="span-12"
            hint={
              usage.has_more ? "Some rows are not shown. The totals above are complete." : undefined
            }
          >
            <Table
              caption="Usage by model"
              columns={COLUMNS}
              rows={sumByModel(usage.data)}
              keyOf={({ model }) => model}
              initial={{ key: "neurons", down: true }}
            />
          </Panel>
        </>
      )}
    </div>
  );
}

type ModelSum = ReturnType<typeof sumByModel>[number];

const COLUMNS: readonly Column<ModelSum>[] = [
  {
    key: "model",
    label: "Model",
    main: true,
    sort: ({ model }) => model,
    cell: ({ model }) => <span title={model}>{shortModel(model)}</span>,
  },
  { key: "task", label: "Task", cell: ({ task }) => words(task) },
  {
    key: "calls",
    label: "Engine calls",
    end: true,
    sort: (row) => row.requests,
    cell: (row) => count(row.requests),
  },
  {
    key: "failed",
    label: "Failed",
    end: true,
    sort: (row) => row.failed,
    cell: (row) => count(row.failed),
  },
  {
    key: "units",
    label: "Units",
    end: true,
    cell: ({ units }) =>
      Object.entries(units)
        .map(([unit, n]) => `${count(n)} ${words(unit)}`)
        .join(", "),
  },
  {
    key: "neurons",
    label: "Neurons",
    end: true,
    sort: (row) => row.microNeurons,
    cell: (row) => <span title={exactNeurons(row.microNeurons)}>{neurons(row.microNeurons)}</span>,
  },
  {
    key: "basis",
    label: "Estimated",
    end: true,
    cell: (row) => neurons(row.estimated + row.held),
  },
];
