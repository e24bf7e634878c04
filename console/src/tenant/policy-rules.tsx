import { FLAG_ONLY } from "../../../src/domain/moderation/policy.ts";
import { type Column, Table } from "../ui/table.tsx";
import type { PolicyFields, RuleFields } from "./policy-form.ts";

interface RulesProps {
  readonly fields: PolicyFields;
  readonly onFields: (fields: PolicyFields) => void;
  /** The server's messages by field, such as `categories.toxicity.block`. */
  readonly errors: ReadonlyMap<string, string>;
}

interface Row {
  readonly category: string;
  readonly rule: RuleFields;
}

/** A row for each category: whether it is checked, and the scores from which it flags or blocks. */
export function PolicyRules({ fields, onFields, errors }: RulesProps) {
  const set = (category: string, change: Partial<RuleFields>) => {
    const before = fields.categories[category];
    if (before === undefined) return;
    const categories = { ...fields.categories, [category]: { ...before, ...change } };
    onFields({ ...fields, categories });
  };
  const check = (name: "text" | "image" | "required", label: string): Column<Row> => ({
    key: name,
    label,
    cell: ({ category, rule }) => (
      <input
        type="checkbox"
        class="plain-check"
        aria-label={`${category}: ${label.toLowerCase()}`}
        checked={rule[name]}
        onChange={(event) => set(category, { [name]: event.currentTarget.checked })}
      />
    ),
  });
  const level = (name: "flag" | "block" | "ban", label: string): Column<Row> => ({
    key: name,
    label,
    cell: ({ category, rule }) =>
      name !== "flag" && isFlagOnly(category) ? (
        <span class="soft">never</span>
      ) : (
        <Level
          label={`${category}: ${label.toLowerCase()}`}
          value={rule[name]}
          error={errors.get(`categories.${category}.${name}`)}
          onValue={(value) => set(category, { [name]: value })}
        />
      ),
  });
  const columns: readonly Column<Row>[] = [
    {
      key: "category",
      label: "Category",
      main: true,
      cell: ({ category }) => (
        <>
          {category}
          {errors.has(`categories.${category}`) && (
            <span class="field-error"> {errors.get(`categories.${category}`)}</span>
          )}
        </>
      ),
    },
    check("text", "Of text"),
    check("image", "Of pictures"),
    check("required", "Required"),
    level("flag", "Flags from"),
    level("block", "Blocks from"),
    level("ban", "Bans from"),
  ];
  return (
    <div class="policy-table">
      <Table
        caption="Rules by category"
        columns={columns}
        rows={Object.entries(fields.categories).map(([category, rule]) => ({ category, rule }))}
        keyOf={({ category }) => category}
      />
    </div>
  );
}

const isFlagOnly = (category: string): boolean =>
  (FLAG_ONLY as readonly string[]).includes(category);

interface LevelProps {
  readonly label: string;
  readonly value: string;
  readonly error: string | undefined;
  readonly onValue: (value: string) => void;
}

const Level = ({ label, value, error, onValue }: LevelProps) => (
  <>
    <input
      type="number"
      class={error === undefined ? "bare-input" : "bare-input wrong"}
      aria-label={label}
      aria-invalid={error !== undefined}
      title={error ?? label}
      placeholder="never"
      min={0}
      max={1}
      step="any"
      value={value}
      onInput={(event) => onValue(event.currentTarget.value)}
    />
    {error !== undefined && <span class="field-error"> {error}</span>}
  </>
);
