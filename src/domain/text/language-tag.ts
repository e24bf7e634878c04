/** ISO 639 of a BCP 47 tag: `pt` of `pt-BR`. */
export const baseLanguage = (tag: string): string => tag.toLowerCase().split("-")[0] ?? tag;
