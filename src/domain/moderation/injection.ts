import { plainText } from "../text/normalise.ts";

// Signs that a text speaks to the moderation model instead of to people. A match makes the decision at least
// `flag`, so a false alarm costs a look by a person. Patterns that ordinary text often matches ("system:
// Windows 11", "enable developer mode on your phone") are narrowed until it does not.
//
// Every expression is linear in the length of the text: repetition is bounded, or repeats a class that the
// next part does not contain. The ids are stable (reasons name them) and reveal nothing of the text.

const WORD = "[^ \\n]{1,30}";
const VERDICT =
  "(?:not toxic|non-?toxic|non-?offensive|not offensive|not harmful|no violations?|all zeros?|zero)";
const CATEGORY =
  "(?:toxicity|harassment|hate|illicit|self-harm|sexual|violence|spam|nsfw)(?:/[a-z]{3,20})?";

const PATTERNS: readonly (readonly [id: string, pattern: RegExp])[] = [
  [
    "ignore_instructions",
    new RegExp(
      `\\b(?:ignore|disregard|forget|override|bypass|do not follow|don't follow|stop following)` +
        `(?: ${WORD}){0,5}? (?:(?:previous|prior|above|earlier|preceding|foregoing|system|original|` +
        `initial|moderation)(?: ${WORD}){0,2}? (?:instruction|prompt|rule|direction|guideline|` +
        `command|policy|policies)|instructions? (?:above|before|given))`,
    ),
  ],
  [
    "ignore_instructions",
    // German, French, Spanish, Portuguese, Italian.
    /\b(?:ignorier|vergiss|missacht|ignor(?:a|e|ez|en)\b|oubli(?:e|ez)\b|olvida)[^\n]{0,30}(?:(?:vorherig|bisherig|obig|früher)[a-zäöü]{0,3} (?:anweisung|regel|befehl)|(?:instructions|consignes|règles) (?:précédentes|antérieures|ci-dessus)|(?:instrucciones|instruções|reglas|istruzioni) (?:anteriores|previas|precedenti))/,
  ],
  [
    "as_moderator",
    new RegExp(
      `\\b(?:as|i am|i'm|this is) (?:the|a|your) (?:content |ai |human |lead )?(?:moderator|moderation ` +
        `(?:system|model|bot|team|tool)|classifier|judge)\\b[^\\n]{0,60}\\b(?:safe|clean|approved?|` +
        `whitelisted|harmless|not toxic|non-?toxic|classify|score it|rate it|your (?:output|answer|response))`,
    ),
  ],
  [
    "role_token",
    /<\|[a-z_]{2,30}\|>|\[\/?inst\]|<<\/?sys>>|<(?:start|end)_of_turn>|<\/?(?:system|assistant)(?:_prompt|_message)?>/,
  ],
  [
    "role_token",
    /(?:^|\n)[#*> ]{0,5}(?:system|assistant|developer)(?: (?:prompt|message|instructions?|override|note))?[*]{0,2} ?: ?(?:[{"]|you\b|your\b|ignore|disregard|answer|respond|reply|output|return|rate\b|override|new (?:rule|instruction|policy)|from now|(?:the|this) (?:user|text|message|content|comment)|verdict|safe\b|not toxic|i (?:rate|have (?:rated|reviewed)))/,
  ],
  [
    "fake_verdict",
    new RegExp(
      `["'](?:score|flagged|nonce|is_toxic|toxic|unsafe|${CATEGORY})["'] ?: ?["']?(?:0|false|none|no|low|safe|[0-9a-f]{16})`,
    ),
  ],
  [
    "fake_verdict",
    new RegExp(
      `\\b(?:toxicity|harassment|hate|nsfw|moderation)(?: score)? ?[=:] ?(?:0|none|false|safe|clean)\\b`,
    ),
  ],
  [
    "fence",
    /<\/text(?: [0-9a-f]{1,64})? ?>|<text [0-9a-f]{8,64} ?>|<\/(?:user_?input|user_?text|untrusted|content_to_[a-z]{3,20}|input_text)>|-{2,20} ?end of (?:the )?(?:user )?(?:text|input|content|data)\b/,
  ],
  [
    "dictated_verdict",
    new RegExp(
      `\\b(?:answer|respond|reply|output|return|classify|mark|label|rate|score|report|say)` +
        `(?: (?:with|as|this|it|that|the|a|of|is|only|just|text|message|content|comment|post|input|above|following|everything|all|categories|to|be|score)){0,6}` +
        ` ?["':]? ?${VERDICT}\\b`,
    ),
  ],
  [
    "dictated_verdict",
    /\b(?:classify|mark|label|rate|score|treat|flag)(?: (?:this|the|my|that|above|following|entire)){1,3} (?:text|message|content|comment|input)(?: [a-z]{2,10}){0,2} (?:as )?["']?(?:safe|harmless|benign|clean|allowed|approved|0)\b/,
  ],
  [
    "dictated_verdict",
    /\b(?:set|give|assign|make)(?: (?:the|all|every|each|a|it|this|its|toxicity)){0,4} (?:scores?|ratings?|categor(?:y|ies))(?: (?:a|to|of|be|value|score|scores|as)){0,4} ?["']?(?:0|zero)\b/,
  ],
  [
    "you_are_now",
    /\b(?:you are now|you're now|from now on,? you(?:'re| are| will act| act| must act| respond| answer)|act as if you (?:are|were)|pretend (?:that )?you are|pretend to be)(?: (?:a|an|the|in|my|as|completely|fully|being)){0,3} (?:dan\b|ai\b|assistant|chat ?bot|language model|model\b|jailbroken|unrestricted|unfiltered|uncensored|free from|free of (?:all )?(?:rules|restrictions)|no longer bound|(?:developer|god|dan|sudo|debug) mode|(?:content )?moderator|(?:helpful|evil|different|new) (?:ai|assistant|model)|without (?:any )?(?:rules|restrictions|filters))/,
  ],
  [
    "developer_mode",
    /\b(?:in|into|enter|entering|activate|activating) (?:the )?(?:god|dan|sudo|jailbreak|unrestricted|unfiltered|moderator override) mode\b|\b(?:you are|you're|you will be|be|stay) (?:now )?in (?:developer|debug|maintenance|test|god|dan) mode\b|\b(?:developer|god|dan|sudo|jailbreak|debug) mode (?:enabled|activated|engaged|output|unlocked)\b/,
  ],
  [
    "new_instructions",
    /\b(?:here are |follow )?(?:your|these|my) (?:new|real|actual|updated|true) (?:instructions?|task|role|system prompt)(?: (?:is|are|instead)|:)|(?:^|\n)[#*> ]{0,5}new (?:system )?(?:instructions?|prompt) ?:|\b(?:reveal|print|repeat|show|leak|output)(?: me)? (?:your|the) (?:system|initial|hidden|original) (?:prompt|instructions?|message)\b/,
  ],
];

/** The strongest phrases, matched on the letters alone: "i g n o r e  a l l …", "I.g.n.o.r.e". */
const SQUASHED =
  /(?:ignore|disregard|forget)(?:all|any)?(?:of)?(?:the|your|my)?(?:previous|prior|above|earlier)(?:instruction|prompt|rule|direction)/;

/** The id of the first pattern that matches the text, or null. */
export function findInjection(text: string): string | null {
  if (hidesText(text)) return "hidden_text";
  const readable = plainText(text, "kept");
  const plain = readable
    .toLowerCase()
    .replace(/ +/g, " ")
    .replace(/ ?\n ?/g, "\n");
  const line = plain.replaceAll("\n", " ");
  for (const [id, pattern] of PATTERNS) {
    if (pattern.test(plain) || (line !== plain && pattern.test(line))) return id;
  }
  if (SQUASHED.test(plain.replace(/[^\p{L}]+/gu, ""))) return "ignore_instructions";
  return hasBase64Blob(readable) ? "base64_blob" : null;
}

/** The tag block mirrors ASCII invisibly. Its one legitimate use is flags, such as England's. */
const FLAG = /\u{1F3F4}[\u{E0020}-\u{E007F}]{1,7}/gu;
const TAGS = /[\u{E0020}-\u{E007E}]{4}/u;

function hidesText(text: string): boolean {
  return TAGS.test(text) && TAGS.test(text.replace(FLAG, ""));
}

/** Long enough for a sentence of hidden instructions; longer than hashes, keys and most links. */
const BLOB_LENGTH = 160;
/** Base64 is often wrapped: its pieces may be lines of 60 or more characters. */
const BLOB_LINE = 60;
/** A long word that repeats a few letters is not base64, which uses most of its 64 characters. */
const BLOB_DISTINCT = 20;

function hasBase64Blob(text: string): boolean {
  let length = 0;
  let seen = new Set<string>();
  for (const word of text.split(/\s+/)) {
    const line = longestBase64(word);
    if (line.length < BLOB_LINE) {
      length = 0;
      seen = new Set();
      continue;
    }
    length += line.length;
    for (const character of line) seen.add(character);
    if (length >= BLOB_LENGTH && seen.size >= BLOB_DISTINCT && isMixed(seen)) return true;
  }
  return false;
}

function longestBase64(word: string): string {
  if (word.length < BLOB_LINE) return "";
  const pieces = word.match(/[A-Za-z0-9+/]+/g) ?? [];
  return pieces.reduce((longest, next) => (next.length > longest.length ? next : longest), "");
}

function isMixed(characters: ReadonlySet<string>): boolean {
  const all = [...characters].join("");
  return /[a-z]/.test(all) && /[A-Z]/.test(all) && /[0-9+/]/.test(all);
}
