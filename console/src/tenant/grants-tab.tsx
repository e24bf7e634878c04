import { useState } from "preact/hooks";
import type { Grant, List } from "../api/shapes.ts";
import { fieldErrors } from "../api/problem.ts";
import { api, session, tenantPath } from "../api/session.ts";
import { exactNeurons, moment, neurons } from "../format.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Badge, Empty, ErrorNote, type Tone } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";
import type { TabProps } from "./tenant-page.tsx";

/** A tenant reads its grants. The platform makes and ends them. */
export function GrantsTab({ tenant }: TabProps) {
  const path = tenantPath(tenant, "/grants");
  const platform = session()?.kind === "platform";
  const page = usePaged(path, (cursor, signal) =>
    api.get<List<Grant>>(path, { cursor, limit: 50 }, { signal }),
  );
  const [doing, setDoing] = useState<Grant | "new" | null>(null);
  const close = () => setDoing(null);
  return (
    <Panel
      title="Grants"
      hint="Neurons on top of the daily quota, each grant until its end. Calls draw on the day's quota first, then on the grant that ends first."
      actions={
        platform && (
          <Button icon="plus" kind="primary" onClick={() => setDoing("new")}>
            Grant neurons
          </Button>
        )
      }
    >
      <PagedTable
        page={page}
        caption="Grants"
        columns={platform ? [...COLUMNS, acts(setDoing)] : COLUMNS}
        keyOf={({ id }) => id}
        empty={
          <Empty icon="money" title="No grant yet">
            <p>
              {platform
                ? "Make a grant when a tenant needs more than its quota for one time."
                : "The platform makes one when you need more than your quota for one time."}
            </p>
          </Empty>
        }
        more="Show older grants"
      />
      {doing === "new" && (
        <NewGrant
          path={path}
          onClose={close}
          onMade={() => {
            close();
            page.reload();
          }}
        />
      )}
      {doing !== null && doing !== "new" && (
        <Confirm
          title="End the rest of the grant"
          act="End it now"
          onClose={close}
          onConfirm={async () => {
            await api.send("DELETE", `${path}/${encodeURIComponent(doing.id)}`);
            announce("The grant is ended.");
            page.reload();
          }}
        >
          <p>
            {neurons(doing.remaining_micro_neurons)} neurons remain, and this removes them. The
            amounts that calls drew on it do not change.
          </p>
        </Confirm>
      )}
    </Panel>
  );
}

const TONES: Readonly<Record<Grant["state"], Tone>> = {
  active: "good",
  used: "neutral",
  expired: "neutral",
  ended: "neutral",
};

const COLUMNS: readonly Column<Grant>[] = [
  { key: "reason", label: "Reason", main: true, cell: ({ reason }) => reason },
  { key: "state", label: "State", cell: ({ state }) => <Badge tone={TONES[state]}>{state}</Badge> },
  {
    key: "granted",
    label: "Granted",
    end: true,
    cell: (grant) => (
      <span title={exactNeurons(grant.micro_neurons)}>{neurons(grant.micro_neurons)} N</span>
    ),
  },
  {
    key: "drawn",
    label: "Drawn",
    end: true,
    cell: (one) => `${neurons(one.drawn_micro_neurons)} N`,
  },
  {
    key: "left",
    label: "Left",
    end: true,
    cell: (one) => <b>{neurons(one.remaining_micro_neurons)} N</b>,
  },
  { key: "made", label: "Made, UTC", cell: (grant) => moment(grant.created_at) },
  { key: "ends", label: "Ends, UTC", cell: (grant) => moment(grant.expires_at) },
];

const acts = (end: (grant: Grant) => void): Column<Grant> => ({
  key: "acts",
  label: "Actions",
  end: true,
  cell: (grant) =>
    grant.state === "active" && (
      <Button
        small
        kind="quiet"
        label={`End the grant: ${grant.reason}`}
        onClick={() => end(grant)}
      >
        End
      </Button>
    ),
});

interface NewGrantProps {
  readonly path: string;
  readonly onClose: () => void;
  readonly onMade: () => void;
}

function NewGrant({ path, onClose, onMade }: NewGrantProps) {
  const [amount, setAmount] = useState("");
  const [days, setDays] = useState("7");
  const [reason, setReason] = useState("");
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const errors = fieldErrors(error);
  const wrongDays = Number(days) > 0 && Number(days) <= 3650 ? undefined : "1 to 3650 days.";
  const save = async () => {
    setBusy(true);
    setError(null);
    const expires = new Date(Date.now() + Number(days) * 86_400_000).toISOString();
    try {
      const body = { neurons: Number(amount), expires_at: expires, reason };
      const made = await api.send<Grant>("POST", path, body, { once: true });
      announce(`${neurons(made.micro_neurons)} neurons are granted.`);
      onMade();
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Grant neurons" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (wrongDays === undefined) void save();
        }}
      >
        <TextField
          label="Neurons"
          inputMode="decimal"
          maxLength={20}
          required
          value={amount}
          onValue={setAmount}
          error={errors.get("neurons")}
        />
        <TextField
          label="Ends after, days"
          inputMode="numeric"
          maxLength={4}
          value={days}
          onValue={setDays}
          error={wrongDays ?? errors.get("expires_at")}
        />
        <TextField
          label="Reason"
          hint="The tenant can read this."
          maxLength={1000}
          required
          value={reason}
          onValue={setReason}
          error={errors.get("reason")}
        />
        {error !== null && <ErrorNote error={error} what="Nothing was granted" />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            kind="primary"
            busy={busy}
            disabled={amount === "" || reason === ""}
          >
            Grant
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
