import { useState } from "preact/hooks";
import type { Account, List, Share } from "../api/shapes.ts";
import { api } from "../api/session.ts";
import { counted, duration, moment, neurons, percent } from "../format.ts";
import { hashOf } from "../hash-route.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { type Choice, SelectField } from "../ui/field.tsx";
import { Meter } from "../ui/meter.tsx";
import { Figure, Panel } from "../ui/panel.tsx";
import { Rates } from "../ui/rates.tsx";
import { Badge, LoadState, Skeleton, Warning } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { useLoad } from "../ui/use-load.ts";
import { useNow } from "../ui/use-now.ts";
import { usePolled } from "../ui/use-polled.ts";
import { AccountSettingsDialog } from "./account-settings.tsx";

const EVERY_MS = 5000;

/** Tenants that the panel shows. The API lists the others. */
const MOST_SHARES = 20;

/** The day's neurons that all tenants share, and the account's rates. */
export function PoolPanels() {
  const { data, error, reload } = usePolled(
    "account",
    (signal) => api.get<Account>("/admin/account", {}, { signal }),
    EVERY_MS,
  );
  const [editing, setEditing] = useState(false);
  return (
    <>
      <Panel
        title="The day's pool"
        class="span-8 gauge fill-row"
        hint={data === null ? undefined : ofWhat(data)}
        actions={
          data !== null && (
            <>
              {data.closure !== null && <Badge tone="bad">closed</Badge>}
              <Button small onClick={() => setEditing(true)}>
                Caps and margin
              </Button>
            </>
          )
        }
      >
        <LoadState data={data} error={error} onRetry={reload} lines={5} />
        {data !== null && <Pool account={data} onChanged={reload} />}
      </Panel>
      <Panel title="Rates" class="span-4 fill-row" hint="For all tenants, in the last minute.">
        {data === null ? error === null && <Skeleton lines={4} /> : <Rates rates={data.rates} />}
      </Panel>
      {editing && data !== null && (
        <AccountSettingsDialog
          settings={data.settings}
          onClose={() => setEditing(false)}
          onSaved={() => {
            setEditing(false);
            reload();
          }}
        />
      )}
    </>
  );
}

const ofWhat = ({ cloudflare_plan: plan, day }: Account): string =>
  plan === "free"
    ? `The UTC day ${day}. Cloudflare's free plan: a hard stop.`
    : `The UTC day ${day}. Cloudflare's paid plan.`;

interface PoolProps {
  readonly account: Account;
  readonly onChanged: () => void;
}

function Pool({ account, onChanged }: PoolProps) {
  const { pool, closure } = account;
  const left = Math.max(0, Date.parse(account.resets_at) - useNow());
  const size = pool.size_micro_neurons;
  return (
    <>
      {closure !== null && <Closed closure={closure} onChanged={onChanged} />}
      {size === null ? (
        <p class="soft">
          There is no pool: tenants have their own limits and the account has no cap.
        </p>
      ) : (
        <Gauge pool={pool} size={size} />
      )}
      <div class="figures">
        {size !== null && (
          <>
            <Figure
              label="Spent"
              value={neurons(pool.spent_micro_neurons ?? 0)}
              unit="N"
              detail={`${percent(pool.spent_micro_neurons ?? 0, size)} of ${neurons(size)} N`}
            />
            <Figure
              label="Free"
              value={neurons(pool.free_micro_neurons ?? 0)}
              unit="N"
              detail={`${neurons(pool.margin_micro_neurons)} N held back`}
            />
          </>
        )}
        <Figure
          label="Promised"
          value={neurons(account.promised_micro_neurons)}
          unit="N"
          detail={`${neurons(account.floors_micro_neurons)} N of it as floors`}
        />
        <Figure label="Resets in" value={duration(left)} detail="00:00 UTC" />
      </div>
      {account.warnings.map(({ kind, detail }) => (
        <Warning key={kind}>
          <p>{detail}</p>
        </Warning>
      ))}
      {account.tenant_count > 0 && size !== null && <Shares of={account.tenant_count} />}
    </>
  );
}

const Gauge = ({ pool, size }: { readonly pool: Account["pool"]; readonly size: number }) => (
  <Meter
    label="The day's pool"
    limit={size}
    legend
    segments={[
      { key: "spent", label: "Spent", microNeurons: pool.spent_micro_neurons ?? 0 },
      { key: "held", label: "Held", microNeurons: pool.held_micro_neurons ?? 0 },
      { key: "leased", label: "Leased", microNeurons: pool.leased_micro_neurons ?? 0 },
    ]}
    rest={{ key: "free", label: "Free", microNeurons: pool.free_micro_neurons ?? 0 }}
  />
);

interface ClosedProps {
  readonly closure: NonNullable<Account["closure"]>;
  readonly onChanged: () => void;
}

function Closed({ closure, onChanged }: ClosedProps) {
  const [busy, setBusy] = useState(false);
  const reopen = async () => {
    setBusy(true);
    try {
      await api.send("POST", "/admin/account/reopen", {});
      announce("The day is open again for all tenants.");
      onChanged();
    } catch (caught) {
      announce((caught as Error).message, "bad");
    }
    setBusy(false);
  };
  return (
    <Warning>
      <p>
        Workers AI said at {moment(closure.closed_at)} that the day's allocation is used up. One
        call tries again at {moment(closure.probe_at)} UTC.
      </p>
      <Button small busy={busy} onClick={() => void reopen()}>
        Reopen now
      </Button>
    </Warning>
  );
}

const SHARE_COLUMNS: readonly Column<Share>[] = [
  {
    key: "tenant",
    label: "Tenant",
    main: true,
    cell: ({ tenant }) => <a href={hashOf(["tenants", tenant])}>{tenant}</a>,
  },
  amount("granted", "Granted", (share) => share.granted_micro_neurons),
  amount("spent", "Spent", (share) => share.spent_micro_neurons),
  amount("held", "Held", (share) => share.held_micro_neurons),
  amount("leased", "Leased", (share) => share.leased_micro_neurons),
  amount("floor", "Floor", (share) => share.reserved_micro_neurons),
  amount("promised", "Promised", (share) => share.promised_micro_neurons),
];

function amount(key: string, label: string, of: (share: Share) => number): Column<Share> {
  return { key, label, end: true, cell: (share) => neurons(of(share)) };
}

/** Loaded when it is opened. */
function Shares({ of }: { readonly of: number }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>{of === 1 ? "Share of 1 tenant" : `Shares of ${counted(of, "tenant")}`}</summary>
      {isOpen && <LargestShares />}
    </details>
  );
}

type ShareSort = "spent" | "held" | "leased" | "id";

function LargestShares() {
  const [sort, setSort] = useState<ShareSort>("spent");
  const { data, error, reload } = useLoad(`shares by ${sort}`, (signal) =>
    api.get<List<Share>>("/admin/account/tenants", { sort, limit: MOST_SHARES }, { signal }),
  );
  return (
    <>
      <SelectField
        label={`The first ${MOST_SHARES}, by`}
        value={sort}
        choices={SHARE_SORTS}
        onValue={setSort}
      />
      <LoadState data={data} error={error} onRetry={reload} lines={4} />
      {data !== null && (
        <Table
          caption="Shares of the pool, in neurons"
          columns={SHARE_COLUMNS}
          rows={data.data}
          keyOf={({ tenant }) => tenant}
        />
      )}
    </>
  );
}

const SHARE_SORTS: readonly Choice<ShareSort>[] = [
  { value: "spent", label: "neurons spent" },
  { value: "held", label: "neurons that calls hold" },
  { value: "leased", label: "neurons leased and unused" },
  { value: "id", label: "id" },
];
