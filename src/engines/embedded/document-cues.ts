// Words by which the stand-in for a language model tells what a document is about, and who is to do what.

/** The categories of `domain/documents/prompts.ts`. A category of the caller's own is looked for by name. */
export const CATEGORY_CUES: Readonly<Record<string, string>> = {
  personal: "love family weekend birthday dinner mum dad kids friend holiday hugs party",
  business: "meeting contract invoice project quarter client proposal deadline budget team order",
  marketing: "offer discount sale subscribe unsubscribe deal free limited buy newsletter save shop",
  support: "issue error problem ticket help working broken refund account password login crash",
  financial: "revenue profit quarter million margin cash earnings cost costs dividend sales",
  technical: "system server software architecture performance api network version design test",
  research: "study method hypothesis participants findings literature analysis sample significant",
  status: "progress milestone completed steps track delayed week blocked risk schedule repaired",
  news: "announced yesterday officials reported government police minister today according",
  tutorial: "step install click first then example follow guide learn tutorial",
  opinion: "think believe should view argue must wrong opinion better",
  review: "rating stars recommend pros cons quality tested worth compared verdict",
  employment:
    "employee employer salary employment vacation hours probation termination wage position",
  service: "services provider client deliverables fees scope perform consultant service",
  lease: "tenant landlord rent premises lease deposit apartment monthly",
  purchase: "buyer seller price goods delivery title warranty purchase",
};

const ORGANIZATION_ENDS =
  "Inc|Ltd|LLC|GmbH|AG|SE|Corp|Corporation|Company|University|Bank|Institute|Agency|Ministry|Group|Association|Council";
const WORD = "\\p{Lu}[\\p{Ll}\\p{Lu}'\u2019-]{1,30}";

export const ORGANIZATION = new RegExp(
  `(?<![\\p{L}])(?:${WORD} ){1,4}(?:${ORGANIZATION_ENDS})(?![\\p{L}])`,
  "gu",
);
export const PERSON = new RegExp(
  `(?<![\\p{L}])(?:(?:Mr|Mrs|Ms|Dr|Prof)\\.? )?(${WORD} ${WORD})(?! ?(?:${ORGANIZATION_ENDS})(?![\\p{L}]))(?![\\p{L}])`,
  "gu",
);
export const PLACE = new RegExp(`(?<=\\b(?:in|near|from) )${WORD}(?: ${WORD})?(?![\\p{L}])`, "gu");

const DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday";
const MONTHS =
  "January|February|March|April|May|June|July|August|September|October|November|December";

/** Capital words that are no names. */
export const NO_NAME = new RegExp(
  `^(?:The|A|An|This|These|That|We|You|I|He|She|It|They|Dear|Hi|Hello|Please|Our|Your|In|On|At|${DAYS}|${MONTHS})\\b`,
);

/** A sentence in which somebody is asked, or has promised, to do something. */
export const ACTION =
  /\b(?:please|must|needs? to|ha(?:s|ve) to|should|will|shall|to-?do|action|make sure|could you|can you|is to|are to)\b/i;

/** Who: the name before the verb. */
export const ACTOR = new RegExp(
  `(${WORD}(?: ${WORD})?),? (?:will|must|should|shall|needs? to|has to|is to|please)\\b`,
  "u",
);

export const BY_WHEN = new RegExp(
  `\\b(?:by|until|before|on|no later than) ((?:next |this )?(?:${DAYS})|tomorrow|today|(?:the )?end of (?:the |this |next )?(?:day|week|month|quarter|year)|\\d{4}-\\d{2}-\\d{2}|\\d{1,2} (?:${MONTHS})(?: \\d{4})?|(?:${MONTHS}) \\d{1,2}(?:, \\d{4})?)`,
);
