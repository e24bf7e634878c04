import { useState } from "preact/hooks";
import { api } from "../api/session.ts";
import type { AuditEntry, List } from "../api/shapes.ts";
import { moment } from "../format.ts";
import { hashOf } from "../hash-route.ts";
import { TextField } from "../ui/field.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, none } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";

export function AuditPage() {
  const [tenant, setTenant] = useState("");
  const page = usePaged(`audit ${tenant}`, (cursor, signal) =>
    api.get<List<AuditEntry>>("/admin/audit", { tenant, cursor, limit: 50 }, { signal }),
  );
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>Audit</h1>
          <p class="hint">
            Every act of the platform: who did what, to which tenant, in which request.
          </p>
        </div>
      </header>
      <Panel
        title="Acts"
        actions={<TextField label="Tenant" value={tenant} onValue={setTenant} maxLength={39} />}
      >
        <PagedTable
          page={page}
          caption="Acts"
          columns={COLUMNS}
          keyOf={({ id }) => id}
          empty={
            <Empty icon="audit" title="No act">
              <p>Each act of the platform is recorded here.</p>
            </Empty>
          }
          filter={{ tenant }}
          more="Show older acts"
          lines={8}
        />
      </Panel>
    </div>
  );
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { key: "at", label: "When, UTC", main: true, cell: ({ at }) => moment(at) },
  { key: "actor", label: "Who", cell: ({ actor }) => actor },
  { key: "action", label: "What", cell: ({ action }) => <code>{action}</code> },
  {
    key: "tenant",
    label: "Tenant",
    cell: ({ tenant }) =>
      tenant === null ? none : <a href={hashOf(["tenants", tenant])}>{tenant}</a>,
  },
  { key: "detail", label: "Detail", cell: ({ detail }) => <code>{detailOf(detail)}</code> },
  {
    key: "request",
    label: "Request",
    cell: ({ request_id: id }) => <code title={id}>…{id.slice(-8)}</code>,
  },
];

const detailOf = (detail: AuditEntry["detail"]): string =>
  Object.entries(detail)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join("+") : String(value)}`)
    .join(", ");
