import { useState } from "preact/hooks";
import { CATEGORIES } from "../../../src/domain/moderation/category.ts";
import type { List, LoggedVerdict } from "../api/shapes.ts";
import { api } from "../api/session.ts";
import { moment } from "../format.ts";
import { hashOf } from "../hash-route.ts";
import { Button } from "../ui/button.tsx";
import { choicesOf, SelectField, TextField } from "../ui/field.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, none, TagBadge } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";

const NO_FILTER = { tenant: "", decision: "", category: "", user_id: "" };

/** Verdicts of all tenants that flag or block, of the last 30 days, without content. */
export function ModerationLogPage() {
  const [filter, setFilter] = useState(NO_FILTER);
  const set = (change: Partial<typeof NO_FILTER>) => setFilter({ ...filter, ...change });
  const page = usePaged(`log ${JSON.stringify(filter)}`, (cursor, signal) =>
    api.get<List<LoggedVerdict>>(
      "/admin/moderation-log",
      { ...filter, cursor, limit: 50 },
      { signal },
    ),
  );
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>Moderation log</h1>
          <p class="hint">
            Verdicts of all tenants that flag or block, of the last 30 days, without content.
          </p>
        </div>
      </header>
      <Panel
        title="Flagged and blocked"
        actions={
          <Button icon="replay" onClick={page.reload}>
            Refresh
          </Button>
        }
      >
        <div class="columns">
          <TextField
            label="Tenant"
            maxLength={39}
            value={filter.tenant}
            onValue={(tenant) => set({ tenant })}
          />
          <SelectField
            label="Decision"
            value={filter.decision}
            choices={choicesOf("Flag or block", ["flag", "block"])}
            onValue={(decision) => set({ decision })}
          />
          <SelectField
            label="Category"
            value={filter.category}
            choices={choicesOf("Every category", CATEGORIES)}
            onValue={(category) => set({ category })}
          />
          <TextField
            label="User"
            maxLength={256}
            value={filter.user_id}
            onValue={(user_id) => set({ user_id })}
          />
        </div>
        <PagedTable
          page={page}
          caption="Logged verdicts"
          columns={COLUMNS}
          keyOf={({ verdict_id: id }) => id}
          empty={
            <Empty icon="scale" title="Nothing is logged">
              <p>Flagged or blocked content appears here within a minute.</p>
            </Empty>
          }
          filter={filter}
          more="Show older ones"
          lines={6}
        />
      </Panel>
    </div>
  );
}

const COLUMNS: readonly Column<LoggedVerdict>[] = [
  {
    key: "when",
    label: "Made, UTC",
    main: true,
    cell: ({ tenant, verdict_id: id, created_at: at }) => (
      <a href={hashOf(["tenants", tenant, "verdicts", id])}>{moment(at)}</a>
    ),
  },
  {
    key: "tenant",
    label: "Tenant",
    cell: ({ tenant }) => <a href={hashOf(["tenants", tenant])}>{tenant}</a>,
  },
  { key: "decision", label: "Decision", cell: ({ decision }) => <TagBadge tag={decision} /> },
  { key: "by", label: "By", cell: (one) => one.decided_by },
  {
    key: "why",
    label: "Categories",
    cell: ({ categories }) => (categories.length === 0 ? none : categories.join(", ")),
  },
  { key: "user", label: "User", cell: ({ user_id: user }) => user ?? none },
  { key: "content", label: "Content id", cell: ({ content_id: content }) => content ?? none },
];
