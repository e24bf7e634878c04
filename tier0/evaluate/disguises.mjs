// The ways in which people hide a word of abuse from a list.

const LEET = { a: "4", e: "3", i: "1", o: "0", s: "5", t: "7" };
const LOOKALIKES = { a: "а", e: "е", o: "о", p: "р", c: "с", x: "х", y: "у", i: "і" };

/** Words of abuse are ASCII. */
const lettersOf = (/** @type {string} */ word) => word.split("");

const mapped = (/** @type {Record<string, string>} */ table) => (/** @type {string} */ word) =>
  lettersOf(word)
    .map((letter) => table[letter] ?? letter)
    .join("");

/** @type {Readonly<Record<string, (word: string) => string>>} */
export const DISGUISES = {
  leet: mapped(LEET),
  starred: (word) => `${word[0]}*${word.slice(2)}`,
  spaced: (word) => lettersOf(word).join(" "),
  lookalike: mapped(LOOKALIKES),
  "zero-width": (word) => lettersOf(word).join("\u{200B}"),
  "full-width": (word) =>
    lettersOf(word)
      .map((letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0))
      .join(""),
  dotted: (word) => lettersOf(word).join("."),
  stretched: (word) => word.replace(/[aeiou]/g, "$&$&$&"),
  "emoji-split": (word) => `${word.slice(0, 2)}🙂${word.slice(2)}`,
  "hyphen-split": (word) => `${word.slice(0, 2)}-${word.slice(2)}`,
};

export const disguised = (
  /** @type {string} */ text,
  /** @type {ReadonlySet<string>} */ abuse,
  /** @type {(word: string) => string} */ disguise,
) =>
  text.replace(/[A-Za-z]+/g, (word) =>
    abuse.has(word.toLowerCase()) ? disguise(word.toLowerCase()) : word,
  );
