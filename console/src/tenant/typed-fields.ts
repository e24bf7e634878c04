// The fields of a form that hold a text as it was typed.

/** The names of those fields in a form's values. */
export type TypedName<Fields> = {
  [Name in keyof Fields]: string extends Fields[Name] ? Name : never;
}[keyof Fields] &
  string;

interface Form<Name extends string> {
  readonly fields: Readonly<Record<Name, string>>;
  readonly set: (change: Readonly<Partial<Record<Name, string>>>) => void;
  /** The server's messages by field, such as `terms.block`. */
  readonly errors: ReadonlyMap<string, string>;
}

/** The error of a field or of a part of it. */
const errorAt = (errors: ReadonlyMap<string, string>, at: string): string | undefined =>
  [...errors].find(([field]) => field === at || field.startsWith(`${at}.`))?.[1];

/** The properties of a text field, by its name. `at` is its place in the body, if that has another name. */
export const typedFields =
  <Name extends string>({ fields, set, errors }: Form<Name>) =>
  (name: Name, at: string = name) => ({
    value: fields[name],
    // The compiler takes a computed name for any name: hence the cast.
    onValue: (value: string) => set({ [name]: value } as Partial<Record<Name, string>>),
    error: errorAt(errors, at),
  });
