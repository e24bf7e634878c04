import { useState } from "preact/hooks";
import { api } from "../api/session.ts";
import type { Limits, List, Tenant } from "../api/shapes.ts";
import { count, neurons, percent } from "../format.ts";
import { go, hashOf, type Place } from "../hash-route.ts";
import { DeleteTenant } from "../tenant/delete-tenant.tsx";
import { EditTenant, saveTenant } from "../tenant/edit-tenant.tsx";
import { NewTenant } from "../tenant/new-tenant.tsx";
import { useStandings } from "../tenant/use-standings.ts";
import { UsageBar } from "../tenant/usage-bar.tsx";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Panel } from "../ui/panel.tsx";
import { Badge, Empty, ErrorNote, Skeleton, TagBadge } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { useLoad } from "../ui/use-load.ts";

/** Rows that are looked at: each asks how its tenant stands. */
const SHOWN = 25;

/** Beyond so many, search finds what it looks for among the first. */
const MOST_PAGES = 10;

async function readTenants(signal: AbortSignal): Promise<readonly Tenant[]> {
  const tenants: Tenant[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query: { limit: number; cursor: string | null } = { limit: 200, cursor };
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next one is
    const list: List<Tenant> = await api.get("/admin/tenants", query, { signal });
    tenants.push(...list.data);
    cursor = list.next_cursor;
    if (cursor === null) break;
  }
  return tenants;
}

export function TenantsPage({ place }: { readonly place: Place }) {
  const { data: tenants, error, reload } = useLoad("tenants", readTenants);
  const [search, setSearch] = useState(place.query.get("q") ?? "");
  const [making, setMaking] = useState(place.query.has("new"));
  const [editing, setEditing] = useState<Tenant | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  const [most, setMost] = useState(SHOWN);
  const wanted = search.trim().toLowerCase();
  const found = (tenants ?? []).filter(({ id, plan }) => id.includes(wanted) || plan === wanted);
  const shown = found.slice(0, most);
  const standings = useStandings(shown.map(({ id }) => id));
  const suspend = async (tenant: Tenant) => {
    try {
      await saveTenant(tenant, { suspended: !tenant.suspended });
    } catch (caught) {
      announce((caught as Error).message, "bad");
    }
    reload();
  };
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>Tenants</h1>
          <p class="hint">{tenants === null ? "…" : `${count(tenants.length)} in this account`}</p>
        </div>
        <div class="actions">
          <Button icon="plus" kind="primary" onClick={() => setMaking(true)}>
            New tenant
          </Button>
        </div>
      </header>
      <Panel
        title="All tenants"
        actions={
          <div class="search" role="search">
            <Icon name="search" />
            <input
              class="bare-input"
              type="search"
              aria-label="Search tenants by id or plan"
              placeholder="Search by id or plan"
              maxLength={64}
              value={search}
              onInput={(event) => setSearch(event.currentTarget.value)}
            />
          </div>
        }
      >
        {error !== null && <ErrorNote error={error} onRetry={reload} />}
        {tenants === null && error === null && <Skeleton lines={6} />}
        {tenants !== null && found.length === 0 && (
          <Empty
            icon="tenants"
            title={tenants.length === 0 ? "No tenant yet" : "No tenant matches"}
          >
            <p>
              {tenants.length === 0
                ? "Make one, then issue its first key."
                : "Search by a part of its id, or by free or paid."}
            </p>
          </Empty>
        )}
        {shown.length > 0 && (
          <Table
            caption="Tenants"
            columns={columnsFor(standings, { edit: setEditing, suspend, remove: setDeleting })}
            rows={shown}
            keyOf={({ id }) => id}
            initial={{ key: "id", down: false }}
          />
        )}
        {found.length > most && (
          <div class="more">
            <Button onClick={() => setMost(most + SHOWN)}>
              Show {Math.min(SHOWN, found.length - most)} more of {count(found.length - most)}
            </Button>
          </div>
        )}
      </Panel>
      {making && (
        <NewTenant
          taken={(tenants ?? []).map(({ id }) => id)}
          onClose={() => setMaking(false)}
          onMade={({ id }) => go(["tenants", id, "keys"])}
        />
      )}
      {editing !== null && (
        <EditTenant
          tenant={editing}
          limits={standingOf(standings.get(editing.id))}
          onClose={() => setEditing(null)}
          onSaved={() => {
            setEditing(null);
            reload();
          }}
        />
      )}
      {deleting !== null && (
        <DeleteTenant
          id={deleting}
          onClose={() => setDeleting(null)}
          onDeleted={() => {
            setDeleting(null);
            reload();
          }}
        />
      )}
    </div>
  );
}

const standingOf = (standing: Limits | Error | undefined): Limits | null =>
  standing === undefined || standing instanceof Error ? null : standing;

interface Acts {
  readonly edit: (tenant: Tenant) => void;
  readonly suspend: (tenant: Tenant) => Promise<void>;
  readonly remove: (id: string) => void;
}

function columnsFor(
  standings: ReadonlyMap<string, Limits | Error>,
  acts: Acts,
): readonly Column<Tenant>[] {
  const of = ({ id }: Tenant) => standingOf(standings.get(id));
  return [
    {
      key: "id",
      label: "Tenant",
      main: true,
      sort: ({ id }) => id,
      cell: ({ id }) => <a href={hashOf(["tenants", id])}>{id}</a>,
    },
    {
      key: "plan",
      label: "Plan",
      sort: ({ plan }) => plan,
      cell: ({ plan }) => <TagBadge tag={plan} />,
    },
    {
      key: "daily",
      label: "A day",
      end: true,
      sort: ({ daily_neurons: daily }) => daily,
      cell: dayOf,
    },
    {
      key: "usage",
      label: "Today",
      sort: (tenant) => of(tenant)?.posted_micro_neurons ?? -1,
      cell: (tenant) => (
        <UsageBar standing={standings.get(tenant.id)} dailyNeurons={tenant.daily_neurons} />
      ),
    },
    {
      key: "forecast",
      label: "By midnight",
      end: true,
      sort: (tenant) => forecast(of(tenant), Date.now()) ?? -1,
      cell: (tenant) => {
        const expected = forecast(of(tenant), Date.now());
        return expected === null ? <span class="soft">–</span> : `${neurons(expected)} N`;
      },
    },
    {
      key: "rate",
      label: "Last minute",
      end: true,
      sort: (tenant) => requestsUsed(of(tenant))?.used ?? -1,
      cell: (tenant) => {
        const rate = requestsUsed(of(tenant));
        if (rate === null) return <span class="soft">–</span>;
        return (
          <span title={percent(rate.used, rate.limit)}>
            {count(rate.used)} of {count(rate.limit)}
          </span>
        );
      },
    },
    {
      key: "state",
      label: "State",
      sort: (tenant) => (tenant.suspended ? "suspended" : "active"),
      cell: (tenant) => <StateBadge tenant={tenant} standing={of(tenant)} />,
    },
    {
      key: "acts",
      label: "Actions",
      end: true,
      cell: (tenant) => (
        <span class="actions end">
          <Button small label={`Edit ${tenant.id}`} onClick={() => acts.edit(tenant)}>
            Edit
          </Button>
          <Button
            small
            kind="quiet"
            label={`${tenant.suspended ? "Resume" : "Suspend"} ${tenant.id}`}
            onClick={() => void acts.suspend(tenant)}
          >
            {tenant.suspended ? "Resume" : "Suspend"}
          </Button>
          <Button
            small
            kind="quiet"
            label={`Delete ${tenant.id}`}
            onClick={() => acts.remove(tenant.id)}
          >
            Delete
          </Button>
        </span>
      ),
    },
  ];
}

/** With what the tenant may draw beyond its quota. */
function dayOf({ daily_neurons: daily, overage_cap_neurons: cap }: Tenant): string {
  if (cap === null) return `${count(daily)} N`;
  return cap === "unlimited" ? `${count(daily)} N, unlimited` : `${count(daily)} + ${count(cap)} N`;
}

function StateBadge({
  tenant,
  standing,
}: {
  readonly tenant: Tenant;
  readonly standing: Limits | null;
}) {
  if (tenant.suspended) return <Badge tone="bad">suspended</Badge>;
  if (standing?.available_micro_neurons === 0) return <Badge tone="warn">used up</Badge>;
  return <Badge tone="good">active</Badge>;
}

/** The day so far, drawn on as a straight line; null in its first ten minutes. */
export function forecast(limits: Limits | null, nowMs: number): number | null {
  if (limits === null) return null;
  const left = Date.parse(limits.resets_at) - nowMs;
  const past = 86_400_000 - left;
  if (past < 600_000 || left < 0) return null;
  return Math.round((limits.posted_micro_neurons / past) * 86_400_000);
}

function requestsUsed(limits: Limits | null): { used: number; limit: number } | null {
  const rate = limits?.rates.find(({ name }) => name === "requests");
  return rate === undefined ? null : { used: rate.limit - rate.remaining, limit: rate.limit };
}
