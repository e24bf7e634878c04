// The languages of the translation models, by the models' own names for them.

type Side = "source" | "target";

const M2M100 = "@cf/meta/m2m100-1.2b";
const INDIC = "@cf/ai4bharat/indictrans2-en-indic-1B";

/** Source: FAIRSEQ_LANGUAGE_CODES["m2m100"] of its tokenizer (transformers). */
const M2M100_CODES =
  `af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he
   hi hr ht hu hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl
   no ns oc or pa pl ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi
   yo zh zu`.split(/\s+/);

/** It reads English only. Source: the schema of the model at Cloudflare, `target_language`. */
const INDIC_CODES =
  `asm_Beng awa_Deva ben_Beng bho_Deva brx_Deva doi_Deva eng_Latn gom_Deva gon_Deva guj_Gujr hin_Deva
   hne_Deva kan_Knda kas_Arab kas_Deva kha_Latn lus_Latn mag_Deva mai_Deva mal_Mlym mar_Deva mni_Beng
   mni_Mtei npi_Deva ory_Orya pan_Guru san_Deva sat_Olck snd_Arab snd_Deva tam_Taml tel_Telu urd_Arab
   unr_Deva`.split(/\s+/);

/** ISO 639-1 for those that it writes in one script: Kashmiri and Sindhi need their full names. */
const INDIC_NAMES: ReadonlyMap<string, string> = new Map([
  ...INDIC_CODES.map((code) => [code, code] as const),
  ["as", "asm_Beng"],
  ["bn", "ben_Beng"],
  ["gu", "guj_Gujr"],
  ["hi", "hin_Deva"],
  ["kn", "kan_Knda"],
  ["ml", "mal_Mlym"],
  ["mr", "mar_Deva"],
  ["ne", "npi_Deva"],
  ["or", "ory_Orya"],
  ["pa", "pan_Guru"],
  ["sa", "san_Deva"],
  ["ta", "tam_Taml"],
  ["te", "tel_Telu"],
  ["ur", "urd_Arab"],
]);

const M2M100_NAMES: ReadonlyMap<string, string> = new Map(M2M100_CODES.map((code) => [code, code]));

const LANGUAGES: ReadonlyMap<string, Readonly<Record<Side, ReadonlyMap<string, string>>>> = new Map(
  [
    [M2M100, { source: M2M100_NAMES, target: M2M100_NAMES }],
    [
      INDIC,
      {
        source: new Map([
          ["en", "eng_Latn"],
          ["eng_Latn", "eng_Latn"],
        ]),
        target: INDIC_NAMES,
      },
    ],
  ],
);

/** The model's own name for a language; null where it does not take it. */
export const languageCode = (model: string, side: Side, language: string): string | null =>
  LANGUAGES.get(model)?.[side].get(language) ?? null;

export const isTranslated = (model: string, side: Side, language: string): boolean =>
  languageCode(model, side, language) !== null;

/** IndicTrans2 takes and gives lists, under other names than M2M100. */
export const speaksIndic = (model: string): boolean => model === INDIC;
