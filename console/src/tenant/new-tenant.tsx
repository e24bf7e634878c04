import { useState } from "preact/hooks";
import { fieldErrors } from "../api/problem.ts";
import { api } from "../api/session.ts";
import type { List, ListedTenant, Tenant } from "../api/shapes.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorNote } from "../ui/status.tsx";
import { type ChangedTenant, tellOfChange } from "./edit-tenant.tsx";
import { SettingsFieldset } from "./settings-fields.tsx";
import { bodyOf, NEW_TENANT } from "./settings-form.ts";

interface NewTenantProps {
  readonly onClose: () => void;
  readonly onMade: (tenant: Tenant) => void;
}

const ID = /^[a-z0-9][a-z0-9-]{0,38}$/;

export function NewTenant({ onClose, onMade }: NewTenantProps) {
  const [id, setId] = useState("");
  const [fields, setFields] = useState(NEW_TENANT);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const [taken, setTaken] = useState<string | null>(null);
  const wrong = wrongId(id, taken);
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      if (await isTaken(id)) {
        setTaken(id);
        setBusy(false);
        return;
      }
      const path = `/admin/tenants/${encodeURIComponent(id)}`;
      const made = await api.send<ChangedTenant>("PUT", path, bodyOf(fields));
      tellOfChange(made, `Tenant ${id} is made.`);
      onMade(made);
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title="New tenant" wide onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (wrong === undefined && id !== "") void save();
        }}
      >
        <TextField
          label="Id"
          hint="Lower-case letters, digits and hyphens. It is a part of every key and cannot be changed."
          value={id}
          onValue={setId}
          maxLength={200}
          required
          error={id === "" ? undefined : wrong}
        />
        <SettingsFieldset fields={fields} onFields={setFields} errors={fieldErrors(error)} />
        {error !== null && <ErrorNote error={error} what="The tenant was not made" />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            kind="primary"
            busy={busy}
            disabled={id === "" || wrong !== undefined}
          >
            Make tenant
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Whether the id is taken: of the ids with this beginning, the id itself is the first. */
async function isTaken(id: string): Promise<boolean> {
  const { data } = await api.get<List<ListedTenant>>("/admin/tenants", { prefix: id, limit: 1 });
  return data[0]?.id === id;
}

function wrongId(id: string, taken: string | null): string | undefined {
  if (!ID.test(id))
    return "Up to 39 lower-case letters, digits and hyphens. The first must not be a hyphen.";
  return taken === id ? "There is a tenant of that name." : undefined;
}
