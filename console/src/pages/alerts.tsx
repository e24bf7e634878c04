import { api } from "../api/session.ts";
import type { List, PlatformEvent } from "../api/shapes.ts";
import { moment } from "../format.ts";
import { hashOf } from "../hash-route.ts";
import { Empty, ErrorNote, Skeleton } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { useLoad } from "../ui/use-load.ts";

/** The feed is read oldest first, so the newest events are on its last page. We read at most so many. */
const MOST_PAGES = 20;

async function readEvents(most: number, signal: AbortSignal): Promise<readonly PlatformEvent[]> {
  let events: readonly PlatformEvent[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query: { limit: number; cursor: string | null } = { limit: 200, cursor };
    // oxlint-disable-next-line no-await-in-loop -- a page has the cursor of the next
    const list: List<PlatformEvent> = await api.get("/admin/events", query, { signal });
    events = [...events, ...list.data].slice(-most);
    cursor = list.next_cursor;
    if (!list.has_more) break;
  }
  return events.toReversed();
}

export function Alerts({ most }: { readonly most: number }) {
  const { data, error, reload } = useLoad(`alerts ${most}`, (signal) => readEvents(most, signal));
  if (error !== null) return <ErrorNote error={error} onRetry={reload} />;
  if (data === null) return <Skeleton />;
  if (data.length === 0) {
    return (
      <Empty icon="bell" title="No alert">
        <p>
          Events are recorded once an endpoint subscribes to them: add one under{" "}
          <a href="#/events">Alerts</a>.
        </p>
      </Empty>
    );
  }
  return <Table caption="Alerts" columns={COLUMNS} rows={data} keyOf={({ id }) => id} />;
}

const tenantOf = ({ data }: PlatformEvent): string | null => {
  const tenant = data?.["tenant"];
  return typeof tenant === "string" ? tenant : null;
};

const COLUMNS: readonly Column<PlatformEvent>[] = [
  { key: "type", label: "What", main: true, cell: ({ type }) => <code>{type}</code> },
  {
    key: "tenant",
    label: "Tenant",
    cell: (event) => {
      const tenant = tenantOf(event);
      return tenant === null ? (
        <span class="soft">the account</span>
      ) : (
        <a href={hashOf(["tenants", tenant])}>{tenant}</a>
      );
    },
  },
  { key: "when", label: "When, UTC", end: true, cell: ({ timestamp }) => moment(timestamp) },
];
