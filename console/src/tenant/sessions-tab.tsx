import { useState } from "preact/hooks";
import { api, tenantPath } from "../api/session.ts";
import type { List, ListedSession, SessionState } from "../api/shapes.ts";
import { count, duration, moment, relative, shortModel } from "../format.ts";
import { go, hashOf } from "../hash-route.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, LoadState, none, TagBadge } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { useNow } from "../ui/use-now.ts";
import { usePaged } from "../ui/use-paged.ts";
import { usePolled } from "../ui/use-polled.ts";
import type { TabProps } from "./tenant-page.tsx";

const POLL_MS = 5000;

/** Chat sessions, without what was said in them. */
export function SessionsTab({ tenant, item }: TabProps) {
  const path = tenantPath(tenant, "/sessions");
  const page = usePaged(path, (cursor, signal) =>
    api.get<List<ListedSession>>(path, { cursor, limit: 50 }, { signal }),
  );
  const [ending, setEnding] = useState<string | null>(null);
  return (
    <Panel
      title="Sessions"
      hint="Chats that the gateway keeps, newest first. Open one to see its state."
      actions={
        <Button icon="replay" onClick={page.reload}>
          Refresh
        </Button>
      }
    >
      <PagedTable
        page={page}
        caption="Sessions"
        columns={columns(tenant, setEnding)}
        keyOf={({ id }) => id}
        empty={
          <Empty icon="try" title="No session">
            <p>A session begins with POST /v1/sessions, and ends by itself when it is not used.</p>
          </Empty>
        }
        more="Show older sessions"
      />
      {item !== null && (
        <OneSession
          path={`${path}/${encodeURIComponent(item)}`}
          onClose={() => go(["tenants", tenant, "sessions"])}
        />
      )}
      {ending !== null && (
        <Confirm
          title="Delete the session"
          act="Delete it"
          onClose={() => setEnding(null)}
          onConfirm={async () => {
            await api.send("DELETE", `${path}/${encodeURIComponent(ending)}`);
            announce("The session is deleted.");
            page.reload();
          }}
        >
          <p>
            This ends <code>{ending}</code> and erases everything that was said in it.
          </p>
        </Confirm>
      )}
    </Panel>
  );
}

const columns = (tenant: string, end: (id: string) => void): readonly Column<ListedSession>[] => [
  {
    key: "made",
    label: "Begun, UTC",
    main: true,
    cell: ({ id, created_at: at }) => (
      <a href={hashOf(["tenants", tenant, "sessions", id])}>{moment(at)}</a>
    ),
  },
  { key: "id", label: "Session", cell: ({ id }) => <code>{id}</code> },
  {
    key: "model",
    label: "Model",
    cell: ({ model }) => <span title={model}>{shortModel(model)}</span>,
  },
  { key: "user", label: "User", cell: ({ user_id: user }) => user ?? none },
  {
    key: "key",
    label: "Key",
    cell: ({ key_id: key }) => (key === null ? none : <code>{key}</code>),
  },
  {
    key: "acts",
    label: "Actions",
    end: true,
    cell: ({ id }) => (
      <Button small kind="quiet" label={`Delete the session ${id}`} onClick={() => end(id)}>
        Delete
      </Button>
    ),
  },
];

interface OneSessionProps {
  readonly path: string;
  readonly onClose: () => void;
}

function OneSession({ path, onClose }: OneSessionProps) {
  const { data, error, reload } = usePolled(
    path,
    (signal) => api.get<SessionState>(path, {}, { signal }),
    POLL_MS,
  );
  const nowMs = useNow();
  return (
    <Dialog title="Session" onClose={onClose}>
      <div class="stack">
        <LoadState data={data} error={error} onRetry={reload} lines={6} />
        {data !== null && (
          <dl class="facts">
            <dt>Session</dt>
            <dd>
              <code>{data.id}</code>
            </dd>
            <dt>State</dt>
            <dd>
              <TagBadge tag={data.in_line > 0 ? "answering" : "idle"} />
              {data.in_line > 0 && ` ${count(data.in_line)} in line`}
            </dd>
            <dt>Model</dt>
            <dd>{data.model}</dd>
            <dt>User</dt>
            <dd>{data.user_id ?? none}</dd>
            <dt>Turns kept</dt>
            <dd>
              {count(data.turns)} of {count(data.max_turns)} at most
            </dd>
            <dt>Begun, UTC</dt>
            <dd>{moment(data.created_at)}</dd>
            <dt>Last message, UTC</dt>
            <dd>{data.last_message_at === null ? none : moment(data.last_message_at)}</dd>
            <dt>Expires, UTC</dt>
            <dd>
              {moment(data.expires_at)}, {relative(data.expires_at, nowMs)} (
              {duration(data.ttl_s * 1000)} after the last message)
            </dd>
          </dl>
        )}
      </div>
    </Dialog>
  );
}
