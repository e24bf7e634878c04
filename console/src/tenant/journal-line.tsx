import { useState } from "preact/hooks";
import { fieldErrors } from "../api/problem.ts";
import { api, session, tenantPath } from "../api/session.ts";
import type { JournalLine } from "../api/shapes.ts";
import { moment, neurons, shortModel, words } from "../format.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorNote } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";

interface LineProps {
  readonly tenant: string;
  readonly line: JournalLine;
  readonly onClose: () => void;
  /** An amount was given back, so there is a new line. */
  readonly onAdjusted: () => void;
}

/** A line with its items. The platform can give back its charge. */
export function Line({ tenant, line, onClose, onAdjusted }: LineProps) {
  const isAdjustable =
    session()?.kind === "platform" && line.adjusts === null && line.micro_neurons > 0;
  return (
    <Dialog title="Journal line" wide onClose={onClose}>
      <div class="stack">
        <dl class="facts">
          <dt>Line</dt>
          <dd class="mono">{line.id}</dd>
          <dt>Request</dt>
          <dd class="mono">{line.request_id}</dd>
          <dt>Key</dt>
          <dd class="mono">{line.key_id ?? "–"}</dd>
          <dt>Admitted</dt>
          <dd>{moment(line.admitted_at)} UTC</dd>
          <dt>Drawn</dt>
          <dd>
            {neurons(line.quota_micro_neurons)} N quota, {neurons(line.granted_micro_neurons)} N
            granted, {neurons(line.overage_micro_neurons)} N overage
          </dd>
          {line.adjusts !== null && (
            <>
              <dt>Gives back of</dt>
              <dd class="mono">{line.adjusts}</dd>
              <dt>Reason</dt>
              <dd>{line.reason}</dd>
            </>
          )}
        </dl>
        {line.items.length > 0 && (
          <Table
            caption="Items of the line"
            columns={ITEM_COLUMNS}
            rows={line.items.map((item, at) => ({ ...item, at }))}
            keyOf={({ at }) => String(at)}
          />
        )}
        {isAdjustable && (
          <GiveBack
            path={tenantPath(tenant, "/adjustments")}
            line={line}
            onAdjusted={() => {
              onAdjusted();
              onClose();
            }}
          />
        )}
      </div>
    </Dialog>
  );
}

interface GiveBackProps {
  readonly path: string;
  readonly line: JournalLine;
  readonly onAdjusted: () => void;
}

function GiveBack({ path, line, onAdjusted }: GiveBackProps) {
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState("");
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const errors = fieldErrors(error);
  const save = async () => {
    setBusy(true);
    setError(null);
    const body = { line_id: line.id, reason, ...(amount !== "" && { neurons: Number(amount) }) };
    try {
      const made = await api.send<JournalLine>("POST", path, body, { once: true });
      announce(`${neurons(-made.micro_neurons)} neurons are given back.`);
      onAdjusted();
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <details>
      <summary>Give back what it charged</summary>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (reason !== "") void save();
        }}
      >
        <p class="hint">
          This line does not change. A new line, with negative amounts, is booked in the same day.
        </p>
        <div class="columns">
          <TextField
            label="Neurons to give back"
            hint="Empty: all that is left of it."
            inputMode="decimal"
            maxLength={20}
            value={amount}
            onValue={setAmount}
            error={errors.get("neurons")}
          />
          <TextField
            label="Reason"
            hint="The tenant can read this."
            maxLength={1000}
            value={reason}
            onValue={setReason}
            error={errors.get("reason")}
          />
        </div>
        {error !== null && <ErrorNote error={error} what="Nothing was given back" />}
        <div class="actions end">
          <Button type="submit" busy={busy} disabled={reason === ""}>
            Give back
          </Button>
        </div>
      </form>
    </details>
  );
}

type Item = JournalLine["items"][number] & { readonly at: number };

const ITEM_COLUMNS: readonly Column<Item>[] = [
  { key: "stage", label: "Stage", main: true, cell: ({ stage }) => words(stage) },
  { key: "input", label: "Input", cell: ({ input }) => <code>{input}</code> },
  {
    key: "model",
    label: "Model",
    cell: ({ model, priced_as: priced }) => (
      <span title={model ?? priced}>{shortModel(model ?? priced)}</span>
    ),
  },
  {
    key: "units",
    label: "Units",
    cell: ({ units }) =>
      Object.entries(units)
        .map(([unit, n]) => `${n} ${words(unit)}`)
        .join(", "),
  },
  { key: "basis", label: "Basis", cell: ({ basis }) => words(basis) },
  { key: "neurons", label: "Neurons", end: true, cell: (item) => neurons(item.micro_neurons) },
];
