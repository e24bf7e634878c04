import { useState } from "preact/hooks";
import { api, tenantPath } from "../api/session.ts";
import type { List, PipelineRun } from "../api/shapes.ts";
import { count, counted, exactNeurons, moment, neurons, usd, words } from "../format.ts";
import { go, hashOf } from "../hash-route.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, TagBadge } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";
import { OneRun } from "./pipeline-run.tsx";
import type { TabProps } from "./tenant-page.tsx";

/** States in which a run can be canceled. */
const OPEN: readonly PipelineRun["state"][] = ["running", "waiting"];

export function PipelinesTab({ tenant, item }: TabProps) {
  const path = tenantPath(tenant, "/pipelines/runs");
  const page = usePaged(path, (cursor, signal) =>
    api.get<List<PipelineRun>>(path, { cursor, limit: 50 }, { signal }),
  );
  const [ending, setEnding] = useState<PipelineRun | null>(null);
  return (
    <Panel
      title="Pipeline runs"
      hint="Newest first. Open one to see its steps."
      actions={
        <Button icon="replay" onClick={page.reload}>
          Refresh
        </Button>
      }
    >
      <PagedTable
        page={page}
        caption="Pipeline runs"
        columns={columns(tenant, setEnding)}
        keyOf={({ id }) => id}
        empty={
          <Empty icon="replay" title="No run">
            <p>A run begins with POST /v1/pipelines/runs.</p>
          </Empty>
        }
        more="Show older runs"
        lines={6}
      />
      {item !== null && (
        <OneRun
          key={item}
          path={`${path}/${encodeURIComponent(item)}`}
          onClose={() => go(["tenants", tenant, "pipelines"])}
        />
      )}
      {ending !== null && (
        <Confirm
          title="Cancel the run"
          act="Cancel the run"
          onClose={() => setEnding(null)}
          onConfirm={async () => {
            await api.send("POST", `${path}/${encodeURIComponent(ending.id)}/cancel`);
            announce("The run ends after the steps that it is at.");
            page.reload();
          }}
        >
          <p>
            Not done yet: {count(ending.counts.pending)} of{" "}
            {counted(ending.counts.documents, "document")}. Steps that have begun run to their end,
            and are charged; no other one begins.
          </p>
        </Confirm>
      )}
    </Panel>
  );
}

const columns = (
  tenant: string,
  end: (run: PipelineRun) => void,
): readonly Column<PipelineRun>[] => [
  {
    key: "made",
    label: "Begun, UTC",
    main: true,
    cell: ({ id, created_at: at }) => (
      <>
        <a href={hashOf(["tenants", tenant, "pipelines", id])}>{moment(at)}</a> <code>{id}</code>
      </>
    ),
  },
  { key: "state", label: "State", cell: ({ state }) => <TagBadge tag={state} /> },
  {
    key: "progress",
    label: "Documents done",
    end: true,
    cell: ({ counts }) =>
      `${count(counts.documents - counts.pending)} of ${count(counts.documents)}`,
  },
  { key: "failed", label: "Failed", end: true, cell: ({ counts }) => count(counts.failed) },
  { key: "steps", label: "Steps", cell: ({ steps }) => steps.map(words).join(", ") },
  {
    key: "neurons",
    label: "Neurons",
    end: true,
    cell: ({ micro_neurons: cost }) => <span title={exactNeurons(cost)}>{neurons(cost)}</span>,
  },
  { key: "usd", label: "USD", end: true, cell: (run) => usd(run.usd) },
  {
    key: "acts",
    label: "Actions",
    end: true,
    cell: (run) =>
      OPEN.includes(run.state) && (
        <Button small kind="quiet" label={`Cancel the run ${run.id}`} onClick={() => end(run)}>
          Cancel
        </Button>
      ),
  },
];
