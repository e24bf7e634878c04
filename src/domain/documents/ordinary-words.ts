// Words that have a capital and are no names, and words that show the language of a sentence.

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

const ORDINARY = setOf(
  `a about above according across additionally after afterwards again against all almost along already also
  although always among an and another any anybody anyone anything around as at back be because been before
  behind being below beneath beside besides best between beyond both briefly but by can cannot clearly consequently
  could currently despite did do does done down due during each either else enough especially even eventually every
  everybody everyone everything except few finally first firstly five for formerly four from further furthermore
  generally given good had half has have having he hence her here hers herself high him himself his how however i if
  immediately in including indeed inside instead into is it its itself just last lastly late later least less like
  likewise long many maybe me meanwhile more moreover most mostly much must my near nearly neither never nevertheless
  new next nine no nobody none nonetheless nor not nothing notably now nowhere of off often on once one ones only onto
  or originally other others otherwise our out outside over overall own partly past per perhaps please possibly
  presumably previously prior probably quite rather recently regarding same second secondly seven several shall
  she should similarly since six small so some somebody someone something sometimes soon still subsequently such
  ten than thank thanks that the their them then there thereafter thereby therefore these they third this those though
  three through throughout thus to today together tomorrow tonight too toward towards twelve eleven eight two
  typically ultimately under unless unlike until up upon us usually very via was we were what whatever when whenever
  where whereas wherever whether which while who whoever whom whose why with within without would yes yesterday yet
  you your yours`,
);

/** Subjects without an article, and what a task begins with. */
const COMMON = setOf(
  `add analysts approval arrange article ask attend author book bring budget business buy call check children
  clients collect companies complete completion confirm contact contract cost costs create critics customers data
  deadline delivery demand deliver details discuss document email employees engineers ensure experts figures file
  finalize find finish fix follow forward funds get goods growth guests help income inform interest invite invoices
  keep letter make managers meet members money notice notify officials order organise organize participants parties pay
  payment payments people plan plans prepare prices production profit profits progress provide publish read rent
  repairs repair reply report research residents respond results return revenue review sales schedule scientists send
  set share shares sign spending staff start stop students submit suppliers talk tax taxes tenants terms tests text
  total train update users visitors volunteers wages water work workers write`,
);

const TITLES = setOf(
  "mr mrs ms miss dr prof professor sir madam lady lord herr frau monsieur madame dear st judge king queen",
);

/** Behind these a full stop ends no sentence. */
const ABBREVIATED = setOf(
  "mr mrs ms dr prof st jr sr no inc ltd co corp vs dept gen sen rep mt ft",
);

const NAMES_LIKE_WORDS = setOf(
  `beverly billy clarence constance emily fleming florence harding kelly kimberly lawrence manning molly polly
  prudence sally sterling terrence trinity charity felicity beijing chongqing nanjing boeing downing wellness clement`,
);
const WORD_ENDING = /.{3}(?:ment|tion|sion|ness|ance|ence|ity|ing|ly)s?$/;

export const isOrdinary = (word: string): boolean =>
  ORDINARY.has(word) || COMMON.has(word) || (WORD_ENDING.test(word) && !NAMES_LIKE_WORDS.has(word));

/** Whether a word has no meaning without others, wherever it stands. */
export const isFunctionWord = (word: string): boolean => ORDINARY.has(word);

export const isTitle = (word: string): boolean => TITLES.has(word);

export const isAbbreviated = (word: string): boolean => word.length === 1 || ABBREVIATED.has(word);

const DETERMINERS = setOf("the a an this that these those its their our your my his her all any");

/** A name at the beginning of a sentence has a verb behind it, no such word. */
export const isDeterminer = (word: string): boolean => DETERMINERS.has(word);

const OF_GERMAN = "der das und ist nicht ein eine einen einem einer wird wurde auf für mit von zu";

/** Words of other languages, none of which is English in lower case. */
const FOREIGN = setOf(
  `${OF_GERMAN}
  le les une est dans pour avec qui sont el los las una por para con del il che sono della
  het een niet zijn voor och att som na jest nie się não uma os`,
);

export const isForeign = (word: string): boolean => FOREIGN.has(word);

/** Nouns have capitals in German. */
const GERMAN = setOf(`${OF_GERMAN} im zum zur bis hat sich dem`);

export const isGerman = (word: string): boolean => GERMAN.has(word);

export const CURRENCIES = setOf(
  "USD EUR GBP JPY CHF CAD AUD INR CNY SEK NOK DKK PLN BRL MXN".toLowerCase(),
);

const MONTHS =
  "january february march april may june july august september october november december".split(
    " ",
  );
const DAYS = setOf("monday tuesday wednesday thursday friday saturday sunday");

/** 1 to 12; 0: it is no month. */
export const monthOf = (word: string): number => MONTHS.indexOf(word) + 1;

export const isCalendarWord = (word: string): boolean => DAYS.has(word) || monthOf(word) > 0;
