import { api, session, tenantPath } from "../api/session.ts";
import type { Invariants, Limits, Tenant } from "../api/shapes.ts";
import {
  count,
  duration,
  exactNeurons,
  moment,
  neurons,
  percent,
  relative,
  words,
} from "../format.ts";
import { forecast } from "../pages/tenants.tsx";
import { LiveDot } from "../ui/live-dot.tsx";
import { Meter } from "../ui/meter.tsx";
import { Figure, Panel } from "../ui/panel.tsx";
import { Rates } from "../ui/rates.tsx";
import { Badge, ErrorNote, LoadState, Skeleton } from "../ui/status.tsx";
import { useLive } from "../ui/use-live.ts";
import { useLoad } from "../ui/use-load.ts";
import { useNow } from "../ui/use-now.ts";
import { segmentsOf, wholeOf } from "./usage-bar.tsx";
import type { TabProps } from "./tenant-page.tsx";

export function SummaryTab({ tenant }: TabProps) {
  const path = tenantPath(tenant, "/limits");
  const { data, error, reload } = useLoad(path, (signal) => api.get<Limits>(path, {}, { signal }));
  const daily = useDaily(tenant);
  const live = useLive<Limits>(tenantPath(tenant, "/live?for_s=60"), "limits");
  const limits = live.data ?? data;
  return (
    <div class="grid">
      <Panel
        title="Today"
        class="span-7 gauge"
        hint={limits === null ? undefined : `The UTC day ${limits.day}`}
        actions={<LiveDot state={live.state} />}
      >
        {limits === null && error === null && <Skeleton lines={4} />}
        {limits === null && error !== null && <ErrorNote error={error} onRetry={reload} />}
        {limits !== null && <Today limits={limits} daily={daily} />}
      </Panel>
      <Panel title="Rates" class="span-5" hint="Admitted in the last minute, of the limit.">
        {limits === null ? <Skeleton lines={5} /> : <Rates rates={limits.rates} />}
      </Panel>
      <InvariantsPanel tenant={tenant} />
    </div>
  );
}

/** The daily neurons of the plan. The platform can read them, a key cannot. */
function useDaily(tenant: string): number | null {
  const platform = session()?.kind === "platform";
  const path = `/admin/tenants/${encodeURIComponent(tenant)}`;
  const { data } = useLoad(`daily ${path}`, async (signal) =>
    platform ? (await api.get<Tenant>(path, {}, { signal })).daily_neurons : null,
  );
  return data;
}

interface TodayProps {
  readonly limits: Limits;
  readonly daily: number | null;
}

function Today({ limits, daily }: TodayProps) {
  const now = useNow();
  const expected = forecast(limits, now);
  const { limit_micro_neurons: limit, posted_micro_neurons: posted } = limits;
  const { micro_neurons: overage, cap_neurons: cap } = limits.overage;
  const left = Date.parse(limits.resets_at) - now;
  return (
    <>
      <Meter
        label="Today"
        limit={wholeOf(limits, daily)}
        hard={limit !== null}
        legend
        segments={segmentsOf(limits)}
      />
      <div class="figures">
        <Figure
          label="Posted"
          value={neurons(posted)}
          unit="N"
          title={exactNeurons(posted)}
          detail={
            limit === null ? included(daily) : `${percent(posted, limit)} of ${neurons(limit)} N`
          }
        />
        <Figure
          label="Available"
          value={
            limits.available_micro_neurons === null ? "–" : neurons(limits.available_micro_neurons)
          }
          {...(limits.available_micro_neurons !== null && { unit: "N" })}
          detail={limits.available_micro_neurons === null ? "no limit" : "for the next calls"}
        />
        <Figure
          label="By midnight"
          value={expected === null ? "–" : neurons(expected)}
          {...(expected !== null && { unit: "N" })}
          detail={expected === null ? "too early to tell" : "at the pace of today"}
        />
        <Figure label="Resets in" value={duration(Math.max(0, left))} detail="00:00 UTC" />
        {limits.plan === "paid" && (
          <Figure
            label="Overage"
            value={neurons(overage)}
            unit="N"
            detail={typeof cap === "number" ? `of ${count(cap)} N` : "unlimited"}
          />
        )}
        <Figure
          label="In progress"
          value={count(limits.in_flight.used)}
          detail={`of ${count(limits.in_flight.limit)} calls`}
        />
      </div>
      {limits.grants.length > 0 && (
        <ul class="changes" aria-label="Grants">
          {limits.grants.map((grant) => (
            <li key={grant.id}>
              {neurons(grant.remaining_micro_neurons)} N granted, until {moment(grant.expires_at)} (
              {relative(grant.expires_at, now)})
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const included = (daily: number | null): string =>
  daily === null ? "no limit" : `${count(daily)} N are included`;

function InvariantsPanel({ tenant }: { readonly tenant: string }) {
  const path = tenantPath(tenant, "/invariants");
  const { data, error, reload } = useLoad(path, (signal) =>
    api.get<Invariants>(path, {}, { signal }),
  );
  return (
    <Panel
      title="Invariants"
      class="span-12"
      hint="Counts that must always be zero, taken when this page was opened."
      actions={
        data !== null && (
          <Badge tone={data.holds === false ? "bad" : data.complete ? "good" : "neutral"}>
            {data.holds === false ? "broken" : data.complete ? "all hold" : "being counted"}
          </Badge>
        )
      }
    >
      <LoadState data={data} error={error} onRetry={reload} lines={2} />
      {data !== null && (
        <ul class="columns">
          {data.data.map((one) => (
            <li key={one.number} class="row between">
              <span>{words(one.name)}</span>
              <Badge tone={one.violations === 0 ? "neutral" : "bad"}>{count(one.violations)}</Badge>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
