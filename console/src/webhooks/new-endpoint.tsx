import { useState } from "preact/hooks";
import { fieldErrors } from "../api/problem.ts";
import { api } from "../api/session.ts";
import type { Decision, WebhookWithSecret } from "../api/shapes.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { CheckField, TextField } from "../ui/field.tsx";
import { ErrorNote } from "../ui/status.tsx";

interface NewEndpointProps {
  readonly path: string;
  readonly types: readonly string[];
  readonly decisions: boolean;
  readonly onClose: () => void;
  readonly onMade: (webhook: WebhookWithSecret) => void;
}

const DECISIONS: readonly Decision[] = ["allow", "flag", "block"];

export function NewEndpoint({ path, types, decisions, onClose, onMade }: NewEndpointProps) {
  const [url, setUrl] = useState("");
  const [description, setDescription] = useState("");
  const [events, setEvents] = useState<readonly string[]>(types.slice(0, 1));
  const [only, setOnly] = useState<readonly Decision[]>(DECISIONS);
  const [ordered, setOrdered] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const errors = fieldErrors(error);
  const save = async () => {
    setBusy(true);
    setError(null);
    const body = {
      url: url.trim(),
      events,
      ...(decisions && only.length < DECISIONS.length && { decisions: only }),
      ...(description !== "" && { description }),
      ...(ordered && { ordered }),
    };
    try {
      onMade(await api.send<WebhookWithSecret>("POST", path, body, { once: true }));
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  const ready = url.trim() !== "" && events.length > 0 && only.length > 0;
  return (
    <Dialog title="Add an endpoint" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void save();
        }}
      >
        <TextField
          label="Address"
          hint="An https URL of a public host. It must answer 2xx within 15 seconds."
          inputMode="url"
          placeholder="https://hooks.example.org/neurogate"
          value={url}
          onValue={setUrl}
          maxLength={2048}
          error={errors.get("url")}
        />
        <TextField
          label="Description"
          value={description}
          onValue={setDescription}
          maxLength={1000}
          error={errors.get("description")}
        />
        <fieldset class="choices">
          <legend class="label">Events</legend>
          {types.map((type) => (
            <CheckField
              key={type}
              label={<code>{type}</code>}
              checked={events.includes(type)}
              onValue={(on) => setEvents(toggled(events, type, on))}
            />
          ))}
        </fieldset>
        {decisions && (
          <fieldset class="choices">
            <legend class="label">Of verdicts, those that</legend>
            {DECISIONS.map((decision) => (
              <CheckField
                key={decision}
                label={decision}
                checked={only.includes(decision)}
                onValue={(on) => setOnly(toggled(only, decision, on))}
              />
            ))}
          </fieldset>
        )}
        <CheckField
          label="One event at a time, in order: after a failure, later events wait"
          checked={ordered}
          onValue={setOrdered}
        />
        {error !== null && <ErrorNote error={error} what="The endpoint was not added" />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy} disabled={!ready}>
            Add
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const toggled = <Value,>(values: readonly Value[], value: Value, on: boolean): readonly Value[] =>
  on ? [...values, value] : values.filter((one) => one !== value);
