import { useState } from "preact/hooks";
import { api, tenantOf } from "../api/session.ts";
import type { IssuedKey, List, ListedTenant } from "../api/shapes.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Field, SelectField, TextField } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, ErrorNote, Skeleton } from "../ui/status.tsx";
import { useLoad } from "../ui/use-load.ts";

/** Long enough to try something, and short enough that a forgotten key does no harm. */
const LIFE_MS = 3_600_000;

interface KeyChoiceProps {
  readonly tenant: string;
  readonly chosen: string | null;
  readonly onKey: (key: string) => void;
}

export function KeyChoice({ tenant, chosen, onKey }: KeyChoiceProps) {
  const { data, error, reload } = useLoad("tenants to try", (signal) =>
    api.get<List<ListedTenant>>("/admin/tenants", { limit: 200 }, { signal }),
  );
  const [picked, setPicked] = useState(tenant);
  const [pasted, setPasted] = useState("");
  const [failed, setFailed] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const tenants = data?.data ?? [];
  const id = picked === "" ? (tenants[0]?.id ?? "") : picked;
  const issue = async () => {
    setBusy(true);
    setFailed(null);
    try {
      const body = {
        name: "console, to try calls",
        role: "call",
        expires_at: new Date(Date.now() + LIFE_MS).toISOString(),
      };
      const path = `/admin/tenants/${encodeURIComponent(id)}/keys`;
      const issued = await api.send<IssuedKey>("POST", path, body, { once: true });
      if (issued.key !== null) onKey(issued.key);
      announce(`A key of ${id} was issued. It ends in an hour.`);
    } catch (caught) {
      setFailed(caught as Error);
    }
    setBusy(false);
  };
  const wrong = pasted !== "" && tenantOf(pasted.trim()) === null;
  return (
    <Panel
      title="As which tenant"
      hint={
        chosen === null
          ? "Issue a key that ends in an hour, or paste one. It is kept only in this page's memory."
          : `A key of ${tenantOf(chosen) ?? "a tenant"} is in use.`
      }
    >
      {error !== null && <ErrorNote error={error} onRetry={reload} />}
      {failed !== null && <ErrorNote error={failed} what="No key was issued" />}
      {data === null && error === null && <Skeleton lines={2} />}
      {data !== null && tenants.length === 0 && (
        <Empty icon="tenants" title="No tenant yet">
          <p>
            <a href="#/tenants?new">Make one</a> first.
          </p>
        </Empty>
      )}
      {tenants.length > 0 && (
        <div class="columns key-choice">
          <div class="row">
            {data?.has_more === true ? (
              // Too many tenants for a list to choose from.
              <TextField label="Tenant" value={id} maxLength={39} onValue={setPicked} />
            ) : (
              <SelectField
                label="Tenant"
                value={id}
                choices={tenants.map((one) => ({ value: one.id, label: one.id }))}
                onValue={setPicked}
              />
            )}
            <Button
              kind={chosen === null ? "primary" : "plain"}
              busy={busy}
              onClick={() => void issue()}
            >
              Issue a key for an hour
            </Button>
          </div>
          <form
            class="row"
            onSubmit={(event) => {
              event.preventDefault();
              if (pasted !== "" && !wrong) onKey(pasted.trim());
            }}
          >
            <Field
              label="Or a key that you have"
              error={wrong ? "A key begins with ng_ and the tenant." : undefined}
            >
              {(aria) => (
                <input
                  {...aria}
                  type="password"
                  autocomplete="off"
                  maxLength={200}
                  value={pasted}
                  onInput={(event) => setPasted(event.currentTarget.value)}
                />
              )}
            </Field>
            <Button type="submit" disabled={pasted === "" || wrong}>
              Use it
            </Button>
          </form>
        </div>
      )}
    </Panel>
  );
}
