import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  /** What is wrong with the value. Screen readers read it with the field. */
  readonly error?: string | undefined;
  readonly children: (aria: FieldAria) => ComponentChildren;
}

export interface FieldAria {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": boolean;
}

export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`]
    .filter((part) => part !== false)
    .join(" ");
  return (
    <div class={error === undefined ? "field" : "field wrong"}>
      <label for={id}>{label}</label>
      {children({
        id,
        "aria-describedby": described === "" ? undefined : described,
        "aria-invalid": error !== undefined,
      })}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly type?: "text" | "date" | "datetime-local";
  readonly inputMode?: "decimal" | "numeric" | "url";
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
}

export function TextField({ label, hint, error, value, onValue, ...rest }: TextProps) {
  // The three possible types have the same attributes, so any one of them serves for type checking.
  const type = (rest.type ?? "text") as "text";
  return (
    <Field label={label} hint={hint} error={error}>
      {(aria) => (
        <input
          type={type}
          autocomplete="off"
          spellcheck={false}
          inputMode={rest.inputMode}
          maxLength={rest.maxLength}
          placeholder={rest.placeholder}
          required={rest.required}
          {...aria}
          value={value}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface AreaProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly rows?: number;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  readonly placeholder?: string;
}

export const AreaField = ({
  label,
  hint,
  error,
  value,
  onValue,
  rows = 4,
  placeholder,
}: AreaProps) => (
  <Field label={label} hint={hint} error={error}>
    {(aria) => (
      <textarea
        rows={rows}
        placeholder={placeholder}
        {...aria}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    )}
  </Field>
);

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
}

/** The choices of a filter: all of them first, as an empty value, then each value by its own name. */
export const choicesOf = <Value extends string>(
  all: string,
  values: readonly Value[],
): readonly Choice<Value | "">[] => [
  { value: "", label: all },
  ...values.map((value) => ({ value, label: value })),
];

interface SelectProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly choices: readonly Choice<Value>[];
  readonly onValue: (value: Value) => void;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
}

export const SelectField = <Value extends string>({
  label,
  hint,
  error,
  value,
  choices,
  onValue,
}: SelectProps<Value>) => (
  <Field label={label} hint={hint} error={error}>
    {(aria) => (
      <select
        {...aria}
        value={value}
        onChange={(event) => onValue(event.currentTarget.value as Value)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    )}
  </Field>
);

interface CheckProps {
  readonly label: ComponentChildren;
  readonly checked: boolean;
  readonly onValue: (checked: boolean) => void;
}

export const CheckField = ({ label, checked, onValue }: CheckProps) => (
  <label class="check">
    <input
      type="checkbox"
      checked={checked}
      onChange={(event) => onValue(event.currentTarget.checked)}
    />
    <span>{label}</span>
  </label>
);
