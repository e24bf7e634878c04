import { useState } from "preact/hooks";
import { DOCUMENT_TYPES } from "../../../src/domain/documents/document.ts";
import { api, tenantPath } from "../api/session.ts";
import type { List, StoredDocument } from "../api/shapes.ts";
import { bytes, count, counted, exactNeurons, moment, neurons, percent, words } from "../format.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { choicesOf, SelectField, TextField } from "../ui/field.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, none, TagBadge } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";
import type { TabProps } from "./tenant-page.tsx";

const NO_FILTER = { type: "", user_id: "" };

const TYPES = choicesOf("Every type", DOCUMENT_TYPES);

/** Stored documents, without their text and what was found in it. */
export function DocumentsTab({ tenant }: TabProps) {
  const [filter, setFilter] = useState(NO_FILTER);
  const path = tenantPath(tenant, "/documents");
  const page = usePaged(`${path} ${JSON.stringify(filter)}`, (cursor, signal) =>
    api.get<List<StoredDocument>>(path, { ...filter, cursor, limit: 50 }, { signal }),
  );
  const [deleting, setDeleting] = useState<StoredDocument | null>(null);
  const set = (change: Partial<typeof NO_FILTER>) => setFilter({ ...filter, ...change });
  return (
    <Panel
      title="Documents"
      hint="Newest first. Coverage is the share of the text that every task has read."
      actions={
        <Button icon="replay" onClick={page.reload}>
          Refresh
        </Button>
      }
    >
      <div class="columns narrow">
        <SelectField
          label="Type"
          value={filter.type}
          choices={TYPES}
          onValue={(type) => set({ type })}
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
        caption="Documents"
        columns={columns(setDeleting)}
        keyOf={({ id }) => id}
        empty={
          <Empty icon="audit" title="No document">
            <p>Store one with POST /v1/documents.</p>
          </Empty>
        }
        filter={filter}
        more="Show older documents"
        lines={6}
      />
      {deleting !== null && (
        <Confirm
          title="Delete the document"
          act="Delete it"
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await api.send("DELETE", `${path}/${encodeURIComponent(deleting.id)}`);
            announce("The document is deleted.");
            page.reload();
          }}
        >
          <p>
            This deletes <code>{deleting.id}</code> with its results, and takes it out of the
            search.
          </p>
        </Confirm>
      )}
    </Panel>
  );
}

/** How much was read at least, and each task that did not come to its end. */
function Coverage({ tasks }: Pick<StoredDocument, "tasks">) {
  if (tasks.length === 0) return none;
  const least = Math.min(...tasks.map(({ coverage }) => coverage));
  return (
    <>
      {counted(tasks.length, "task")}, {percent(least, 1)}
      {tasks
        .filter(({ state }) => state !== "done")
        .map(({ task, state }) => (
          <div key={task}>
            {words(task)} <TagBadge tag={state} />
          </div>
        ))}
    </>
  );
}

const columns = (remove: (document: StoredDocument) => void): readonly Column<StoredDocument>[] => [
  { key: "id", label: "Document", main: true, cell: ({ id }) => <code>{id}</code> },
  { key: "made", label: "Stored, UTC", cell: ({ created_at: at }) => moment(at) },
  { key: "state", label: "State", cell: ({ state }) => <TagBadge tag={state} /> },
  { key: "type", label: "Type", cell: ({ type }) => type },
  { key: "user", label: "User", cell: ({ user_id: user }) => user ?? none },
  {
    key: "size",
    label: "Size",
    end: true,
    cell: (document) => (
      <span title={`${count(document.characters)} characters`}>{bytes(document.bytes)}</span>
    ),
  },
  {
    key: "tasks",
    label: "Coverage",
    cell: ({ tasks }) => <Coverage tasks={tasks} />,
  },
  {
    key: "cost",
    label: "Cost",
    end: true,
    cell: ({ micro_neurons: cost }) => <span title={exactNeurons(cost)}>{neurons(cost)} N</span>,
  },
  { key: "expires", label: "Expires, UTC", cell: ({ expires_at: at }) => moment(at) },
  {
    key: "acts",
    label: "Actions",
    end: true,
    cell: (document) => (
      <Button
        small
        kind="quiet"
        label={`Delete the document ${document.id}`}
        onClick={() => remove(document)}
      >
        Delete
      </Button>
    ),
  },
];
