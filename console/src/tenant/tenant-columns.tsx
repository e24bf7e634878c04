import type { ListedTenant } from "../api/shapes.ts";
import { count, moment, neurons, percent } from "../format.ts";
import { hashOf } from "../hash-route.ts";
import { Button } from "../ui/button.tsx";
import { Meter } from "../ui/meter.tsx";
import { Badge, none, TagBadge } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";

const MICRO = 1_000_000;

interface Acts {
  readonly edit: (id: string) => void;
  readonly suspend: (id: string) => void;
  readonly remove: (id: string) => void;
}

export function tenantColumns(acts: Acts): readonly Column<ListedTenant>[] {
  return [
    {
      key: "id",
      label: "Tenant",
      main: true,
      cell: ({ id }) => <a href={hashOf(["tenants", id])}>{id}</a>,
    },
    {
      key: "plan",
      label: "Plan",
      cell: ({ plan }) => (plan === null ? none : <TagBadge tag={plan} />),
    },
    {
      key: "daily",
      label: "A day",
      end: true,
      cell: ({ daily_neurons: daily }) => (daily === null ? none : `${count(daily)} N`),
    },
    {
      key: "floor",
      label: "Floor",
      end: true,
      cell: ({ reserved_neurons: floor }) =>
        floor === null || floor === 0 ? none : `${count(floor)} N`,
    },
    { key: "usage", label: "Spent today", cell: (tenant) => <Spent tenant={tenant} /> },
    {
      key: "state",
      label: "State",
      cell: ({ state }) => <Badge tone={TONES[state]}>{state}</Badge>,
    },
    {
      key: "acts",
      label: "Actions",
      end: true,
      cell: ({ id, state }) =>
        state === "deleting" ? (
          none
        ) : (
          <span class="actions end">
            <Button small label={`Edit ${id}`} onClick={() => acts.edit(id)}>
              Edit
            </Button>
            <Button
              small
              kind="quiet"
              label={`${state === "suspended" ? "Resume" : "Suspend"} ${id}`}
              onClick={() => acts.suspend(id)}
            >
              {state === "suspended" ? "Resume" : "Suspend"}
            </Button>
            <Button small kind="quiet" label={`Delete ${id}`} onClick={() => acts.remove(id)}>
              Delete
            </Button>
          </span>
        ),
    },
  ];
}

const TONES = { active: "good", suspended: "bad", deleting: "warn" } as const;

/** The usage that the tenant reported last. */
function Spent({ tenant }: { readonly tenant: ListedTenant }) {
  const { id, spent_micro_neurons: spent, daily_neurons: daily, reported_at: at } = tenant;
  if (at === null) return <div class="usage-cell soft">nothing reported today</div>;
  const whole = daily === null ? null : daily * MICRO;
  return (
    <div class="usage-cell" title={`As reported at ${moment(at)} UTC`}>
      <Meter
        label={`Today of ${id}`}
        limit={whole}
        hard={tenant.plan === "free"}
        segments={[{ key: "spent", label: "Spent", microNeurons: spent }]}
      />
      <p class="hint">
        {neurons(spent)} N{whole !== null && ` · ${percent(spent, whole)}`}
      </p>
    </div>
  );
}
