import {
  StatementBuilder,
  type Column,
  type Kind,
  type Reach,
  sourceOf,
} from "./usage-source-store.ts";
import { type Place, plain } from "./usage-columns.ts";

// Rows of usage, added up by the database.

/** Keys of rows: behind the one, up to and with the other. */
interface Between {
  readonly after: Place | null;
  readonly upTo: Place | null;
}

const WHOLE: Between = { after: null, upTo: null };

/** One set of rows, in the ways in which it is read. */
export class Rows {
  readonly #kind: Kind;
  readonly #reach: Reach;
  readonly #columns: readonly Column[];
  readonly #between: Between;

  constructor(kind: Kind, reach: Reach, columns: readonly Column[], between: Between = WHOLE) {
    this.#kind = kind;
    this.#reach = reach;
    this.#columns = columns;
    this.#between = between;
  }

  get #keys(): string {
    return this.#columns.map(([name]) => `s.${name}`).join(", ");
  }

  #from(statement: StatementBuilder, columns: readonly Column[]): string {
    const listed = [...this.#columns, ...columns];
    return `(${sourceOf(this.#kind, this.#reach, { columns: listed, statement })}) AS s`;
  }

  #isBetween(statement: StatementBuilder): string {
    const { after, upTo } = this.#between;
    const place = (values: Place) => `(${values.map((value) => statement.put(value)).join(", ")})`;
    const parts = [
      ...(after === null ? [] : [`(${this.#keys}) > ${place(after)}`]),
      ...(upTo === null ? [] : [`(${this.#keys}) <= ${place(upTo)}`]),
    ];
    return parts.length === 0 ? "true" : parts.join(" AND ");
  }

  sums(database: D1Database, amounts: readonly Column[], limit?: number): D1PreparedStatement {
    const statement = new StatementBuilder();
    const sums = amounts.map(([name]) => `CAST(SUM(s.${name}) AS TEXT) AS ${name}`);
    const grouped =
      this.#columns.length === 0 ? "" : `GROUP BY ${this.#keys} ORDER BY ${this.#keys}`;
    const selected = [...this.#columns.map(([name]) => `s.${name} AS ${name}`), ...sums].join(", ");
    const sql = `SELECT ${selected} FROM ${this.#from(statement, amounts)}
      WHERE ${this.#isBetween(statement)} ${grouped} ${limit === undefined ? "" : `LIMIT ${limit}`}`;
    return statement.on(database, sql);
  }

  /** The sum of each key of columns of JSON, a row for each: `part`, `name`, `sum`. */
  parts(database: D1Database, counts: readonly string[]): D1PreparedStatement {
    const statement = new StatementBuilder();
    const keys = this.#columns.map(([name]) => `s.${name} AS ${name}, `).join("");
    const by = [...(this.#keys === "" ? [] : [this.#keys]), "j.key"].join(", ");
    const each = counts.map(
      (count) => `SELECT ${keys}'${count}' AS part, j.key AS name, CAST(SUM(j.value) AS TEXT) AS sum
        FROM ${this.#from(statement, plain([count]))} CROSS JOIN json_each(s.${count}) AS j
        WHERE ${this.#isBetween(statement)} GROUP BY ${by}`,
    );
    return statement.on(database, each.join(" UNION ALL "));
  }
}

/** Rows that the database read for it, as it bills them. */
export interface ReadRows {
  readonly rowsRead: number;
}

export const rowsReadBy = (results: readonly D1Result[]): number =>
  results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
