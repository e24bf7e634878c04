import { useState } from "preact/hooks";
import type { AccountSettings } from "../api/shapes.ts";
import { fieldErrors } from "../api/problem.ts";
import { api } from "../api/session.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorNote } from "../ui/status.tsx";

interface AccountSettingsProps {
  readonly settings: AccountSettings;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** A text that is no number is sent as it is: the server's error at the field says what it must be. */
const orNone = (text: string): number | string | null => {
  if (text.trim() === "") return null;
  const n = Number(text);
  return Number.isFinite(n) ? n : text;
};

/** The form for the limits of all tenants together. */
export function AccountSettingsDialog({ settings, onClose, onSaved }: AccountSettingsProps) {
  const [daily, setDaily] = useState(String(settings.daily_cap_neurons ?? ""));
  const [monthly, setMonthly] = useState(settings.monthly_cap_usd ?? "");
  const [margin, setMargin] = useState(String(settings.safety_margin_neurons));
  const [hold, setHold] = useState(String(settings.max_hold_share));
  const [unspent, setUnspent] = useState(String(settings.max_unspent_share));
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const errors = fieldErrors(error);
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      await api.send("PATCH", "/admin/account", {
        daily_cap_neurons: orNone(daily),
        monthly_cap_usd: monthly.trim() === "" ? null : monthly.trim(),
        safety_margin_neurons: orNone(margin),
        max_hold_share: orNone(hold),
        max_unspent_share: orNone(unspent),
      });
      announce("The account is changed. This applies from the next lease on.");
      onSaved();
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Caps, margin and shares of the account" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextField
          label="Daily cap, neurons"
          hint="For all tenants together. Empty: the plan's own cap."
          inputMode="decimal"
          maxLength={20}
          value={daily}
          onValue={setDaily}
          error={errors.get("daily_cap_neurons")}
        />
        <TextField
          label="Monthly cap, USD"
          hint="For neurons beyond the free allocation. Empty: no cap."
          inputMode="decimal"
          maxLength={20}
          value={monthly}
          onValue={setMonthly}
          error={errors.get("monthly_cap_usd")}
        />
        <TextField
          label="Safety margin, neurons"
          hint="Part of the day that no tenant gets. A larger measured drift replaces it."
          inputMode="decimal"
          maxLength={20}
          value={margin}
          onValue={setMargin}
          error={errors.get("safety_margin_neurons")}
        />
        <TextField
          label="Largest call, share of the pool"
          hint="Above 0, at most 1. A call that may need more is refused. Empty: 0.2."
          inputMode="decimal"
          maxLength={20}
          value={hold}
          onValue={setHold}
          error={errors.get("max_hold_share")}
        />
        <TextField
          label="One tenant's share of what is unspent"
          hint="Above 0, at most 1. It applies while another tenant also asks. Empty: 0.333."
          inputMode="decimal"
          maxLength={20}
          value={unspent}
          onValue={setUnspent}
          error={errors.get("max_unspent_share")}
        />
        {error !== null && <ErrorNote error={error} what="Nothing was changed" />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
