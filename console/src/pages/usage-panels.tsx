import { OTHERS } from "../api/read-usage.ts";
import type { AllUsage } from "../api/shapes.ts";
import { api } from "../api/session.ts";
import { count, dayFrom, moment, usd, words } from "../format.ts";
import { seriesBy } from "../tenant/by-day.ts";
import { StackedBars } from "../ui/chart.tsx";
import { Figure, Panel } from "../ui/panel.tsx";
import { Empty, LoadState, Skeleton } from "../ui/status.tsx";
import { usePolled } from "../ui/use-polled.ts";
import { DriftBadge, useReconciliation } from "./reconciliation.tsx";

const HOUR_MS = 3_600_000;

/** The reports get a call within seconds. Reading them has a cost, so we do it rarely. */
const EVERY_MS = 20_000;

/** Tenants with a colour of their own. All others are one series. */
const LARGEST = "20";

/** The starts of the last 24 hours; the present hour is the last. */
const lastHours = (nowMs: number): string[] =>
  Array.from({ length: 24 }, (_, n) =>
    new Date((Math.floor(nowMs / HOUR_MS) - 23 + n) * HOUR_MS).toISOString(),
  );

async function readLastDay(signal: AbortSignal) {
  const now = Date.now();
  const days = { from: dayFrom(now, -1), to: dayFrom(now, 0) };
  const largest = { ...days, group_by: "hour,tenant", largest: LARGEST };
  const today = { from: days.to, to: days.to, group_by: "day" };
  const [hours, totals] = await Promise.all([
    api.get<AllUsage>("/admin/usage", largest, { signal }),
    api.get<AllUsage>("/admin/usage", today, { signal }),
  ]);
  return { hours, totals, places: lastHours(now) };
}

/** The overview's panels from the reports: neurons by hour, refusals, money. */
export function UsagePanels() {
  const { data, error, reload } = usePolled("usage of a day", readLastDay, EVERY_MS);
  return (
    <>
      <Panel
        title="Neurons by hour"
        class="span-8 fill-row"
        hint={
          data?.hours.as_of == null
            ? "The last 24 hours: the 20 tenants that used most, and all others."
            : `The last 24 hours: the 20 tenants that used most, and all others; as of ${moment(data.hours.as_of)} UTC.`
        }
      >
        <LoadState data={data} error={error} onRetry={reload} lines={9} />
        {data !== null && <Hours usage={data.hours} places={data.places} />}
      </Panel>
      <div class="span-4 stack">
        <Panel title="Refusals today" hint="For all tenants, by kind.">
          {data === null && error === null && <Skeleton lines={3} />}
          {data !== null && <Refusals refused={data.totals.totals?.refused ?? {}} />}
        </Panel>
        <Panel title="This month" actions={<a href="#/money">Money</a>}>
          {data === null && error === null && <Skeleton lines={3} />}
          {data !== null && data.totals.month !== null && <Month month={data.totals.month} />}
        </Panel>
        <Drift />
      </div>
    </>
  );
}

interface HoursProps {
  readonly usage: AllUsage;
  readonly places: readonly string[];
}

const hourName = (iso: string): string => iso.slice(11, 16);

function Hours({ usage, places }: HoursProps) {
  const series = seriesBy(usage.data, {
    places,
    placeOf: ({ hour }) => hour,
    nameOf: ({ tenant }) => (tenant === OTHERS ? "all others" : (tenant ?? "")),
  });
  if (series.length === 0) {
    return (
      <Empty icon="overview" title="Nothing was used in the last 24 hours">
        <p>Usage of tenants appears here within a minute.</p>
      </Empty>
    );
  }
  return (
    <StackedBars
      label="Neurons by hour and tenant"
      places={places.map(hourName)}
      series={series}
      format={(n) => count(n)}
    />
  );
}

function Refusals({ refused }: { readonly refused: Readonly<Record<string, number>> }) {
  const kinds = Object.entries(refused)
    .filter(([, many]) => many > 0)
    .toSorted(([, a], [, b]) => b - a);
  const most = kinds[0]?.[1] ?? 1;
  if (kinds.length === 0) return <p class="soft">None so far.</p>;
  return (
    <div class="rates">
      {kinds.map(([kind, many]) => (
        <div key={kind} class="bar-row">
          <span>{words(kind)}</span>
          <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect class="track" width="100" height="6" />
            <rect class="fill bad" width={(many / most) * 100} height="6" />
          </svg>
          <span class="end">{count(many)}</span>
        </div>
      ))}
    </div>
  );
}

const Month = ({ month }: { readonly month: NonNullable<AllUsage["month"]> }) => (
  <div class="figures">
    <Figure
      label="Cost so far"
      value={usd(month.to_date.cost_usd)}
      detail={`${usd(month.to_date.charge_usd)} charged`}
    />
    <Figure
      label="At its end"
      value={month.forecast === null ? "–" : usd(month.forecast.cost_usd)}
      detail={
        month.forecast === null ? "too early to tell" : `${usd(month.forecast.charge_usd)} charged`
      }
    />
  </div>
);

/** The latest days that were compared with Cloudflare's figures. */
function Drift() {
  const { data, error, reload } = useReconciliation();
  const days = (data?.data ?? []).slice(0, 3);
  return (
    <Panel title="Drift" hint="Cloudflare's count minus ours.">
      <LoadState data={data} error={error} onRetry={reload} lines={2} />
      {data !== null && days.length === 0 && <p class="soft">No day was compared yet.</p>}
      {days.map((day) => (
        <div key={day.day} class="row between">
          <span>{day.day}</span>
          <DriftBadge day={day} />
        </div>
      ))}
    </Panel>
  );
}
