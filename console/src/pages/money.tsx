import { useState } from "preact/hooks";
import { OTHERS } from "../api/read-usage.ts";
import type { AllUsage, Resource, UsageRow } from "../api/shapes.ts";
import { api } from "../api/session.ts";
import {
  count,
  counted,
  exactNeurons,
  milliseconds,
  moment,
  neurons,
  percent,
  usd,
  words,
} from "../format.ts";
import { hashOf } from "../hash-route.ts";
import { lastDays, RangeBar } from "../tenant/range.tsx";
import { RowFiles } from "../ui/download.tsx";
import { Figure, Panel } from "../ui/panel.tsx";
import { Badge, Empty, LoadState } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { useLoad } from "../ui/use-load.ts";
import { VerdictSumsPanel } from "../verdict-sums-panel.tsx";
import { Reconciliation } from "./reconciliation.tsx";

/** Tenants with a row of their own on the page. The files have all tenants. */
const LARGEST = "50";

/** The spending of each tenant, the cost of the platform itself, and the expected bill of Cloudflare. */
export function MoneyPage() {
  const [range, setRange] = useState(lastDays(7));
  const query = { ...range, group_by: "tenant", largest: LARGEST };
  const { data, error, loading, reload } = useLoad(JSON.stringify(query), (signal) =>
    api.get<AllUsage>("/admin/usage", query, { signal }),
  );
  const file = `usage-${range.from}-${range.to}`;
  const path = `/admin/usage?from=${range.from}&to=${range.to}&group_by=day,tenant`;
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>Money</h1>
          <p class="hint">
            {data?.as_of == null
              ? "From the reports, which tenants update continuously."
              : `From the reports, as of ${moment(data.as_of)} UTC.`}
          </p>
        </div>
        <div class="actions">
          <a href={hashOf(["money", "report"])}>Report</a>
          <RowFiles path={path} name={file} />
        </div>
      </header>
      <RangeBar range={range} onRange={setRange} loading={loading} />
      <LoadState data={data} error={error} onRetry={reload} lines={8} />
      {data !== null && <Report usage={data} />}
      <Reconciliation />
    </div>
  );
}

function Report({ usage }: { readonly usage: AllUsage }) {
  const { totals, month } = usage;
  if (totals === null || month === null) return null;
  return (
    <>
      <Panel title="Total" hint={`${usage.from} to ${usage.to}, UTC days`}>
        <div class="figures">
          <Figure label="Calls" value={count(totals.calls)} />
          <Figure
            label="Succeeded"
            value={totals.success_rate === null ? "–" : percent(totals.success_rate, 1)}
          />
          <Figure
            label="Neurons"
            value={neurons(totals.micro_neurons)}
            title={exactNeurons(totals.micro_neurons)}
          />
          <Figure label="Cost of models" value={usd(totals.cost_usd)} title={totals.cost_usd} />
          <Figure label="Charged" value={usd(totals.charge_usd)} title={totals.charge_usd} />
          <Figure
            label="Cost of the platform"
            value={usd(usage.platform_cost_usd ?? "0")}
            detail="before the plan's included amounts"
          />
          <Figure
            label={`${month.month} so far`}
            value={usd(month.to_date.cost_usd)}
            detail={`${usd(month.to_date.charge_usd)} charged`}
          />
          <Figure
            label="At its end"
            value={month.forecast === null ? "–" : usd(month.forecast.cost_usd)}
            detail={
              month.forecast === null
                ? "too early to tell"
                : `${usd(month.forecast.charge_usd)} charged, if the pace stays`
            }
          />
        </div>
      </Panel>
      <VerdictSumsPanel verdicts={totals.verdicts} />
      <Panel
        title="By tenant"
        hint={`The ${LARGEST} tenants that used most, and the sum of all others. The files have every tenant.`}
      >
        {usage.data.length === 0 ? (
          <Empty icon="money" title="Nothing was used in these days">
            <p>Usage of a tenant appears here within a minute.</p>
          </Empty>
        ) : (
          <Table
            caption="Usage by tenant"
            columns={TENANT_COLUMNS}
            rows={usage.data}
            keyOf={({ tenant }) => tenant ?? ""}
            initial={{ key: "neurons", down: true }}
          />
        )}
      </Panel>
      <Panel
        title="The platform's own resources"
        hint="Cloudflare's charges beside the models, computed from counts and a price book."
      >
        <Table
          caption="Resources"
          columns={RESOURCE_COLUMNS}
          rows={usage.platform ?? []}
          keyOf={({ resource, unit }) => `${resource} ${unit}`}
        />
      </Panel>
    </>
  );
}

const TENANT_COLUMNS: readonly Column<UsageRow>[] = [
  {
    key: "tenant",
    label: "Tenant",
    main: true,
    sort: ({ tenant }) => tenant ?? "",
    cell: ({ tenant }) =>
      tenant === OTHERS ? (
        "All others"
      ) : (
        <a href={hashOf(["tenants", tenant ?? "", "usage"])}>{tenant}</a>
      ),
  },
  {
    key: "calls",
    label: "Calls",
    end: true,
    sort: (row) => row.calls ?? 0,
    cell: (row) => count(row.calls ?? 0),
  },
  {
    key: "rate",
    label: "Succeeded",
    end: true,
    cell: (row) => (row.success_rate === null ? "–" : percent(row.success_rate, 1)),
  },
  {
    key: "neurons",
    label: "Neurons",
    end: true,
    sort: (row) => row.micro_neurons,
    cell: (row) => (
      <span title={exactNeurons(row.micro_neurons)}>{neurons(row.micro_neurons)}</span>
    ),
  },
  {
    key: "cost",
    label: "Cost",
    end: true,
    sort: (row) => Number(row.cost_usd),
    cell: (row) => <span title={row.cost_usd}>{usd(row.cost_usd)}</span>,
  },
  {
    key: "charge",
    label: "Charged",
    end: true,
    sort: (row) => Number(row.charge_usd ?? 0),
    cell: (row) => (row.charge_usd === null ? "–" : usd(row.charge_usd)),
  },
  {
    key: "p50",
    label: "p50",
    end: true,
    sort: (row) => row.latency?.p50_ms ?? 0,
    cell: (row) => milliseconds(row.latency?.p50_ms),
  },
  {
    key: "p95",
    label: "p95",
    end: true,
    sort: (row) => row.latency?.p95_ms ?? 0,
    cell: (row) => milliseconds(row.latency?.p95_ms),
  },
  {
    key: "p99",
    label: "p99",
    end: true,
    sort: (row) => row.latency?.p99_ms ?? 0,
    cell: (row) => milliseconds(row.latency?.p99_ms),
  },
];

const RESOURCE_COLUMNS: readonly Column<Resource>[] = [
  { key: "resource", label: "Resource", main: true, cell: ({ resource }) => words(resource) },
  {
    key: "count",
    label: "Count",
    end: true,
    cell: ({ count: many, unit }) => (many === null ? "–" : counted(many, words(unit))),
  },
  {
    key: "basis",
    label: "Basis",
    cell: ({ basis, how }) => (
      <span title={how}>
        <Badge tone={basis === "counted" ? "good" : basis === "estimated" ? "info" : "neutral"}>
          {basis}
        </Badge>
      </span>
    ),
  },
  {
    key: "included",
    label: "The plan includes",
    end: true,
    cell: ({ included }) =>
      included === null ? "–" : `${count(included.amount)} a ${included.every}`,
  },
  {
    key: "cost",
    label: "Cost",
    end: true,
    cell: ({ cost_usd: cost }) => (cost === null ? "–" : usd(cost)),
  },
];
