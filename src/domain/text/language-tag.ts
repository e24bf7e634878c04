/** The ISO 639 code of a BCP 47 tag: `pt` for `pt-BR`. */
export const baseLanguage = (tag: string): string => tag.toLowerCase().split("-")[0] ?? tag;
