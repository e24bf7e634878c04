import { useState } from "preact/hooks";
import { api } from "../api/session.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorNote, Warning } from "../ui/status.tsx";

interface DeleteTenantProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

/** Erasing takes long if the tenant stored much. */
const TIMEOUT_MS = 120_000;

export function DeleteTenant({ id, onClose, onDeleted }: DeleteTenantProps) {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const remove = async () => {
    setBusy(true);
    setError(null);
    try {
      const path = `/admin/tenants/${encodeURIComponent(id)}`;
      await api.send("DELETE", path, undefined, { timeoutMs: TIMEOUT_MS });
      announce(`Tenant ${id} is deleted.`);
      onDeleted();
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Delete ${id}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === id) void remove();
        }}
      >
        <Warning>
          <p>
            Its keys end at once. Verdicts, policies, webhooks and files are erased and cannot be
            restored. Totals of its days stay. To keep everything and refuse its calls, suspend it.
          </p>
        </Warning>
        <TextField
          label={`Type ${id} to confirm`}
          value={typed}
          onValue={setTyped}
          maxLength={39}
        />
        {error !== null && <ErrorNote error={error} what="It was not deleted" />}
        {busy && <p class="hint">Erasing its stored data. This can take a minute.</p>}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="danger" busy={busy} disabled={typed !== id}>
            Delete for good
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
