import type { ComponentChildren } from "preact";
import { Button } from "./button.tsx";
import { Empty, LoadState } from "./status.tsx";
import { type Column, Table } from "./table.tsx";
import type { Paged } from "./use-paged.ts";

interface PagedTableProps<Row> {
  readonly page: Paged<Row>;
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  /** Shown in place of a table without rows, if there is nothing to list. */
  readonly empty: ComponentChildren;
  /** The page's filters, as the query has them. Empty values filter nothing. */
  readonly filter?: Readonly<Record<string, string>>;
  /** The label of the button that loads the next page. */
  readonly more: string;
  /** The lines of the placeholder while the first page loads. */
  readonly lines?: number;
}

/** A list that is read page by page. A failed load leaves the pages before it in the table. */
export function PagedTable<Row>({
  page,
  caption,
  columns,
  keyOf,
  empty,
  filter = {},
  more,
  lines = 3,
}: PagedTableProps<Row>) {
  const { items, error, loading } = page;
  return (
    <>
      <LoadState data={items} error={error} onRetry={page.reload} lines={lines} />
      {items?.length === 0 && (page.more ? NONE_HERE : isSet(filter) ? NONE_MATCHES : empty)}
      {items !== null && items.length > 0 && (
        <Table caption={caption} columns={columns} rows={items} keyOf={keyOf} />
      )}
      {page.more && (
        <div class="more">
          <Button busy={loading} onClick={page.loadMore}>
            {more}
          </Button>
        </div>
      )}
    </>
  );
}

const isSet = (filter: Readonly<Record<string, string>>): boolean =>
  Object.values(filter).some((value) => value !== "");

const NONE_HERE = (
  <Empty icon="search" title="None on this page">
    <p>Older ones may match: continue below.</p>
  </Empty>
);

const NONE_MATCHES = (
  <Empty icon="search" title="None matches">
    <p>Change the filters, or empty them.</p>
  </Empty>
);
