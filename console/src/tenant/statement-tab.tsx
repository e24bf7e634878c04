import { api, tenantPath } from "../api/session.ts";
import type { Statement } from "../api/shapes.ts";
import { count, exactNeurons, moment, neurons, shortModel, usd, words } from "../format.ts";
import { go } from "../hash-route.ts";
import { Button } from "../ui/button.tsx";
import { Download, RowFiles } from "../ui/download.tsx";
import { SelectField } from "../ui/field.tsx";
import { Figure, Panel } from "../ui/panel.tsx";
import { Badge, Empty, LoadState, Warning } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { useLoad } from "../ui/use-load.ts";
import { lastMonths } from "./months.ts";
import type { TabProps } from "./tenant-page.tsx";

/** A month's statement, to read, print or save in the formats that the server writes. */
export function StatementTab({ tenant, item }: TabProps) {
  const months = lastMonths(Date.now(), 13);
  const month = item ?? months[0] ?? "";
  const path = tenantPath(tenant, `/statements/${encodeURIComponent(month)}`);
  const { data, error, reload } = useLoad(path, (signal) =>
    api.get<Statement>(path, {}, { signal, timeoutMs: 60_000 }),
  );
  const name = `statement-${tenant}-${month}`;
  return (
    <div class="stack statement">
      <div class="row between no-print">
        <SelectField
          label="Month"
          value={month}
          choices={[...new Set([month, ...months])].map((one) => ({ value: one, label: one }))}
          onValue={(next) => go(["tenants", tenant, "statement", next])}
        />
        <div class="actions">
          <RowFiles path={path} name={name} />
          <Download path={`${path}?format=html`} fileName={`${name}.html`}>
            HTML
          </Download>
          <Button icon="print" small onClick={() => print()}>
            Print
          </Button>
        </div>
      </div>
      <LoadState data={data} error={error} onRetry={reload} lines={8} />
      {data !== null && <StatementBody statement={data} />}
    </div>
  );
}

function StatementBody({ statement }: { readonly statement: Statement }) {
  const { totals } = statement;
  return (
    <>
      <Panel
        title={`Statement of ${statement.tenant}, ${statement.month}`}
        hint={`As of ${moment(statement.as_of)} UTC`}
        actions={
          <>
            {statement.is_open && <Badge tone="warn">still growing</Badge>}
            <Badge tone={totals.adds_up ? "good" : "bad"}>
              {totals.adds_up ? "adds up" : "does not add up"}
            </Badge>
          </>
        }
      >
        {!totals.adds_up && (
          <Warning>
            <p>
              The lines do not add up to the amounts drawn. Check the tenant's invariants before you
              send it.
            </p>
          </Warning>
        )}
        <div class="figures">
          <Figure
            label="To pay"
            value={`$${totals.total_usd}`}
            title={`USD ${totals.charge_usd}, before rounding`}
          />
          <Figure label="Calls" value={count(totals.calls)} />
          <Figure
            label="Neurons"
            value={neurons(totals.micro_neurons)}
            title={exactNeurons(totals.micro_neurons)}
          />
          <Figure label="Of quota" value={neurons(totals.quota_micro_neurons)} unit="N" />
          <Figure label="Granted" value={neurons(totals.granted_micro_neurons)} unit="N" />
          <Figure label="Overage" value={neurons(totals.overage_micro_neurons)} unit="N" />
          <Figure label="Adjusted" value={neurons(totals.adjusted_micro_neurons)} unit="N" />
          <Figure label="Cost at Cloudflare's rate" value={usd(totals.cost_usd)} />
        </div>
      </Panel>
      {statement.days.length === 0 ? (
        <Panel title="By day">
          <Empty icon="money" title="Nothing was used in this month" />
        </Panel>
      ) : (
        <>
          <Panel title="By day">
            <Table
              caption="Days"
              columns={DAY_COLUMNS}
              rows={statement.days}
              keyOf={({ day }) => day}
            />
          </Panel>
          <Panel title="By model">
            <Table
              caption="Models"
              columns={MODEL_COLUMNS}
              rows={statement.models}
              keyOf={({ model, engine, task }) => `${model} ${engine} ${task}`}
            />
          </Panel>
        </>
      )}
    </>
  );
}

type Day = Statement["days"][number];
type Model = Statement["models"][number];

const DAY_COLUMNS: readonly Column<Day>[] = [
  { key: "day", label: "Day", main: true, cell: ({ day }) => day },
  { key: "calls", label: "Calls", end: true, cell: ({ calls }) => count(calls) },
  { key: "quota", label: "Quota", end: true, cell: (day) => neurons(day.quota_micro_neurons) },
  {
    key: "granted",
    label: "Granted",
    end: true,
    cell: (day) => neurons(day.granted_micro_neurons),
  },
  {
    key: "overage",
    label: "Overage",
    end: true,
    cell: (day) => neurons(day.overage_micro_neurons),
  },
  {
    key: "adjusted",
    label: "Adjusted",
    end: true,
    cell: (day) => neurons(day.adjusted_micro_neurons),
  },
  {
    key: "all",
    label: "Neurons",
    end: true,
    cell: (day) => <b title={exactNeurons(day.micro_neurons)}>{neurons(day.micro_neurons)}</b>,
  },
  {
    key: "charge",
    label: "Charge",
    end: true,
    cell: (day) => <span title={`USD ${day.charge_usd}`}>{usd(day.charge_usd)}</span>,
  },
];

const MODEL_COLUMNS: readonly Column<Model>[] = [
  {
    key: "model",
    label: "Model",
    main: true,
    cell: ({ model }) => <span title={model}>{shortModel(model)}</span>,
  },
  { key: "engine", label: "Engine", cell: ({ engine }) => engine },
  { key: "task", label: "Task", cell: ({ task }) => words(task) },
  { key: "calls", label: "Engine calls", end: true, cell: (row) => count(row.engine_requests) },
  { key: "neurons", label: "Neurons", end: true, cell: (row) => neurons(row.micro_neurons) },
  { key: "cost", label: "Cost", end: true, cell: (row) => usd(row.cost_usd) },
];
