import { api } from "../api/session.ts";
import type { List, PipelineRun, PipelineStep } from "../api/shapes.ts";
import { count, exactNeurons, milliseconds, moment, neurons, usd, words } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, LoadState, TagBadge } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";
import { usePolled } from "../ui/use-polled.ts";

// A run of a pipeline with its steps. The run is asked for again while it is open; its steps when a person
// asks, since there may be ten thousand.

const POLL_MS = 3000;

interface OneRunProps {
  readonly path: string;
  readonly onClose: () => void;
}

export function OneRun({ path, onClose }: OneRunProps) {
  const { data, error, reload } = usePolled(
    path,
    (signal) => api.get<PipelineRun>(path, {}, { signal }),
    POLL_MS,
  );
  const steps = usePaged(`${path}/steps`, (cursor, signal) =>
    api.get<List<PipelineStep>>(`${path}/steps`, { cursor, limit: 100 }, { signal }),
  );
  return (
    <Dialog title="Pipeline run" wide onClose={onClose}>
      <div class="stack">
        <LoadState data={data} error={error} onRetry={reload} lines={6} />
        {data !== null && <Facts run={data} />}
        <div class="actions">
          <Button icon="replay" small onClick={steps.reload}>
            Read the steps again
          </Button>
        </div>
        <PagedTable
          page={steps}
          caption="Steps"
          columns={STEP_COLUMNS}
          keyOf={({ document, name }) => `${document} ${name}`}
          empty={<Empty icon="replay" title="No step has begun" />}
          more="Show further steps"
          lines={6}
        />
      </div>
    </Dialog>
  );
}

const Facts = ({ run }: { readonly run: PipelineRun }) => (
  <dl class="facts">
    <dt>Run</dt>
    <dd>
      <code>{run.id}</code>
    </dd>
    <dt>State</dt>
    <dd>
      <TagBadge tag={run.state} />
      {run.stopped_as !== null && ` ${words(run.stopped_as)}`}
      {run.resumes_at !== null && ` until ${moment(run.resumes_at)}`}
    </dd>
    <dt>Documents</dt>
    <dd>
      {count(run.counts.succeeded)} succeeded, {count(run.counts.failed)} failed,{" "}
      {count(run.counts.pending)} pending of {count(run.counts.documents)}
    </dd>
    {run.counts.failed > 0 && (
      <>
        <dt>Failed as</dt>
        <dd>
          {Object.entries(run.counts.failed_as)
            .map(([kind, times]) => `${words(kind)}: ${count(times)}`)
            .join(", ")}
        </dd>
      </>
    )}
    <dt>Cost so far</dt>
    <dd>
      <span title={exactNeurons(run.micro_neurons)}>{neurons(run.micro_neurons)} neurons</span>,{" "}
      {usd(run.usd)}
    </dd>
    <dt>Time</dt>
    <dd>{run.duration_ms === null ? "in progress" : milliseconds(run.duration_ms)}</dd>
  </dl>
);

const STEP_COLUMNS: readonly Column<PipelineStep>[] = [
  {
    key: "document",
    label: "Document",
    main: true,
    cell: ({ document, document_id: id }) => (
      <>
        {count(document)} <code>{id}</code>
      </>
    ),
  },
  { key: "name", label: "Step", cell: ({ name }) => words(name) },
  {
    key: "status",
    label: "Status",
    cell: ({ status, failed_as: failure }) => (
      <>
        <TagBadge tag={status} /> {failure !== null && words(failure)}
      </>
    ),
  },
  { key: "attempts", label: "Attempts", end: true, cell: ({ attempts }) => count(attempts) },
  {
    key: "duration",
    label: "Duration",
    end: true,
    cell: ({ duration_ms: ms }) => milliseconds(ms),
  },
  {
    key: "neurons",
    label: "Neurons",
    end: true,
    cell: ({ micro_neurons: cost }) => <span title={exactNeurons(cost)}>{neurons(cost)}</span>,
  },
  { key: "usd", label: "USD", end: true, cell: (step) => usd(step.usd) },
];
