// Voices. A model's own voices go by their names. No model here has OpenAI's voices: for such a name a
// model speaks in its own first voice, so that a client that must name one works here. Any other name
// is a mistake.

const OPENAI_VOICES: ReadonlySet<string> = new Set([
  "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse",
  "marin", "cedar",
]); // prettier-ignore

/** The speakers of each model of Deepgram's, from the types of the binding. */
export const AURA: Readonly<Record<string, readonly string[]>> = {
  "@cf/deepgram/aura-1": [
    "angus", "asteria", "arcas", "orion", "orpheus", "athena", "luna", "zeus", "perseus", "helios",
    "hera", "stella",
  ],
  "@cf/deepgram/aura-2-en": [
    "amalthea", "andromeda", "apollo", "arcas", "aries", "asteria", "athena", "atlas", "aurora",
    "callista", "cora", "cordelia", "delia", "draco", "electra", "harmonia", "helena", "hera",
    "hermes", "hyperion", "iris", "janus", "juno", "jupiter", "luna", "mars", "minerva", "neptune",
    "odysseus", "ophelia", "orion", "orpheus", "pandora", "phoebe", "pluto", "saturn", "thalia",
    "theia", "vesta", "zeus",
  ],
  "@cf/deepgram/aura-2-es": [
    "sirio", "nestor", "carina", "celeste", "alvaro", "diana", "aquila", "selena", "estrella",
    "javier",
  ],
}; // prettier-ignore

/** Empty: the model's own choice; null: there is no such voice. */
export function auraVoice(model: string, voice: string): string | null {
  const name = voice.toLowerCase();
  if (AURA[model]?.includes(name) === true) return name;
  return OPENAI_VOICES.has(name) ? "" : null;
}

/** Melotts has one voice for each language. Source: its page, and the project's own. */
const MELOTTS_LANGUAGES: ReadonlySet<string> = new Set(["en", "es", "fr", "zh", "jp", "kr"]);

export function melottsLanguage(voice: string): string | null {
  const name = voice.toLowerCase();
  if (MELOTTS_LANGUAGES.has(name)) return name;
  return OPENAI_VOICES.has(name) ? "en" : null;
}
