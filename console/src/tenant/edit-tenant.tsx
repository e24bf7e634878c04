import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { fieldErrors, RequestFailed } from "../api/problem.ts";
import { api } from "../api/session.ts";
import type { Limits, Tenant } from "../api/shapes.ts";
import { words } from "../format.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNote, Warning } from "../ui/status.tsx";
import { SettingsFieldset } from "./settings-fields.tsx";
import { type Body, changesOf, effectsOf, fieldsOf, patchOf } from "./settings-form.ts";

interface EditTenantProps {
  readonly tenant: Tenant;
  readonly limits: Limits | null;
  readonly onClose: () => void;
  readonly onSaved: (tenant: Tenant) => void;
}

/** Settings are changed in two steps: enter the change, then review its effects. */
export function EditTenant({ tenant, limits, onClose, onSaved }: EditTenantProps) {
  const before = fieldsOf(tenant);
  const [fields, setFields] = useState(before);
  const [reviewing, setReviewing] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const patch = patchOf(before, fields);
  const nothing = Object.keys(patch).length === 0;
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      onSaved(await saveTenant(tenant, patch));
    } catch (caught) {
      setError(overtaken(caught as Error));
      setReviewing(false);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Settings of ${tenant.id}`} wide onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (reviewing) void save();
          else if (!nothing) setReviewing(true);
        }}
      >
        {reviewing ? (
          <Review patch={patch} tenant={tenant} effects={effectsOf(fields, tenant, limits)} />
        ) : (
          <SettingsFieldset fields={fields} onFields={setFields} errors={fieldErrors(error)} />
        )}
        {error !== null && <ErrorNote error={error} what="Nothing was changed" />}
        <div class="actions end">
          {reviewing ? (
            <Button onClick={() => setReviewing(false)}>Back</Button>
          ) : (
            <Button onClick={onClose}>Cancel</Button>
          )}
          <Button
            key={String(reviewing)}
            type="submit"
            kind="primary"
            busy={busy}
            disabled={nothing}
          >
            {reviewing ? "Save" : "Review the change"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Sends the version that was shown, so that another person's change is not overwritten. */
export async function saveTenant(tenant: Tenant, patch: Body): Promise<Tenant> {
  const path = `/admin/tenants/${encodeURIComponent(tenant.id)}`;
  const saved = await api.send<ChangedTenant>("PATCH", path, patch, { ifMatch: tenant.version });
  tellOfChange(saved, `${tenant.id} is changed. This applies from the next call on.`);
  return saved;
}

export interface ChangedTenant extends Tenant {
  readonly warnings?: readonly { readonly detail: string }[];
}

/** Announces the change, with the server's warnings. */
export function tellOfChange({ warnings = [] }: ChangedTenant, done: string): void {
  const sentences = [done, ...warnings.map(({ detail }) => detail)];
  announce(sentences.join(" "), warnings.length === 0 ? "good" : "bad");
}

function overtaken(error: Error): Error {
  if (!(error instanceof RequestFailed) || error.problem.kind !== "version_conflict") return error;
  const detail =
    "Somebody else has changed the tenant in the meantime. Close this, open it again, and try again.";
  return new RequestFailed({ ...error.problem, detail });
}

interface ReviewProps {
  readonly patch: Body;
  readonly tenant: Tenant;
  readonly effects: readonly string[];
}

function Review({ patch, tenant, effects }: ReviewProps): ComponentChildren {
  return (
    <div class="stack">
      <p>This takes effect with the next call.</p>
      <ul class="changes" aria-label="What changes">
        {changesOf(patch, tenant).map((change) => (
          <li key={change.name}>
            {words(change.name)}: <del>{change.before}</del> → <ins>{change.after}</ins>
          </li>
        ))}
      </ul>
      {effects.map((effect) => (
        <Warning key={effect}>
          <p>{effect}</p>
        </Warning>
      ))}
    </div>
  );
}
