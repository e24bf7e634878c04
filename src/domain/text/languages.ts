/** The ISO 639 code of a BCP 47 tag: `pt` for `pt-BR`. */
export const baseLanguage = (tag: string): string => tag.toLowerCase().split("-")[0] ?? tag;

// The languages that Whisper knows, by their English names: some clients send `english` for `en`.
// Source: openai/whisper, tokenizer.py, LANGUAGES and TO_LANGUAGE_CODE.

const NAMES =
  "en english zh chinese de german es spanish ru russian ko korean fr french ja japanese pt portuguese " +
  "tr turkish pl polish ca catalan nl dutch ar arabic sv swedish it italian id indonesian hi hindi " +
  "fi finnish vi vietnamese he hebrew uk ukrainian el greek ms malay cs czech ro romanian da danish " +
  "hu hungarian ta tamil no norwegian th thai ur urdu hr croatian bg bulgarian lt lithuanian la latin " +
  "mi maori ml malayalam cy welsh sk slovak te telugu fa persian lv latvian bn bengali sr serbian " +
  "az azerbaijani sl slovenian kn kannada et estonian mk macedonian br breton eu basque is icelandic " +
  "hy armenian ne nepali mn mongolian bs bosnian kk kazakh sq albanian sw swahili gl galician " +
  "mr marathi pa punjabi si sinhala km khmer sn shona yo yoruba so somali af afrikaans oc occitan " +
  "ka georgian be belarusian tg tajik sd sindhi gu gujarati am amharic yi yiddish lo lao uz uzbek " +
  "fo faroese ps pashto tk turkmen nn nynorsk mt maltese sa sanskrit lb luxembourgish my myanmar " +
  "bo tibetan tl tagalog mg malagasy as assamese tt tatar haw hawaiian ln lingala ha hausa ba bashkir " +
  "jw javanese su sundanese yue cantonese my burmese ca valencian nl flemish pa panjabi es castilian " +
  "zh mandarin";

const CODES: ReadonlyMap<string, string> = new Map(
  [...NAMES.matchAll(/(\S+) (\S+)/g)].map(([, code = "", name = ""]) => [name, code]),
);

/** The code for the English name of a language; any other text is returned as it is. */
export const languageOf = (name: string): string => CODES.get(name.trim().toLowerCase()) ?? name;
