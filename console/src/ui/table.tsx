import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icon.tsx";
import { ScrollFrame } from "./scroll-frame.tsx";

// One table for every list. On a narrow screen each row becomes a card whose cells name their column.
// The roles are written out, since a table with another `display` loses them.

export interface Column<Row> {
  readonly key: string;
  readonly label: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly end?: boolean;
  /** The value that rows are sorted by. Without it the column cannot be sorted. */
  readonly sort?: (row: Row) => string | number;
  /** This column is the heading of the card. */
  readonly main?: boolean;
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly initial?: { readonly key: string; readonly down: boolean };
  readonly rowClass?: (row: Row) => string;
}

export function Table<Row>({ caption, columns, rows, keyOf, initial, rowClass }: TableProps<Row>) {
  const [order, setOrder] = useState(initial ?? null);
  const by = columns.find(({ key }) => key === order?.key)?.sort;
  const shown =
    by === undefined
      ? rows
      : rows.toSorted((a, b) => compare(by(a), by(b)) * (order?.down ? -1 : 1));
  const sortBy = (key: string) =>
    setOrder((before) => ({ key, down: before?.key === key ? !before.down : false }));
  return (
    <ScrollFrame label={caption}>
      <table class="table" role="table">
        <caption class="hidden">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th
                key={column.key}
                role="columnheader"
                scope="col"
                class={column.end === true ? "end" : ""}
                {...(order?.key === column.key && {
                  "aria-sort": order.down ? ("descending" as const) : ("ascending" as const),
                })}
              >
                {column.sort === undefined ? (
                  column.label
                ) : (
                  <button type="button" class="sort" onClick={() => sortBy(column.key)}>
                    {column.label}
                    <Icon name={order?.key === column.key && order.down ? "down" : "up"} />
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {shown.map((row) => (
            <tr key={keyOf(row)} role="row" class={rowClass?.(row) ?? ""}>
              {columns.map((column) => (
                <td
                  key={column.key}
                  role="cell"
                  data-label={column.label}
                  class={cellClass(column)}
                >
                  <div class="cell">{column.cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollFrame>
  );
}

const cellClass = ({
  key,
  end = false,
  main = false,
}: Pick<Column<never>, "key" | "end" | "main">) =>
  [end && "end", main && "main", key === "acts" && "acts"].filter(Boolean).join(" ");

const compare = (a: string | number, b: string | number): number =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
