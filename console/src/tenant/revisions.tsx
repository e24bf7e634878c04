import { api } from "../api/session.ts";
import type { List, Revision } from "../api/shapes.ts";
import { moment } from "../format.ts";
import { ErrorNote, TagBadge } from "../ui/status.tsx";
import { useLoad } from "../ui/use-load.ts";

/** The history of a verdict's decision. */
export function Revisions({ path }: { readonly path: string }) {
  const url = `${path}/revisions`;
  const { data, error, reload } = useLoad(url, (signal) =>
    api.get<List<Revision>>(url, {}, { signal }),
  );
  return (
    <div>
      <h3>Revisions</h3>
      {error !== null && <ErrorNote error={error} onRetry={reload} />}
      <ul class="stack">
        {(data?.data ?? []).map((revision) => (
          <li key={revision.revision} class="row">
            <b>{revision.revision}</b>
            <TagBadge tag={revision.decision} />
            <span>by {revision.decided_by}</span>
            <span class="soft">{moment(revision.created_at)} UTC</span>
            {revision.note !== null && <span>{revision.note}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
