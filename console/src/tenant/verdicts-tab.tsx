import { useState } from "preact/hooks";
import { CATEGORIES } from "../../../src/domain/moderation/category.ts";
import { api, tenantPath } from "../api/session.ts";
import type { List, Verdict } from "../api/shapes.ts";
import { moment } from "../format.ts";
import { go, hashOf } from "../hash-route.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { choicesOf, SelectField, TextField } from "../ui/field.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Badge, Empty, LoadState, none, TagBadge } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { useLoad } from "../ui/use-load.ts";
import { usePaged } from "../ui/use-paged.ts";
import { Revisions } from "./revisions.tsx";
import { StoredContent } from "./stored-content.tsx";
import type { TabProps } from "./tenant-page.tsx";
import { VerdictView } from "../verdict-view.tsx";

const NO_FILTER = { decision: "", category: "", review: "", user_id: "", content_id: "" };

export function VerdictsTab({ tenant, item }: TabProps) {
  const [filter, setFilter] = useState(NO_FILTER);
  const path = tenantPath(tenant, "/verdicts");
  const page = usePaged(`${path} ${JSON.stringify(filter)}`, (cursor, signal) =>
    api.get<List<Verdict>>(path, { ...filter, cursor, limit: 50 }, { signal }),
  );
  const set = (change: Partial<typeof NO_FILTER>) => setFilter({ ...filter, ...change });
  return (
    <Panel
      title="Verdicts"
      hint="Newest first. Open one to see its stages."
      actions={
        <Button icon="replay" onClick={page.reload}>
          Refresh
        </Button>
      }
    >
      <div class="columns narrow">
        <SelectField
          label="Decision"
          value={filter.decision}
          choices={choicesOf("Every decision", ["allow", "flag", "block"])}
          onValue={(decision) => set({ decision })}
        />
        <SelectField
          label="Category"
          value={filter.category}
          choices={choicesOf("Every category", CATEGORIES)}
          onValue={(category) => set({ category })}
        />
        <SelectField
          label="Review"
          value={filter.review}
          choices={choicesOf("Every state", ["none", "open", "claimed", "done"])}
          onValue={(review) => set({ review })}
        />
        <TextField
          label="User"
          maxLength={256}
          value={filter.user_id}
          onValue={(user_id) => set({ user_id })}
        />
        <TextField
          label="Content id"
          maxLength={256}
          value={filter.content_id}
          onValue={(content_id) => set({ content_id })}
        />
      </div>
      <PagedTable
        page={page}
        caption="Verdicts"
        columns={columns(tenant)}
        keyOf={({ id }) => id}
        empty={
          <Empty icon="scale" title="No verdict yet">
            <p>Make one under “Try it”, or with POST /v1/verdicts.</p>
          </Empty>
        }
        filter={filter}
        more="Show older verdicts"
        lines={8}
      />
      {item !== null && (
        <OneVerdict tenant={tenant} id={item} onClose={() => go(["tenants", tenant, "verdicts"])} />
      )}
    </Panel>
  );
}

const columns = (tenant: string): readonly Column<Verdict>[] => [
  {
    key: "made",
    label: "Made, UTC",
    main: true,
    cell: (verdict) => (
      <a href={hashOf(["tenants", tenant, "verdicts", verdict.id])}>{moment(verdict.created_at)}</a>
    ),
  },
  { key: "decision", label: "Decision", cell: ({ decision }) => <TagBadge tag={decision} /> },
  {
    key: "why",
    label: "Why",
    cell: ({ reasons }) =>
      reasons.length === 0
        ? none
        : [...new Set(reasons.map(({ category, kind }) => category ?? kind))]
            .slice(0, 3)
            .join(", "),
  },
  { key: "user", label: "User", cell: ({ user_id: user }) => user ?? none },
  { key: "content", label: "Content id", cell: ({ content_id: content }) => content ?? none },
  {
    key: "policy",
    label: "Policy",
    cell: ({ policy }) => `${policy.name} ${policy.version}`,
  },
  {
    key: "review",
    label: "Review",
    cell: ({ review, test }) => (
      <>
        {review.state === "none" ? none : <TagBadge tag={review.state} />}
        {test && <Badge tone="info">test</Badge>}
      </>
    ),
  },
];

interface OneVerdictProps {
  readonly tenant: string;
  readonly id: string;
  readonly onClose: () => void;
}

function OneVerdict({ tenant, id, onClose }: OneVerdictProps) {
  const path = tenantPath(tenant, `/verdicts/${encodeURIComponent(id)}`);
  const { data, error, reload } = useLoad(path, (signal) => api.get<Verdict>(path, {}, { signal }));
  return (
    <Dialog title="Verdict" wide onClose={onClose}>
      <div class="stack">
        <LoadState data={data} error={error} onRetry={reload} lines={8} />
        {data !== null && (
          <>
            <VerdictView verdict={data} />
            <StoredContent path={path} verdict={data} />
            {data.revision > 1 && <Revisions path={path} />}
          </>
        )}
      </div>
    </Dialog>
  );
}
