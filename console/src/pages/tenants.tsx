import { useState } from "preact/hooks";
import type { Account, Limits, List, ListedTenant, Tenant } from "../api/shapes.ts";
import { api, tenantPath } from "../api/session.ts";
import { count } from "../format.ts";
import { go, type Place } from "../hash-route.ts";
import { DeleteTenant } from "../tenant/delete-tenant.tsx";
import { EditTenant, saveTenant } from "../tenant/edit-tenant.tsx";
import { NewTenant } from "../tenant/new-tenant.tsx";
import { tenantColumns } from "../tenant/tenant-columns.tsx";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { type Choice, choicesOf, SelectField } from "../ui/field.tsx";
import { Icon } from "../ui/icon.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty } from "../ui/status.tsx";
import { useLoad } from "../ui/use-load.ts";
import { usePaged } from "../ui/use-paged.ts";

// The account finds and sorts its tenants, so the page asks none of the tenants' objects.

const SHOWN = 25;

type Sort = "id" | "spent" | "held";
type PlanChoice = "" | "free" | "paid";
type StateChoice = "" | ListedTenant["state"];

const SORTS: readonly Choice<Sort>[] = [
  { value: "id", label: "by id" },
  { value: "spent", label: "most spent today first" },
  { value: "held", label: "most held first" },
];
const PLANS: readonly Choice<PlanChoice>[] = choicesOf("any", ["free", "paid"]);
const STATES: readonly Choice<StateChoice>[] = [
  { value: "", label: "active or suspended" },
  { value: "active", label: "active" },
  { value: "suspended", label: "suspended" },
  { value: "deleting", label: "being deleted" },
];

const NOBODY: List<ListedTenant> = { object: "list", data: [], has_more: false, next_cursor: null };

interface Wanted {
  readonly prefix: string;
  readonly plan: PlanChoice;
  readonly state: StateChoice;
  readonly sort: Sort;
}

async function readTenants(
  { prefix, plan, state, sort }: Wanted,
  cursor: string | null,
  signal: AbortSignal,
): Promise<List<ListedTenant>> {
  // No id has other characters.
  if (!/^[a-z0-9-]{0,39}$/.test(prefix)) return NOBODY;
  const query = {
    limit: SHOWN,
    sort,
    prefix,
    plan: plan === "" ? null : plan,
    state: state === "" ? null : state,
  };
  const read = (from: string | null): Promise<List<ListedTenant>> =>
    api.get<List<ListedTenant>>("/admin/tenants", { ...query, cursor: from }, { signal });
  let page = await read(cursor);
  // Where those with an amount end, a page may be empty and not the last one.
  while (page.data.length === 0 && page.next_cursor !== null) {
    // oxlint-disable-next-line no-await-in-loop -- each begins where the one before ended
    page = await read(page.next_cursor);
  }
  return page;
}

export function TenantsPage({ place }: { readonly place: Place }) {
  const [search, setSearch] = useState(place.query.get("q") ?? "");
  const [plan, setPlan] = useState<PlanChoice>("");
  const [state, setState] = useState<StateChoice>("");
  const [sort, setSort] = useState<Sort>("id");
  const wanted: Wanted = { prefix: search.trim().toLowerCase(), plan, state, sort };
  const key = JSON.stringify(wanted);
  const page = usePaged(key, (cursor, signal) => readTenants(wanted, cursor, signal));
  const account = useLoad("how many tenants", (signal) =>
    api.get<Account>("/admin/account", {}, { signal }),
  );
  const [making, setMaking] = useState(place.query.has("new"));
  const [editing, setEditing] = useState<Opened | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  const reloadAll = () => {
    page.reload();
    account.reload();
  };
  const edit = (id: string) => void act(async () => setEditing(await openTenant(id)));
  const suspend = (id: string) =>
    void act(async () => {
      const { tenant } = await openTenant(id);
      await saveTenant(tenant, { suspended: !tenant.suspended });
      page.reload();
    });
  const total = account.data?.tenant_count ?? null;
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>Tenants</h1>
          <p class="hint">{total === null ? "…" : `${count(total)} in this account`}</p>
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
              aria-label="Search tenants by the beginning of their ids"
              placeholder="Beginning of an id"
              maxLength={64}
              value={search}
              onInput={(event) => setSearch(event.currentTarget.value)}
            />
          </div>
        }
      >
        <div class="row">
          <SelectField label="Order" value={sort} choices={SORTS} onValue={setSort} />
          <SelectField label="Plan" value={plan} choices={PLANS} onValue={setPlan} />
          <SelectField label="State" value={state} choices={STATES} onValue={setState} />
        </div>
        <PagedTable
          page={page}
          caption="Tenants"
          columns={tenantColumns({ edit, suspend, remove: setDeleting })}
          keyOf={({ id }) => id}
          empty={<Nobody isFirst={total === 0} />}
          more={`Show ${SHOWN} more`}
          lines={6}
        />
      </Panel>
      {making && (
        <NewTenant
          onClose={() => setMaking(false)}
          onMade={({ id }) => go(["tenants", id, "keys"])}
        />
      )}
      {editing !== null && (
        <EditTenant
          tenant={editing.tenant}
          limits={editing.limits}
          onClose={() => setEditing(null)}
          onSaved={() => {
            setEditing(null);
            page.reload();
          }}
        />
      )}
      {deleting !== null && (
        <DeleteTenant
          id={deleting}
          onClose={() => setDeleting(null)}
          onDeleted={() => {
            setDeleting(null);
            reloadAll();
          }}
        />
      )}
    </div>
  );
}

const Nobody = ({ isFirst }: { readonly isFirst: boolean }) => (
  <Empty icon="tenants" title={isFirst ? "No tenant yet" : "No tenant matches"}>
    <p>
      {isFirst
        ? "Make one, then issue its first key."
        : "Search by the beginning of its id, or by another plan or state."}
    </p>
  </Empty>
);

async function act(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (caught) {
    announce((caught as Error).message, "bad");
  }
}

/** A tenant with all its settings and its present limits. */
interface Opened {
  readonly tenant: Tenant;
  readonly limits: Limits | null;
}

async function openTenant(id: string): Promise<Opened> {
  const [tenant, limits] = await Promise.all([
    api.get<Tenant>(`/admin/tenants/${encodeURIComponent(id)}`),
    api.get<Limits>(tenantPath(id, "/limits")).catch(() => null),
  ]);
  return { tenant, limits };
}

/** The day's usage if the pace so far goes on; null in the first ten minutes of the day. */
export function forecast(limits: Limits | null, nowMs: number): number | null {
  if (limits === null) return null;
  const left = Date.parse(limits.resets_at) - nowMs;
  const past = 86_400_000 - left;
  if (past < 600_000 || left < 0) return null;
  return Math.round((limits.posted_micro_neurons / past) * 86_400_000);
}
