import { counted } from "../../domain/text/counted.ts";
import { html, htmlPage, type Markup } from "../../http/html.ts";
import type { StatementBody } from "./statement.ts";

// A statement to be read and printed.

const STYLE = `
  :root { color-scheme: light; }
  body { font: 14px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff;
    max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; margin: 0 0 0.25rem; }
  h2 { font-size: 1.05rem; margin: 2rem 0 0.5rem; }
  p { margin: 0.25rem 0; }
  .open { border: 1px solid #8a5a00; background: #fff6e0; padding: 0.5rem 0.75rem; margin: 1rem 0; }
  .broken { border: 2px solid #a00; background: #ffecec; padding: 0.5rem 0.75rem; margin: 1rem 0; }
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  caption { text-align: left; color: #555; padding-bottom: 0.25rem; }
  th, td { padding: 0.25rem 0.5rem; text-align: left; vertical-align: top;
    border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
  .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
  tfoot th, tfoot td { border-top: 2px solid #1a1a1a; border-bottom: 0; font-weight: 600; }
  .total { font-size: 1.35rem; font-weight: 700; }
  footer { margin-top: 2rem; color: #555; font-size: 0.85rem; }
  @media print {
    body { margin: 0; max-width: none; font-size: 10pt; }
    .wide { overflow: visible; }
    thead { display: table-header-group; }
    tr { break-inside: avoid; }
  }
`;

/** Whole micro-neurons as neurons, all six decimals: `12498802900` is `12,498.802900`. */
function neurons(microNeurons: number): string {
  const sign = microNeurons < 0 ? "-" : "";
  const digits = String(Math.abs(microNeurons)).padStart(7, "0");
  const whole = digits.slice(0, -6).replace(/\B(?=(?:\d{3})+$)/g, ",");
  return `${sign}${whole}.${digits.slice(-6)}`;
}

const figure = (value: string | number): Markup => html`<td class="n">${value}</td>`;

const figures = (values: readonly (string | number)[]): readonly Markup[] => values.map(figure);

function table(caption: string, columns: readonly Markup[], rows: Markup, foot?: Markup): Markup {
  return html`<div class="wide">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
      ${
        foot === undefined
          ? null
          : html`<tfoot>
              ${foot}
            </tfoot>`
      }
    </table>
  </div>`;
}

const heads = (names: readonly string[], counts: readonly string[]): readonly Markup[] => [
  ...names.map((name) => html`<th scope="col">${name}</th>`),
  ...counts.map((name) => html`<th scope="col" class="n">${name}</th>`),
];

const all = (rows: readonly Markup[]): Markup => html`${rows}`;

function daysTable({ days, totals }: StatementBody): Markup {
  const names = [
    "Calls",
    "Quota N",
    "Grants N",
    "Overage N",
    "Adjusted N",
    "Cost USD",
    "Charge USD",
  ];
  const cells = (sums: StatementBody["days"][number] | StatementBody["totals"]): Markup =>
    all([
      figure(sums.calls),
      figure(neurons(sums.quota_micro_neurons)),
      figure(neurons(sums.granted_micro_neurons)),
      figure(neurons(sums.overage_micro_neurons)),
      figure(neurons(sums.adjusted_micro_neurons)),
      figure(sums.cost_usd),
      figure(sums.charge_usd),
    ]);
  const rows = days.map(
    (day) =>
      html`<tr>
        <th scope="row">${day.day}</th>
        ${cells(day)}
      </tr>`,
  );
  const foot = html`<tr>
    <th scope="row">Month</th>
    ${cells(totals)}
  </tr>`;
  return table("What each day drew on, in neurons.", heads(["Day"], names), all(rows), foot);
}

function linesTable({ days, totals }: StatementBody): Markup {
  const rows = days.flatMap(({ day, lines }) =>
    lines.map(
      (line) =>
        html`<tr>
          <td>${day}</td>
          <td>
            ${line.model}${line.priced_as === line.model ? null : html` (as ${line.priced_as})`}
          </td>
          <td>${line.task}</td>
          ${figures([line.engine_requests, neurons(line.micro_neurons), line.cost_usd])}
        </tr>`,
    ),
  );
  const foot = html`<tr>
    <th scope="row" colspan="4">Used</th>
    ${figure(neurons(totals.used_micro_neurons))}${figure(totals.cost_usd)}
  </tr>`;
  const columns = heads(["Day", "Model", "Task"], ["Requests", "Neurons", "Cost USD"]);
  return table("What ran, by day and model.", columns, all(rows), foot);
}

function overageTable({ totals }: StatementBody): Markup | null {
  if (totals.overage.length === 0) return null;
  const rows = totals.overage.map(
    (rate) =>
      html`<tr>
        <td>${rate.usd_per_1000_neurons}</td>
        ${figure(neurons(rate.micro_neurons))}${figure(rate.charge_usd)}
      </tr>`,
  );
  const foot = html`<tr>
    <th scope="row">Overage</th>
    ${figure(neurons(totals.overage_micro_neurons))}${figure(totals.charge_usd)}
  </tr>`;
  const columns = heads(["USD per 1,000 neurons"], ["Neurons", "Charge USD"]);
  return html`<h2>Overage</h2>
    ${table("Neurons beyond quota and grants, at the rate in force when posted.", columns, all(rows), foot)}`;
}

function adjustmentsTable({ adjustments, totals }: StatementBody): Markup | null {
  if (adjustments.length === 0 && totals.adjusted_micro_neurons === 0) return null;
  const rows = adjustments.map(
    (made) =>
      html`<tr>
        <td>${made.day}</td>
        <td>${made.adjusts}</td>
        <td>${made.reason}</td>
        ${figure(neurons(made.micro_neurons))}
      </tr>`,
  );
  const foot = html`<tr>
    <th scope="row" colspan="3">Adjusted</th>
    ${figure(neurons(totals.adjusted_micro_neurons))}
  </tr>`;
  const columns = heads(["Day", "Line", "Reason"], ["Neurons"]);
  return html`<h2>Adjustments</h2>
    ${table("Given back; the figures of their days already hold them.", columns, all(rows), foot)}`;
}

const notices = ({ is_open: open, totals }: StatementBody): readonly Markup[] => [
  ...(open ? [html`<p class="open">This month is not over: these figures still grow.</p>`] : []),
  ...(totals.adds_up
    ? []
    : [html`<p class="broken">These lines do not add up to the journal. Do not bill by them.</p>`]),
];

export function statementPage(statement: StatementBody, nonce: string): Response {
  const { tenant, month, totals } = statement;
  const title = `Statement ${month} · ${tenant}`;
  const body = html`<header>
      <h1>Statement for ${month}</h1>
      <p>
        Tenant
        <strong>${tenant}</strong>${statement.life > 1 ? html`, life ${statement.life}` : null}
      </p>
      ${notices(statement)}
      <p class="total">Total USD ${totals.total_usd}</p>
      <p>
        Exactly USD ${totals.charge_usd} for ${neurons(totals.overage_micro_neurons)} neurons of
        overage; ${neurons(totals.micro_neurons)} neurons in ${counted(totals.calls, "call")}.
      </p>
    </header>
    <h2>Days</h2>
    ${daysTable(statement)} ${overageTable(statement)} ${adjustmentsTable(statement)}
    <h2>Models</h2>
    ${linesTable(statement)}
    <footer>
      <p>
        Made ${statement.as_of} from the daily books of the ledger. Days are days of UTC; a call
        belongs to the day in which it was admitted. Cost is neurons at USD
        ${statement.usd_per_1000_neurons} a thousand, before the account's free allocation. Price
        book in force: ${statement.price_book}; each journal line names its own. Only the total is
        rounded, half up, to cents.
      </p>
    </footer>`;
  return htmlPage(title, { style: STYLE, body, nonce });
}
