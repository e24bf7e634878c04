import { useState } from "preact/hooks";
import {
  type OtherPriceBook,
  readPriceBook,
} from "../../../src/domain/catalogue/other-price-book.ts";
import {
  atOtherPrices,
  comparedModels,
  comparedPeriods,
  type Period,
  type ReportCell,
  type ReportTable,
  reportTables,
} from "../../../src/domain/usage/cost-report.ts";
import { readUsage } from "../api/read-usage.ts";
import { api } from "../api/session.ts";
import type { AllUsage, Costs, Usage } from "../api/shapes.ts";
import { count } from "../format.ts";
import { type DayRange, lastDays, RangeBar } from "../tenant/range.tsx";
import { Button } from "../ui/button.tsx";
import { RowFiles } from "../ui/download.tsx";
import { TextField } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, ErrorNote, LoadState } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { useLoad } from "../ui/use-load.ts";

/** Use and costs of a period, as `npm run report` writes them; for the screen and for paper. */
export function ReportPage() {
  const [range, setRange] = useState(lastDays(30));
  const [beside, setBeside] = useState<DayRange>({ from: "", to: "" });
  const [tenant, setTenant] = useState("");
  const [models, setModels] = useState<readonly [string, string]>(["", ""]);
  const [book, setBook] = useState<OtherPriceBook | string | null>(null);
  const compares = beside.from !== "" && beside.to !== "";
  const asked = { range, tenant: tenant.trim(), beside: compares ? beside : null };
  const { data, error, loading, reload } = useLoad(JSON.stringify(asked), async (signal) => {
    const period = await readPeriod(asked.range, asked.tenant, signal);
    const other =
      asked.beside === null ? null : await readPeriod(asked.beside, asked.tenant, signal);
    return { period, other };
  });
  const path = `/admin/costs?from=${range.from}&to=${range.to}${tenantQuery(asked.tenant)}`;
  const file = `costs-${range.from}-${range.to}`;
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>Report</h1>
        </div>
        <div class="actions no-print">
          <Button onClick={() => print()}>Print</Button>
          <RowFiles path={path} name={file} csv="Costs as CSV" />
        </div>
      </header>
      <p class="hint">
        {range.from} to {range.to}, {asked.tenant === "" ? "all tenants" : asked.tenant}. Costs are
        list prices, before what the account's plan includes.
      </p>
      <div class="no-print">
        <RangeBar range={range} onRange={setRange} loading={loading} />
        <div class="row">
          <TextField label="Tenant" value={tenant} onValue={setTenant} />
          <TextField
            label="Compare from"
            type="date"
            value={beside.from}
            onValue={(from) => setBeside({ ...beside, from })}
          />
          <TextField
            label="Compare to"
            type="date"
            value={beside.to}
            onValue={(to) => setBeside({ ...beside, to })}
          />
          <TextField
            label="One model"
            value={models[0]}
            onValue={(one) => setModels([one, models[1]])}
          />
          <TextField
            label="Another model"
            value={models[1]}
            onValue={(other) => setModels([models[0], other])}
          />
          <PriceFile onBook={setBook} />
        </div>
        {typeof book === "string" && <ErrorNote error={new Error(book)} />}
      </div>
      <LoadState data={data} error={error} onRetry={reload} lines={8} />
      {data !== null &&
        tablesOf(data, models, typeof book === "string" ? null : book).map((table) => (
          <ReportPanel key={table.title} table={table} />
        ))}
    </div>
  );
}

const tenantQuery = (tenant: string): string =>
  tenant === "" ? "" : `&tenant=${encodeURIComponent(tenant)}`;

/** The prices of another provider; the file stays in the browser. */
function PriceFile({ onBook }: { readonly onBook: (book: OtherPriceBook | string) => void }) {
  const read = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      onBook(readPriceBook(JSON.parse(await file.text())));
    } catch (error) {
      onBook(`${file.name}: ${(error as Error).message}`);
    }
  };
  return (
    <label class="field">
      <span class="label">Price book of another provider</span>
      <input
        type="file"
        accept="application/json,.json"
        onChange={(event) => void read(event.currentTarget.files?.[0])}
      />
    </label>
  );
}

const tablesOf = (
  { period, other }: { readonly period: Period; readonly other: Period | null },
  [one, another]: readonly [string, string],
  book: OtherPriceBook | null,
): readonly ReportTable[] => [
  ...reportTables(period),
  ...(other === null ? [] : [comparedPeriods(period, other)]),
  ...(one.trim() === "" || another.trim() === ""
    ? []
    : [comparedModels(period, one.trim(), another.trim())]),
  ...(book === null ? [] : [atOtherPrices(period, book)]),
];

interface Cells {
  readonly at: number;
  readonly cells: readonly ReportCell[];
}

function ReportPanel({ table }: { readonly table: ReportTable }) {
  const columns = table.columns.map((label, at): Column<Cells> => ({
    key: label,
    label,
    cell: ({ cells }) => shown(cells[at] ?? null),
    ...(at === 0 ? { main: true } : { end: true }),
  }));
  const rows = table.rows.map((cells, at): Cells => ({ at, cells }));
  return (
    <Panel title={table.title} {...(table.note !== null && { hint: table.note })}>
      {rows.length === 0 ? (
        <Empty icon="money" title="Nothing to show">
          {table.note === null && <p>There was no use in this period.</p>}
        </Empty>
      ) : (
        <Table caption={table.title} columns={columns} rows={rows} keyOf={({ at }) => String(at)} />
      )}
    </Panel>
  );
}

function shown(cell: ReportCell) {
  if (cell === null) return <span class="hint">unknown</span>;
  return typeof cell === "number" && Number.isInteger(cell) ? count(cell) : String(cell);
}

async function readPeriod(
  { from, to }: DayRange,
  tenant: string,
  signal: AbortSignal,
): Promise<Period> {
  const base = tenant === "" ? "/admin" : `/admin/tenants/${encodeURIComponent(tenant)}`;
  const query = { from, to };
  const [usage, first, costs] = await Promise.all([
    readUsage<Usage | AllUsage>(`${base}/usage`, { ...query, group_by: "model" }, signal),
    // The sums are on the first page.
    api.get<Usage | AllUsage>(
      `${base}/usage`,
      { ...query, group_by: "model", limit: 1 },
      { signal },
    ),
    api.get<Costs>(`${base}/costs`, query, { signal }),
  ]);
  if (first.totals === null) throw new Error("The first page has no totals.");
  return {
    from,
    to,
    tenant: tenant === "" ? null : tenant,
    models: usage.data,
    totals: first.totals,
    services: costs.totals.services,
    documents: costs.documents,
    executions: costs.executions,
  };
}
