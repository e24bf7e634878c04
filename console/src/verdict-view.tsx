import { exactNeurons, moment, neurons, shortModel, words } from "./format.ts";
import type { CheckStatus, Stage, Verdict } from "./api/shapes.ts";
import { Badge, TagBadge, type Tone } from "./ui/status.tsx";
import { type Column, Table } from "./ui/table.tsx";

// A verdict for people: the decision, its reasons, and which checks ran and which did not.

const STATUS_TONES: Readonly<Record<CheckStatus, Tone>> = {
  evaluated: "good",
  calibrated: "good",
  not_required: "neutral",
  not_evaluated: "warn",
  timed_out: "bad",
  failed: "bad",
};

export function VerdictView({ verdict }: { readonly verdict: Verdict }) {
  const { reasons, stages } = verdict;
  return (
    <div class="stack">
      <div class="row">
        <TagBadge tag={verdict.decision} />
        <Badge tone={verdict.approved ? "good" : "neutral"}>
          {verdict.approved ? "approved" : "not approved"}
        </Badge>
        {verdict.review.priority === "urgent" && <Badge tone="bad">urgent</Badge>}
        {verdict.review.sampled && <Badge tone="info">sample</Badge>}
        {verdict.partial && <Badge tone="warn">partial</Badge>}
        {verdict.test && <Badge tone="info">test input</Badge>}
        {verdict.reused_from !== null && <Badge tone="info">reused</Badge>}
        {verdict.actions.map((action) => (
          <Badge key={action} tone="neutral">
            {words(action)}
          </Badge>
        ))}
      </div>
      {reasons.length > 0 && (
        <ul class="reasons" aria-label="Reasons">
          {reasons.map((reason, at) => (
            <li key={at}>{reason.message}</li>
          ))}
        </ul>
      )}
      <Facts verdict={verdict} />
      <Scores verdict={verdict} />
      <Coverage coverage={verdict.coverage} />
      {stages.length > 0 && (
        <div>
          <h3>Stages</h3>
          <Table
            caption="Stages"
            columns={STAGE_COLUMNS}
            rows={stages}
            keyOf={({ name, input }) => `${name} ${input}`}
          />
        </div>
      )}
    </div>
  );
}

function Facts({ verdict }: { readonly verdict: Verdict }) {
  const { review } = verdict;
  return (
    <dl class="facts">
      <dt>Verdict</dt>
      <dd class="mono">{verdict.id}</dd>
      <dt>Made</dt>
      <dd>{moment(verdict.created_at)} UTC</dd>
      <dt>Content</dt>
      <dd>{verdict.content_id ?? "–"}</dd>
      <dt>User</dt>
      <dd>{verdict.user_id ?? "–"}</dd>
      {Object.entries(verdict.metadata).map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
      <dt>Policy</dt>
      <dd>
        {verdict.policy.name}, version {verdict.policy.version}
      </dd>
      <dt>Language</dt>
      <dd>{verdict.language ?? "not known"}</dd>
      <dt>Cost</dt>
      <dd title={exactNeurons(verdict.micro_neurons)}>{neurons(verdict.micro_neurons)} neurons</dd>
      {verdict.reused_from !== null && (
        <>
          <dt>Reused from</dt>
          <dd class="mono">{verdict.reused_from}</dd>
        </>
      )}
      <dt>Decided by</dt>
      <dd>
        {verdict.decided_by}, revision {verdict.revision}
      </dd>
      {review.state !== "none" && (
        <>
          <dt>Review</dt>
          <dd>
            <TagBadge tag={review.state} />
            {review.note !== null && ` ${review.note}`}
          </dd>
        </>
      )}
    </dl>
  );
}

/** The scores above 0, highest first. */
function Scores({ verdict }: { readonly verdict: Verdict }) {
  const scores = Object.entries(verdict.scores)
    .filter((entry): entry is [string, number] => entry[1] !== undefined && entry[1] > 0)
    .toSorted(([, a], [, b]) => b - a);
  if (scores.length === 0) return null;
  return (
    <div>
      <h3>Scores</h3>
      <div class="rates">
        {scores.map(([category, score]) => (
          <div key={category} class="bar-row">
            <span>{category}</span>
            <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
              <rect class="track" width="100" height="6" />
              <rect
                class={score >= 0.7 ? "fill bad" : score >= 0.4 ? "fill warn" : "fill"}
                width={score * 100}
                height="6"
              />
            </svg>
            <span class="end">{score.toFixed(2)}</span>
          </div>
        ))}
      </div>
    </div>
  );
}

/** Categories by the state of their check. Those that the policy does not check are only counted. */
function Coverage({ coverage }: { readonly coverage: Verdict["coverage"] }) {
  const asked = Object.entries(coverage).filter(([, status]) => status !== "not_required");
  const rest = Object.keys(coverage).length - asked.length;
  return (
    <div>
      <h3>Coverage</h3>
      <ul class="coverage">
        {asked.map(([category, status]) => (
          <li key={category}>
            <Badge tone={STATUS_TONES[status]}>
              {category}
              {status !== "evaluated" && `: ${words(status)}`}
            </Badge>
          </li>
        ))}
        {rest > 0 && (
          <li>
            <Badge tone="neutral">{rest} not asked for</Badge>
          </li>
        )}
      </ul>
    </div>
  );
}

const STAGE_COLUMNS: readonly Column<Stage>[] = [
  { key: "name", label: "Stage", main: true, cell: ({ name }) => words(name) },
  { key: "input", label: "Input", cell: ({ input }) => <code>{input}</code> },
  { key: "status", label: "Status", cell: ({ status }) => <TagBadge tag={status} /> },
  {
    key: "engine",
    label: "Engine",
    cell: ({ engine, model }) => (
      <span title={model ?? engine}>
        {engine}
        {model !== null && <span class="soft"> {shortModel(model)}</span>}
      </span>
    ),
  },
  {
    key: "latency",
    label: "Latency",
    end: true,
    cell: ({ latency_ms: ms }) => `${Math.round(ms)} ms`,
  },
  { key: "cost", label: "Neurons", end: true, cell: (stage) => neurons(stage.micro_neurons) },
  { key: "basis", label: "Basis", cell: ({ basis }) => words(basis) },
];
