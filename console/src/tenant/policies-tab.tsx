import { useState } from "preact/hooks";
import { fieldErrors } from "../api/problem.ts";
import { api, tenantPath } from "../api/session.ts";
import type { List, Policy } from "../api/shapes.ts";
import { go } from "../hash-route.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { AreaField, CheckField, SelectField, TextField } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { Badge, ErrorNote, LoadState, Warning } from "../ui/status.tsx";
import { useLoad } from "../ui/use-load.ts";
import { policyBody, type PolicyFields, policyFields, warningsOf } from "./policy-form.ts";
import { PolicyReplayPanel } from "./policy-replay-panel.tsx";
import { PolicyRules } from "./policy-rules.tsx";
import type { TabProps } from "./tenant-page.tsx";
import { typedFields, type TypedName } from "./typed-fields.ts";

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

export function PoliciesTab({ tenant, item }: TabProps) {
  const path = tenantPath(tenant, "/policies");
  const { data, error, reload } = useLoad(path, (signal) =>
    api.get<List<Policy>>(path, { limit: 200 }, { signal }),
  );
  const policies = data?.data ?? [];
  const chosen = policies.find(({ name }) => name === (item ?? "default")) ?? policies[0];
  return (
    <div class="stack">
      <LoadState data={data} error={error} onRetry={reload} lines={8} />
      {chosen !== undefined && (
        <>
          <div class="row">
            <SelectField
              label="Policy"
              value={chosen.name}
              choices={policies.map(({ name }) => ({ value: name, label: name }))}
              onValue={(name) => go(["tenants", tenant, "policies", name])}
            />
          </div>
          <PolicyEditor
            key={`${chosen.name} ${chosen.version}`}
            path={path}
            policy={chosen}
            onSaved={(saved) => {
              reload();
              go(["tenants", tenant, "policies", saved.name]);
            }}
          />
        </>
      )}
    </div>
  );
}

interface EditorProps {
  readonly path: string;
  readonly policy: Policy;
  readonly onSaved: (policy: Policy) => void;
}

function PolicyEditor({ path, policy, onSaved }: EditorProps) {
  const before = policyFields(policy);
  const [fields, setFields] = useState<PolicyFields>(before);
  const [name, setName] = useState(policy.name);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const errors = fieldErrors(error);
  const changed = JSON.stringify(fields) !== JSON.stringify(before) || name !== policy.name;
  const wrongName = NAME.test(name) ? undefined : "Lower-case letters, digits, hyphen, underscore.";
  const body = policyBody(fields, policy);
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      const saved = await api.send<Policy>("PUT", `${path}/${encodeURIComponent(name)}`, body);
      announce(`Policy ${saved.name} is now version ${saved.version}.`);
      onSaved(saved);
    } catch (caught) {
      setError(caught as Error);
    }
    setBusy(false);
  };
  return (
    <>
      <Panel
        title={`Policy ${policy.name}`}
        hint="Saving makes a new version. A verdict keeps the version that made it."
        actions={<Badge tone="neutral">version {policy.version}</Badge>}
      >
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (wrongName === undefined) void save();
          }}
        >
          <PolicyRules fields={fields} onFields={setFields} errors={errors} />
          <PolicyTexts fields={fields} onFields={setFields} errors={errors} />
          {warningsOf(body).map(({ kind, detail }) => (
            <Warning key={kind}>{detail}</Warning>
          ))}
          <TextField
            label="Save under the name"
            hint="Another name makes another policy. A call chooses a policy by its name."
            value={name}
            onValue={setName}
            maxLength={64}
            error={wrongName}
          />
          {error !== null && <ErrorNote error={error} what="The policy was not saved" />}
          <div class="actions end">
            <Button
              disabled={!changed}
              onClick={() => {
                setFields(before);
                setName(policy.name);
                setError(null);
              }}
            >
              Undo
            </Button>
            <Button
              type="submit"
              kind="primary"
              busy={busy}
              disabled={!changed || wrongName !== undefined}
            >
              Save as a new version
            </Button>
          </div>
        </form>
      </Panel>
      <PolicyReplayPanel
        path={`${path}/${encodeURIComponent(policy.name)}`}
        body={body}
        changed={changed}
      />
    </>
  );
}

function PolicyTexts({
  fields,
  onFields,
  errors,
}: {
  readonly fields: PolicyFields;
  readonly onFields: (fields: PolicyFields) => void;
  readonly errors: ReadonlyMap<string, string>;
}) {
  const set = (change: Partial<PolicyFields>) => onFields({ ...fields, ...change });
  const typed = typedFields<TypedName<PolicyFields>>({ fields, set, errors });
  return (
    <>
      <div class="columns">
        <AreaField
          label="Terms that block"
          hint={
            'One on each line; whole words, whatever their case, accents and disguise. Or as JSON: {"term": "año", "match": "word"} (folded, word, exact, substring).'
          }
          {...typed("block_terms", "terms.block")}
        />
        <AreaField
          label="Terms that are allowed"
          hint="They cancel matches of our own lists at the same place."
          {...typed("allow_terms", "terms.allow")}
        />
        <AreaField
          label="Phrases of spam"
          hint="Each adds to the spam score."
          {...typed("spam_phrases")}
        />
      </div>
      <div class="columns">
        <SelectField
          label="When a required check fails"
          value={fields.on_unavailable}
          choices={[
            { value: "flag", label: "flag" },
            { value: "block", label: "block" },
            { value: "allow", label: "flag, but allow content that has no judge" },
          ]}
          onValue={(value) => set({ on_unavailable: value })}
        />
        <TextField
          label="Reuse verdicts of equal contents for, in seconds"
          inputMode="numeric"
          hint="0: never; at most 86400, a day."
          {...typed("reuse_ttl_s")}
        />
        <TextField
          label="Share of approved content that goes to review"
          inputMode="decimal"
          hint="Drawn at random, and blurred at first; 0: none, 1: all."
          {...typed("sample_allowed")}
        />
        <TextField
          label="Share of decided texts that the judge reads too"
          inputMode="decimal"
          hint="Of texts that calibrated thresholds decided; 0: none, 1: all."
          {...typed("sample_decided")}
        />
        <CheckField
          label="Ask the models even if a term has already blocked"
          checked={fields.evaluate_all}
          onValue={(value) => set({ evaluate_all: value })}
        />
      </div>
    </>
  );
}
