import { useState } from "preact/hooks";
import { api } from "../api/session.ts";
import type { Checks, InvariantsPass } from "../api/shapes.ts";
import { count, counted, moment, words } from "../format.ts";
import { hashOf } from "../hash-route.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Panel } from "../ui/panel.tsx";
import { Badge, Empty, LoadState, type Tone } from "../ui/status.tsx";
import { usePolled } from "../ui/use-polled.ts";

const EVERY_MS = 5_000;

/** Tenants that the panel names. The API lists the others. */
const MOST_NAMED = 20;

/** The violations of invariants that the latest pass over all tenants found. */
export function InvariantsPanel() {
  const { data, error, reload } = usePolled(
    "invariants",
    (signal) => api.get<Checks>("/admin/invariants", { limit: MOST_NAMED }, { signal }),
    EVERY_MS,
  );
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    try {
      await api.send<InvariantsPass>("POST", "/admin/invariants");
      reload();
    } catch (caught) {
      announce((caught as Error).message, "bad");
    } finally {
      setBusy(false);
    }
  };
  const running = data?.running ?? null;
  const latest = data?.latest ?? null;
  return (
    <Panel
      title="Invariants"
      class="span-5 fill-row"
      hint={data === null ? undefined : standing(data)}
      actions={
        data !== null && (
          <>
            {latest !== null && <Outcome pass={latest} />}
            <Button small busy={busy || running !== null} onClick={() => void start()}>
              Count now
            </Button>
          </>
        )
      }
    >
      <LoadState data={data} error={error} onRetry={reload} lines={5} />
      {data !== null && latest === null && running === null && (
        <Empty icon="check" title="Not counted yet" />
      )}
      {data !== null && data.data.length > 0 && <Found checks={data} />}
      {latest !== null && <Sums pass={latest} />}
    </Panel>
  );
}

function standing({ running, latest }: Checks): string {
  if (running !== null) {
    return `Counting: ${count(running.checked)} of ${counted(running.tenants, "tenant")}.`;
  }
  if (latest?.ended_at == null) return "For all tenants.";
  return `Counted over ${counted(latest.checked, "tenant")}, until ${moment(latest.ended_at)} UTC.`;
}

function Outcome({ pass }: { readonly pass: InvariantsPass }) {
  const [tone, text]: readonly [Tone, string] =
    pass.broken > 0
      ? ["bad", `broken in ${count(pass.broken)}`]
      : pass.holds === true
        ? ["good", "all hold"]
        : ["warn", `not known for ${count(pass.unfinished + pass.unanswered)}`];
  return <Badge tone={tone}>{text}</Badge>;
}

const Found = ({ checks }: { readonly checks: Checks }) => (
  <ul class="stack">
    {checks.data.map(({ tenant, found, data }) => (
      <li key={tenant}>
        <a href={hashOf(["tenants", tenant])}>{tenant}</a>:{" "}
        {found === "broken"
          ? data
              .filter(({ violations }) => violations > 0)
              .map(({ name, violations }) => `${words(name)} (${violations})`)
              .join(", ")
          : found === "unfinished"
            ? "not everything was checked"
            : "did not answer"}
      </li>
    ))}
    {checks.has_more && <li class="soft">and more</li>}
  </ul>
);

const Sums = ({ pass }: { readonly pass: InvariantsPass }) => (
  <ul class="stack tight">
    {pass.data.map(({ number, name, violations }) => (
      <li key={number} class="row between">
        <span>{words(name)}</span>
        <Badge tone={violations === 0 ? "neutral" : "bad"}>{count(violations)}</Badge>
      </li>
    ))}
  </ul>
);
