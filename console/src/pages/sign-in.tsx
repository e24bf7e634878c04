import { useState } from "preact/hooks";
import { endedWhy, signIn, signInByAccess } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { CheckField, Field } from "../ui/field.tsx";
import { Mark } from "../ui/shell.tsx";
import { ErrorNote, Warning } from "../ui/status.tsx";
import { ThemeSwitch } from "../ui/theme-switch.tsx";
import { RequestFailed } from "../api/problem.ts";

export function SignIn() {
  const [token, setToken] = useState("");
  const [keep, setKeep] = useState(true);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const why = endedWhy();
  const enter = async (by: () => Promise<void>, hint: string) => {
    setBusy(true);
    setError(null);
    try {
      await by();
    } catch (caught) {
      setError(said(caught, hint));
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form
        class="sign-in-card"
        onSubmit={(event) => {
          event.preventDefault();
          void enter(() => signIn(token.trim(), keep), NO_SUCH_TOKEN);
        }}
      >
        <div class="brand">
          <Mark />
          <h1>Neurogate</h1>
        </div>
        <p class="lead">Quotas and moderation for Workers AI, tenant by tenant.</p>
        {why !== null && error === null && <Warning>{why}</Warning>}
        <Field
          label="Admin token or tenant key"
          hint="The admin token can do everything. A key can do what its role allows, for its tenant."
        >
          {(aria) => (
            <input
              {...aria}
              type="password"
              autocomplete="off"
              required
              maxLength={4096}
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          )}
        </Field>
        <CheckField
          label="Stay signed in until this tab is closed"
          checked={keep}
          onValue={setKeep}
        />
        {error !== null && <ErrorNote error={error} what="That token was not accepted" />}
        <Button type="submit" kind="primary" busy={busy} disabled={token.trim() === ""}>
          Sign in
        </Button>
        <Button disabled={busy} onClick={() => void enter(signInByAccess, NO_ACCESS)}>
          Continue with Cloudflare Access
        </Button>
        <p class="hint">
          <code>npm start</code> prints both. The token stays in this tab: it is in no cookie, and
          in no address.
        </p>
      </form>
      <div class="sign-in-theme">
        <ThemeSwitch />
      </div>
    </main>
  );
}

const NO_SUCH_TOKEN =
  "No such token or key, or it has ended. Check for missing characters at its ends.";

const NO_ACCESS =
  "Cloudflare Access did not sign you in: it is not set up here, or its session has ended.";

/** Says what a person whose sign-in failed can do. */
function said(caught: unknown, detail: string): Error {
  if (!(caught instanceof RequestFailed)) {
    return caught instanceof Error ? caught : new Error("Something went wrong.");
  }
  if (caught.problem.status !== 401) return caught;
  return new RequestFailed({ ...caught.problem, detail });
}
