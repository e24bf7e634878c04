import { api } from "../api/session.ts";
import type { Invariants, List } from "../api/shapes.ts";
import { count, words } from "../format.ts";
import { hashOf } from "../hash-route.ts";
import { Panel } from "../ui/panel.tsx";
import { Badge, Empty, ErrorNote, Skeleton } from "../ui/status.tsx";
import { useLoad } from "../ui/use-load.ts";
import { Alerts } from "./alerts.tsx";
import { PoolPanels } from "./pool-panels.tsx";
import { UsagePanels } from "./usage-panels.tsx";

export const OverviewPage = () => (
  <div class="page">
    <header class="page-head">
      <div>
        <h1>Overview</h1>
        <p class="hint">The account and its tenants, as they stand now.</p>
      </div>
    </header>
    <div class="grid">
      <PoolPanels />
      <UsagePanels />
      <Panel
        title="Alerts"
        class="span-7 fill-row"
        hint="The latest, of what some endpoint of the platform subscribed to."
        actions={<a href="#/events">All alerts</a>}
      >
        <Alerts most={8} />
      </Panel>
      <InvariantsOfAll />
    </div>
  </div>
);

/** Whether anything that must be zero is not, over all tenants of the first page. */
function InvariantsOfAll() {
  const { data, error, reload } = useLoad("invariants", (signal) =>
    api.get<List<Invariants>>("/admin/invariants", { limit: 200 }, { signal }),
  );
  const tenants = data?.data ?? [];
  const broken = tenants.filter(({ holds }) => !holds);
  return (
    <Panel
      title="Invariants"
      class="span-5 fill-row"
      hint={data === null ? undefined : `Counted over ${count(tenants.length)} tenants.`}
      actions={
        data !== null && (
          <Badge tone={broken.length === 0 ? "good" : "bad"}>
            {broken.length === 0 ? "all hold" : `broken in ${broken.length}`}
          </Badge>
        )
      }
    >
      {error !== null && <ErrorNote error={error} onRetry={reload} />}
      {data === null && error === null && <Skeleton lines={5} />}
      {data !== null && tenants.length === 0 && <Empty icon="check" title="No tenant to count" />}
      {broken.length > 0 && (
        <ul class="stack">
          {broken.map(({ tenant, data: counts }) => (
            <li key={tenant}>
              <a href={hashOf(["tenants", tenant])}>{tenant}</a>:{" "}
              {counts
                .filter(({ violations }) => violations > 0)
                .map(({ name, violations }) => `${words(name)} (${violations})`)
                .join(", ")}
            </li>
          ))}
        </ul>
      )}
      {tenants.length > 0 && <Summed tenants={tenants} />}
    </Panel>
  );
}

function Summed({ tenants }: { readonly tenants: readonly Invariants[] }) {
  const names = tenants[0]?.data ?? [];
  const sum = (number: number) =>
    tenants.reduce(
      (total, { data }) => total + (data.find((one) => one.number === number)?.violations ?? 0),
      0,
    );
  return (
    <ul class="stack tight">
      {names.map(({ number, name }) => (
        <li key={number} class="row between">
          <span>{words(name)}</span>
          <Badge tone={sum(number) === 0 ? "neutral" : "bad"}>{count(sum(number))}</Badge>
        </li>
      ))}
    </ul>
  );
}
