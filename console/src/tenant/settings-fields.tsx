import { words } from "../format.ts";
import { AreaField, CheckField, SelectField, TextField } from "../ui/field.tsx";
import { RATE_CLASSES, type SettingsFields } from "./settings-form.ts";
import { typedFields, type TypedName } from "./typed-fields.ts";

interface SettingsFieldsetProps {
  readonly fields: SettingsFields;
  readonly onFields: (fields: SettingsFields) => void;
  readonly errors: ReadonlyMap<string, string>;
}

export function SettingsFieldset({ fields, onFields, errors }: SettingsFieldsetProps) {
  const set = (change: Partial<SettingsFields>) => onFields({ ...fields, ...change });
  const typed = typedFields<TypedName<SettingsFields>>({ fields, set, errors });
  const text = (name: TypedName<SettingsFields>, label: string, hint?: string) => (
    <TextField label={label} hint={hint} inputMode="decimal" maxLength={20} {...typed(name)} />
  );
  return (
    <div class="stack">
      <div class="columns">
        <SelectField
          label="Plan"
          value={fields.plan}
          onValue={(plan) => set({ plan })}
          choices={[
            { value: "free", label: "Free: hard stop" },
            { value: "paid", label: "Paid: overage" },
          ]}
          error={errors.get("plan")}
        />
        {text("daily_neurons", "Neurons a day")}
        {text(
          "reserved_neurons",
          "Of these, reserved",
          "Kept free for this tenant in the account.",
        )}
        {fields.plan === "paid" &&
          !fields.overage_unlimited &&
          text("overage_cap_neurons", "Overage cap", "Neurons a day beyond it. 0: a hard stop.")}
        {fields.plan === "paid" && text("overage_usd_per_1000_neurons", "USD per 1,000 beyond")}
        {text("monthly_cap_neurons", "Monthly cap", "Neurons a calendar month. Empty: no cap.")}
        {text("max_in_flight", "Calls at once")}
      </div>
      {fields.plan === "paid" && (
        <CheckField
          label="Overage is unlimited: nothing limits the cost of a day"
          checked={fields.overage_unlimited}
          onValue={(unlimited) => set({ overage_unlimited: unlimited })}
        />
      )}
      <details>
        <summary>Rates, models and retention</summary>
        <div class="stack">
          <h3>Calls a minute</h3>
          <div class="columns">
            {RATE_CLASSES.map((name) => (
              <TextField
                key={name}
                label={words(name)}
                inputMode="numeric"
                placeholder="default"
                maxLength={7}
                value={fields.rpm[name] ?? ""}
                onValue={(value) => set({ rpm: { ...fields.rpm, [name]: value } })}
                error={errors.get(`rpm.${name}`)}
              />
            ))}
          </div>
          <CheckField
            label="Every model of the catalogue may run"
            checked={fields.all_models}
            onValue={(all) => set({ all_models: all })}
          />
          {!fields.all_models && (
            <AreaField
              label="Models that may run"
              hint="An id on each line. With no id, no model runs."
              {...typed("models")}
            />
          )}
          <div class="columns">
            {text("verdict_retention_days", "Verdicts kept, days")}
            {text("content_retention_days", "Content kept, days", "0: content is never stored.")}
            {text(
              "suggestion_retention_days",
              "Suggested labels kept, days",
              "0: comments:suggestscore leaves nothing.",
            )}
            {text("event_retention_days", "Events kept, days")}
            {text(
              "response_retention_s",
              "Responses kept, seconds",
              "After each was made or last continued. 0: none is kept.",
            )}
            {text("default_max_tokens", "Tokens of an answer")}
            {text("cache_ttl_s", "Answers reused, seconds")}
            {text("daily_images_per_user", "Pictures a user, a day")}
          </div>
          <SelectField
            label="Comments to score in other languages than English"
            hint="Of comments:analyze, and never for a key of role score."
            value={fields.perspective_fallback}
            onValue={(fallback) => set({ perspective_fallback: fallback })}
            choices={[
              { value: "off", label: "Refused" },
              { value: "judge", label: "Scored by the default policy's judge, at its price" },
            ]}
            error={errors.get("perspective_fallback")}
          />
        </div>
      </details>
    </div>
  );
}
