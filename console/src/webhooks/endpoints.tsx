import { useState } from "preact/hooks";
import { api } from "../api/session.ts";
import type { List, Webhook } from "../api/shapes.ts";
import { moment } from "../format.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { Panel } from "../ui/panel.tsx";
import { SecretOnce } from "../ui/secret-once.tsx";
import { Badge, Empty, LoadState } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { useLoad } from "../ui/use-load.ts";
import { Deliveries } from "./deliveries.tsx";
import { NewEndpoint } from "./new-endpoint.tsx";

export interface EndpointsProps {
  /** `/v1/webhooks`, or the platform's path for the same. */
  readonly path: string;
  /** `/v1/deliveries`, or the platform's path for the same. */
  readonly deliveriesPath: string;
  readonly types: readonly string[];
  readonly chosen: string | null;
  readonly hrefOf: (id: string) => string;
  /** Whether endpoints can choose by decision. The platform's cannot, since verdicts belong to tenants. */
  readonly decisions: boolean;
}

type Doing =
  | { readonly what: "new" }
  | { readonly what: "delete" | "rotate"; readonly webhook: Webhook }
  | { readonly what: "shown"; readonly secret: string };

export function Endpoints(props: EndpointsProps) {
  const { path, deliveriesPath, types, chosen, hrefOf } = props;
  const { data, error, reload } = useLoad(path, (signal) =>
    api.get<List<Webhook>>(path, {}, { signal }),
  );
  const [doing, setDoing] = useState<Doing | null>(null);
  const close = () => setDoing(null);
  const webhooks = data?.data ?? [];
  const open = webhooks.find(({ id }) => id === chosen);
  const toggle = async (webhook: Webhook) => {
    try {
      await api.send("PATCH", `${path}/${webhook.id}`, { enabled: !webhook.enabled });
      announce(
        webhook.enabled ? "The endpoint is off." : "The endpoint is on: new events are sent to it.",
      );
    } catch (caught) {
      announce((caught as Error).message, "bad");
    }
    reload();
  };
  return (
    <div class="stack">
      <Panel
        title="Endpoints"
        hint="Each gets the events that it subscribed to: signed, at least once, with repeats for days."
        actions={
          <Button icon="plus" kind="primary" onClick={() => setDoing({ what: "new" })}>
            Add an endpoint
          </Button>
        }
      >
        <LoadState data={data} error={error} onRetry={reload} />
        {data !== null && webhooks.length === 0 && (
          <Empty icon="bell" title="No endpoint yet">
            <p>Add one to get events about verdicts, quotas and more as they happen.</p>
          </Empty>
        )}
        {webhooks.length > 0 && (
          <Table
            caption="Endpoints"
            columns={columns({
              hrefOf,
              toggle,
              rotate: (webhook) => setDoing({ what: "rotate", webhook }),
              remove: (webhook) => setDoing({ what: "delete", webhook }),
            })}
            rows={webhooks}
            keyOf={({ id }) => id}
            rowClass={({ id }) => (id === chosen ? "chosen" : "")}
          />
        )}
      </Panel>
      {open !== undefined && (
        <Deliveries
          key={open.id}
          path={path}
          deliveriesPath={deliveriesPath}
          webhook={open}
          onChanged={reload}
        />
      )}
      {doing?.what === "new" && (
        <NewEndpoint
          path={path}
          types={types}
          decisions={props.decisions}
          onClose={close}
          onMade={({ secret }) => {
            reload();
            setDoing(secret === null ? null : { what: "shown", secret });
          }}
        />
      )}
      {doing?.what === "delete" && (
        <Confirm
          title="Delete the endpoint"
          act="Delete"
          onClose={close}
          onConfirm={async () => {
            await api.send("DELETE", `${path}/${doing.webhook.id}`);
            announce("The endpoint is deleted.");
            reload();
          }}
        >
          <p>
            Nothing more is sent to <code>{doing.webhook.url}</code>, and what waited for it is
            dropped.
          </p>
        </Confirm>
      )}
      {doing?.what === "rotate" && (
        <Confirm
          title="Replace the secret"
          act="Make a new secret"
          onClose={() => setDoing((now) => (now?.what === "rotate" ? null : now))}
          onConfirm={async () => {
            const url = `${path}/${doing.webhook.id}/rotate`;
            const { secret } = await api.send<{ secret: string }>("POST", url, {
              overlap_s: 86_400,
            });
            reload();
            setDoing({ what: "shown", secret });
          }}
        >
          <p>For a day both the old and the new secret sign. Then the old one ends.</p>
        </Confirm>
      )}
      {doing?.what === "shown" && (
        <SecretOnce
          title="The secret that signs"
          what="secret"
          secret={doing.secret}
          onClose={close}
        />
      )}
    </div>
  );
}

interface Acts {
  readonly hrefOf: (id: string) => string;
  readonly toggle: (webhook: Webhook) => Promise<void>;
  readonly rotate: (webhook: Webhook) => void;
  readonly remove: (webhook: Webhook) => void;
}

const columns = ({ hrefOf, toggle, rotate, remove }: Acts): readonly Column<Webhook>[] => [
  {
    key: "url",
    label: "Address",
    main: true,
    cell: ({ id, url, description }) => (
      <>
        <a href={hrefOf(id)}>{url}</a>
        {description !== null && <p class="hint">{description}</p>}
      </>
    ),
  },
  {
    key: "events",
    label: "Events",
    cell: ({ events, decisions }) =>
      `${events.join(", ")}${decisions === null ? "" : ` (${decisions.join(", ")})`}`,
  },
  { key: "state", label: "State", cell: (webhook) => <State webhook={webhook} /> },
  {
    key: "acts",
    label: "Actions",
    end: true,
    cell: (webhook) => (
      <span class="actions end">
        <Button
          small
          onClick={() => void toggle(webhook)}
          label={`${webhook.enabled ? "Pause" : "Enable"} ${webhook.url}`}
        >
          {webhook.enabled ? "Pause" : "Enable"}
        </Button>
        <Button
          small
          kind="quiet"
          onClick={() => rotate(webhook)}
          label={`Replace the secret of ${webhook.url}`}
        >
          Secret
        </Button>
        <Button small kind="quiet" onClick={() => remove(webhook)} label={`Delete ${webhook.url}`}>
          Delete
        </Button>
      </span>
    ),
  },
];

function State({ webhook }: { readonly webhook: Webhook }) {
  if (!webhook.enabled) return <Badge tone="neutral">{webhook.disabled_reason ?? "paused"}</Badge>;
  if (webhook.blocked_by !== null) return <Badge tone="bad">waits for a failed message</Badge>;
  if (webhook.failing_since !== null) {
    if (webhook.down) {
      return <Badge tone="bad">down since {moment(webhook.failing_since).slice(5, 16)}</Badge>;
    }
    return <Badge tone="bad">failing since {moment(webhook.failing_since).slice(5, 16)}</Badge>;
  }
  return <Badge tone="good">{webhook.replaying ? "replaying" : "in order"}</Badge>;
}
