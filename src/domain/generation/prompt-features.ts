// The kind of work that a conversation asks for, read from its words by fixed rules: the same text always
// gives the same result. The rules know English and the syntax of programs; a text in another language
// counts as a conversation of its length. Only these three words leave the router.

export const ROUTING_TASKS = ["code", "creative", "analysis", "conversation"] as const;
export type RoutingTask = (typeof ROUTING_TASKS)[number];

export const COMPLEXITIES = ["low", "medium", "high"] as const;
export type Complexity = (typeof COMPLEXITIES)[number];

export const ANSWER_LENGTHS = ["short", "medium", "long"] as const;
export type AnswerLength = (typeof ANSWER_LENGTHS)[number];

export interface PromptFeatures {
  readonly task: RoutingTask;
  readonly complexity: Complexity;
  /** The length of the expected answer. */
  readonly length: AnswerLength;
}

/** For a request whose words were not read. */
export const PLAIN_FEATURES: PromptFeatures = {
  task: "conversation",
  complexity: "medium",
  length: "medium",
};

export interface Prompt {
  /** What the user said, oldest first. */
  readonly userTexts: readonly string[];
  readonly messages: number;
  readonly tools: number;
  readonly maxTokens: number | null;
}

/** Of a longer text only the two ends are read: the question comes before or after its material. */
const READ_CHARS = 8000;

/** A message without a sign of its task ("and shorter?") has the task of the messages before it. */
const LOOK_BACK = 4;

export function promptFeatures(prompt: Prompt): PromptFeatures {
  const recent = prompt.userTexts.slice(-LOOK_BACK).toReversed().map(ends);
  const last = recent[0] ?? "";
  const task = recent.map(taskOf).find((found) => found !== "conversation") ?? "conversation";
  return {
    task,
    complexity: complexityOf(last, prompt),
    length: lengthOf(last, task, prompt.maxTokens),
  };
}

function ends(text: string): string {
  if (text.length <= READ_CHARS) return text;
  return `${text.slice(0, READ_CHARS / 2)}\n${text.slice(-READ_CHARS / 2)}`;
}

/** Each sign counts once, however often it occurs. The first task with the most signs is chosen. */
const SIGNS: Readonly<Record<Exclude<RoutingTask, "conversation">, readonly RegExp[]>> = {
  code: [
    /^ {0,3}(?:```|~~~)/m,
    /\b(?:function|def|fn|func)\s+\w+\s*\(|\b(?:const|let|var)\s+\w+\s*=|\bclass\s+\w+\s*[{:(]/,
    /^[ \t]*(?:import\s+[\w{]|from\s+\w+\s+import\b|#include\b|public\s+(?:static\s+)?\w+\s)/m,
    /[;{}]\s*$/m,
    /\bSELECT\b[\s\S]{1,200}\bFROM\b/,
    /\b(?:[A-Z]\w*(?:Error|Exception)|Traceback|[Ss]tack ?trace|segfault)\b/,
    /\b(?:python|javascript|typescript|java|golang|php|kotlin|sql|bash|html|css|regexp?)\b|\bC\+\+|\bC#/i,
    /\b(?:Rust|Swift|Ruby|Go)\b(?= (?:code|program|function|script))/,
    /\b(?:code|coding|refactor|debug|compile[rsd]?|unit tests?|algorithm|endpoint|api|docker|git)\b/i,
  ],
  analysis: [
    /\b(?:analy[sz]e|analysis|evaluate|assess|compare|contrast|pros and cons|trade-?offs?)\b/i,
    /\b(?:summar(?:y|i[sz]e)|extract|classify|categori[sz]e|rank|review)\b/i,
    /\b(?:calculate|compute|estimate|solve|prove|derive|equation|probability|percent(?:age)?)\b/i,
    /\b(?:report|dataset|data|statistics|table|trend|evidence|hypothesis)\b/i,
    /\b(?:step by step|explain why|root cause|reasons? (?:for|why)|implications?)\b/i,
  ],
  creative: [
    /\b(?:story|stories|poem|poetry|haiku|sonnet|limerick|lyrics|song|novel|screenplay|fairy ?tale)\b/i,
    /\b(?:slogan|tagline|headline|jingle|caption|name ideas|brainstorm)\b/i,
    /\b(?:imagine|pretend|role-?play|fiction(?:al)?|character|protagonist|plot|dialogue)\b/i,
    /\b(?:in the style of|rhym(?:e|es|ing)|metaphors?|whimsical|dramatic)\b/i,
  ],
};

function taskOf(text: string): RoutingTask {
  let found: RoutingTask = "conversation";
  let most = 0;
  for (const task of ["code", "analysis", "creative"] as const) {
    const signs = SIGNS[task].filter((sign) => sign.test(text)).length;
    if (signs > most) [found, most] = [task, signs];
  }
  return found;
}

const HARD_WORDS: readonly RegExp[] = [
  /\b(?:prove|proof|derive|theorem|formal(?:ly)?)\b/i,
  /\b(?:architecture|distributed|concurren(?:t|cy)|scalab(?:le|ility)|consistency)\b/i,
  /\b(?:optimi[sz]e|complexity|performance|bottleneck)\b/i,
  /\b(?:step by step|in depth|thorough(?:ly)?|rigorous(?:ly)?|edge cases?)\b/i,
  /\b(?:trade-?offs?|implications?|strategy|root cause)\b/i,
];

/** Points by size, hard words, demands, tools and turns: 2 are medium, 4 are high. */
function complexityOf(text: string, { userTexts, messages, tools }: Prompt): Complexity {
  const characters = userTexts.reduce((total, { length }) => total + length, 0);
  const demands = (text.match(/\?|^[ \t]*(?:[-*]|\d+[.)])[ \t]/gm) ?? []).length;
  const hard = HARD_WORDS.filter((word) => word.test(text)).length;
  const points =
    steps(characters, 1500, 6000) +
    Math.min(hard, 3) +
    steps(demands, 3, 6) +
    steps(messages, 10) +
    steps(tools, 1);
  if (points >= 4) return "high";
  return points >= 2 ? "medium" : "low";
}

const steps = (value: number, ...limits: readonly number[]): number =>
  limits.filter((limit) => value >= limit).length;

/** Tokens up to which an answer is short, and medium. */
const SHORT_TOKENS = 256;
const MEDIUM_TOKENS = 1024;

const ASKS_SHORT =
  /\b(?:brief(?:ly)?|concise(?:ly)?|tl;?dr|yes or no|one (?:word|line|sentence)|in a (?:word|sentence)|(?:keep it|be) short)\b/i;
const ASKS_LONG =
  /\b(?:detailed|comprehensive|in depth|essay|article|chapter|full (?:guide|code|text)|complete (?:guide|example|implementation)|long(?:er)? (?:story|text|answer))\b/i;
const WORDS = /\b(\d{1,5}) words?\b/i;

/** As the user asks for it, else by the task; never longer than `max_tokens` allows. */
function lengthOf(text: string, task: RoutingTask, maxTokens: number | null): AnswerLength {
  const wanted = requestedLength(text) ?? (task === "conversation" ? "short" : "medium");
  if (maxTokens === null) return wanted;
  const allowed = byTokens(maxTokens);
  const [a, b] = [ANSWER_LENGTHS.indexOf(wanted), ANSWER_LENGTHS.indexOf(allowed)];
  return a < b ? wanted : allowed;
}

function requestedLength(text: string): AnswerLength | null {
  const words = WORDS.exec(text)?.[1];
  // A word of English is about four thirds of a token.
  if (words !== undefined) return byTokens((Number(words) * 4) / 3);
  if (ASKS_SHORT.test(text)) return "short";
  return ASKS_LONG.test(text) ? "long" : null;
}

function byTokens(tokens: number): AnswerLength {
  if (tokens <= SHORT_TOKENS) return "short";
  return tokens <= MEDIUM_TOKENS ? "medium" : "long";
}
