import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchTerms } from "../../../src/domain/terms/term-match.ts";
import type { Term } from "../../../src/domain/terms/term.ts";

const policyOf = (block: readonly Term[], allow: readonly Term[] = [], spam: string[] = []) => ({
  terms: { block, allow },
  spam_phrases: spam,
});

const found = (text: string, ...terms: readonly Term[]): number[] =>
  matchTerms(text, policyOf(terms)).blocked.map(({ index }) => index);

/** What of the text the first block term matched. */
const placesOf = (text: string, term: Term): string[] =>
  matchTerms(text, policyOf([term])).blocked.flatMap(({ spans }) =>
    spans.map(({ start, end }) => text.slice(start, end)),
  );

const substring = (term: string): Term => ({ term, match: "substring" });
const word = (term: string): Term => ({ term, match: "word" });
const exact = (term: string): Term => ({ term, match: "exact" });

describe("a term is found", () => {
  it.each<[string, string, Term]>([
    ["as a word", "you Idiot!", "idiot"],
    ["with its accents folded", "ïdïöt", "idiot"],
    ["given with accents", "idiot", "ïdiöt"],
    ["in full width", "ｉｄｉｏｔ", "idiot"],
    ["in other capitals", "SCHEISSE", "Scheiße"],
    ["with a dotted capital i", "KİLL", "kill"],
    ["with a dotless i", "kıll", "kill"],
    ["over white space of any kind", "buy \n\t\u2003now!", "buy now"],
    ["over a carriage return", "buy\rnow", "buy now"],
    ["over every line break of Unicode", "a1\u2028b\u2029c\u0085d\u000be\u000cf", "a1 b c d e f"],
    ["hidden by what shows nothing", "id\u200bi\u{E0041}ot", "idiot"],
    ["with signs of its own", "use c++ now", "c++"],
    ["before an apostrophe", "the idiot's car", "idiot"],
    ["behind an apostrophe", "l'idiot", "idiot"],
    ["before a possessive", "AI's output", "AI"],
    ["before a curly one", "the AI’s output", exact("AI")],
    ["before a possessive, where it could have lost its end", "the UN's seat", "UN"],
    ["before an English ending", "we're and they'll", "we"],
    ["before a Turkish ending", "AI'nin çıktısı", "AI"],
    ["before a Polish ending", "Tego AI’owi nie mów", "AI"],
    ["before an apostrophe that closes", "the 'AI' act", "AI"],
    ["behind a longer word without its end", "quell'idiota", "idiota"],
    ["in quotation marks within Han", "他说'傻瓜'吧", "傻瓜"],
    ["in quotation marks within Han, as an emoji", "他说'🖕'吧", "🖕"],
    ["with an apostrophe of its own", "я люблю сім'ю", "сім'ю"],
    ["with Cyrillic letters in it", "bаdwоrd", "badword"],
    ["all in letters that look Latin", "you аss", "ass"],
    ["in small capitals", "ʙᴀᴅᴡᴏʀᴅ", "badword"],
    ["a Cyrillic one with Latin letters in it", "дypак", "дурак"],
    ["in leet", "b4dw0rd", "badword"],
    ["in more leet", "1d10t", "idiot"],
    ["with a 1 for an l", "1oser and id1ot", "loser"],
    ["with signs for letters", "b@dw0rd", "badword"],
    ["ending in signs", "a$$", "ass"],
    ["beginning with one", "$tupid", "stupid"],
    ["letter by letter", "b a d w o r d", "badword"],
    ["letter by letter, in a sentence", "such a b a d w o r d here", "badword"],
    ["letter by letter, with dots", "b.a.d.w.o.r.d.", "badword"],
    ["letter by letter, over lines", "b\na\nd\nw\no\nr\nd", "badword"],
    ["letter by letter, with emoji", "b🙂a🙂d🙂w🙂o🙂r🙂d", "badword"],
    ["letter by letter and in leet", "b 4 d w 0 r d", "badword"],
    ["letter by letter, short, alone", "you a-s-s!", "ass"],
    ["with a sign that looks like a letter", "ba₫wo₫d", "badwodd"],
    ["with Greek capitals in it", "you ΗATEFUL", "hateful"],
    ["with a Lisu letter in it", "ꓐadword", "badword"],
    ["with letters beyond the first plane", "𐊡a𐓪 badw𐓪r𐓪", "badworo"],
    ["with a zero of another script in it", "badw०rd", "badword"],
    ["with a star in it", "b*dword", "badword"],
    ["with more stars", "such a f**k!", "fuck"],
    ["with stars, in capitals", "F**K", "fuck"],
    ["with stars and in leet", "b1*ch", "bitch"],
    ["with stars in Cyrillic", "ты д*рак", "дурак"],
    ["with stars in Greek", "είσαι βλ**ας", "βλάκας"],
    ["with other stars", "f∗✱k and f＊＊k", "fuck"],
    ["with blots", "f██k", "fuck"],
    ["with a star, short", "you a*s", "ass"],
    ["with stars, in bold", "**f**k**", "fuck"],
    ["a phrase with stars", "f**k you all", "fuck you"],
    ["a part in leet", "ihr Vollid10ten", substring("idiot")],
    ["a part with a sign in it", "dumba$$holes", substring("asshole")],
    ["a part with Cyrillic letters in it", "Vollidіоten", substring("idiot")],
    ["with a hyphen in it", "bad-word", "badword"],
    ["with an underscore in it", "bad_word", "badword"],
    ["given with a hyphen", "badword", "bad-word"],
    ["given with a hyphen, with a space", "bad word", "bad-word"],
    ["a phrase, letter by letter", "b u y  n o w", "buy now"],
    ["a phrase with a hyphen", "buy-now", "buy now"],
    ["Han within a sentence", "你是傻瓜吗", "傻瓜"],
    ["Han within a longer word", "大傻瓜", "傻瓜"],
    ["Japanese", "これはばかです", "ばか"],
    ["Thai", "คุณโง่มาก", "โง่"],
    ["Hindi", "यह चूत है", "चूत"],
    ["Korean, whole", "이 바보 야", "바보"],
    ["Korean with a particle, by its substring", "바보야", substring("바보")],
    ["German with an ending, by its substring", "ihr Vollidioten!", substring("idiot")],
    ["half-width katakana", "ﾊﾞｶだ", "バカ"],
    ["an emoji", "so 🖕🏽!", "🖕"],
    ["by its accents", "el año nuevo", word("año")],
    ["by its accents, in capitals", "EL AÑO", word("año")],
    ["by its accents, written apart", "el an\u0303o", word("año")],
    ["letter for letter", "the AI act", exact("AI")],
  ])("%s", (_, text, term) => {
    expect(found(text, term)).toEqual([0]);
  });
});

describe("a term is not found", () => {
  it.each<[string, string, Term]>([
    ["in Scunthorpe", "Scunthorpe", "cunt"],
    ["in Scunthorpe, letter by letter", "S c u n t h o r p e", "cunt"],
    ["in a word that is spelled out", "c l a s s", "ass"],
    ["in j'ai", "j'ai dormi", "AI"],
    ["in j’ai", "J’ai dormi", "AI"],
    ["in d'Ai", "le lac d'Ai", exact("Ai")],
    ["in an elided word", "un'altra volta", "UN"],
    ["in an elided word, before a word that begins with s", "l'si", "l"],
    ["as an ending", "we're late", "re"],
    ["in a negation", "don't", "don"],
    ["in a curly negation", "he won’t pay", "won"],
    ["in a Ukrainian word", "моя сім'я", "сім"],
    ["at the end of a Belarusian one", "аб’ект", "ект"],
    ["in o'clock and ma'am", "o'clock, ma'am", "ma"],
    ["in a longer word", "the peacock", "cock"],
    ["over the ends of words", "push it now", "shit"],
    ["over the end of a sentence", "The pub. It is", "bit"],
    ["over a comma", "as, s", "ass"],
    ["in a number", "1337 455 80085", "ass"],
    ["in the name of a thing", "a Samsung A55 phone", "ass"],
    ["in a Russian word that looks Latin", "Он открыл рот и сказал", "pot"],
    ["as an exclamation", "the pen! is", "penis"],
    ["in another Japanese word", "わたしはかえります。", "ばか"],
    ["in a longer Japanese word", "ばかりです", "ばか"],
    ["in another Thai word", "ผมหิวข้าว ไปหาหมอ", "หี"],
    ["in a longer Thai word", "หีบสมบัติ", "หี"],
    ["in another Hindi word", "चीता", "चूत"],
    ["before a vowel sign", "चती", "चत"],
    ["across two Chinese words", "先生日安", "生日"],
    ["in a Korean word with a particle", "바보야", "바보"],
    ["without its accents", "el ano", word("año")],
    ["with accents that it has not", "el año", word("ano")],
    ["in another case", "the ai act", exact("AI")],
    ["disguised, where it counts letter for letter", "b4dword", word("badword")],
    ["beside a letter's own mark", "कि", substring("क")],
    ["in stars, of another length", "f***k", "fuck"],
    ["in stars in another script", "д*рак", "durak"],
    ["in bullets", "• fu• ck", "fuxck"],
    ["in stars, without its last letter", "f***", "fuck"],
    ["in stars that hide most of it", "b*****d", "badword"],
    ["in stars with another letter", "f*l*", "fuck"],
    ["in stars, word for word", "f**k", word("fuck")],
    ["in emphasis of a part", "**be**ing", "beating"],
    ["in emphasis", "a **sex** b, *as*", "sexb"],
    ["in a product", "3*m*n", "man"],
    ["in a product of letters", "a*s = 2", "ass"],
    ["in a power", "x = a**l", "anal"],
    ["in a masked number", "call 55***5", "sssss"],
    ["as a part of a number", "id 8f1d10t9", substring("idiot")],
    ["as a part of a price", "455$holes", substring("asshole")],
    ["as a short part in leet", "m4ssage", substring("ass")],
    ["as a part over a hyphen", "vid-10tas", substring("idiot")],
    ["in a price of a sign", "5¥ou", "you"],
    ["where it is empty", "text", ""],
    ["where it is blank", "a  b", "  "],
    ["in an e-mail address", "ann@dsl.example", "anna"],
  ])("%s", (_, text, term) => {
    expect(found(text, term)).toEqual([]);
  });
});

describe("places", () => {
  it.each<[string, Term, string[]]>([
    ["you ＩＤＩＯＴ, you b4d idiot", "idiot", ["ＩＤＩＯＴ", "idiot"]],
    ["🙂 the b-a-d word", "bad", ["b-a-d"]],
    ["buy \r\n now", "buy now", ["buy \r\n now"]],
    ["straße", "strasse", ["straße"]],
    ["Vollidioten", { term: "idiot", match: "substring" }, ["idiot"]],
  ])("are of the original: %j", (text, term, places) => {
    expect(placesOf(text, term)).toEqual(places);
  });

  it("carry the term and its own category", () => {
    const term = { term: "Kill", category: "harassment/threatening" } as const;
    expect(matchTerms("kill", policyOf([term])).blocked).toEqual([
      { index: 0, term: "Kill", category: "harassment/threatening", spans: [{ start: 0, end: 4 }] },
    ]);
  });
});

const matches = (text: string, block: Term[], allow: Term[]) =>
  matchTerms(text, policyOf(block, allow, ["buy now"]));

describe("an allow term", () => {
  it("takes its place from block terms and phrases alone", () => {
    const text = "Díck van Dyke, you dick: buy now";
    const { blocked, spamPhrases } = matches(text, ["dick"], ["dick van dyke", "dick: buy"]);
    expect(blocked).toEqual([]);
    expect(spamPhrases).toBe(0);
    expect(matches(text, ["dick"], ["dick van dyke"]).blocked[0]?.spans).toEqual([
      { start: 19, end: 23 },
    ]);
  });

  it("is blank for our own model, where all else stays in place", () => {
    expect(matches("The ＵＳＥＬＥＳＳ idiot!", [], ["useless idiot"]).withoutAllowed).toBe(
      `The ${" ".repeat(13)}!`,
    );
    expect(matches("nothing of it", [], ["useless idiot"]).withoutAllowed).toBeNull();
  });
});

describe("a policy of before terms said how they match", () => {
  it("is compared as it was, and sees line breaks as white space", () => {
    const plain = { ...policyOf(["ばか", "badword"], [], ["buy now"]), matching: "plain" as const };
    const { blocked, spamPhrases } = matchTerms("わたしはかえります。 b4dword buy\rnow", plain);
    expect(blocked.map(({ index }) => index)).toEqual([0]);
    expect(spamPhrases).toBe(1);
  });
});

describe("any text", () => {
  it("has its places within it, between whole characters", () => {
    const letter = fc.constantFrom(
      "a",
      "b",
      " ",
      "-",
      "4",
      "語",
      "é",
      "\u200b",
      "🙂",
      "\ud83d",
      "в",
      "ี",
      "'",
    );
    fc.assert(
      fc.property(
        fc.string({ unit: letter, maxLength: 40 }),
        fc.string({ unit: letter, maxLength: 5 }),
        (text, term) => {
          for (const { spans } of matchTerms(text, policyOf([term, substring(term)])).blocked) {
            for (const { start, end } of spans) {
              expect(start).toBeGreaterThanOrEqual(0);
              expect(end).toBeGreaterThan(start);
              expect(end).toBeLessThanOrEqual(text.length);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

const stepsOf = (text: string, terms: readonly Term[]): number => {
  const steps = { count: 0 };
  matchTerms(text, policyOf(terms), steps);
  return steps.count;
};

describe("the cost", () => {
  const K = 50_000;
  it("of ordinary text does not grow with the number of terms", () => {
    const text = "the quick brown fox jumps over the lazy dog and runs away again ".repeat(700);
    const terms = Array.from({ length: 2000 }, (_, at) => `zz${at.toString(36)} phrase`);
    expect(stepsOf(text, terms)).toBeLessThanOrEqual(stepsOf(text, terms.slice(0, 10)) * 1.1);
    expect(stepsOf(text, terms)).toBeLessThan(6 * text.length);
  });

  it("does not grow by the ways of reading where few words are disguised", () => {
    const plain = "the quick brown foxes jump over twelve lazy dogs and run away again ".repeat(12);
    const text = `${plain}3 qu*ck foxes | a café 🙂 `.repeat(50);
    const beginnings = "the qui bro fox jum ove twe laz dog and run awa aga".split(" ");
    const words = beginnings.flatMap((beginning) =>
      Array.from({ length: 80 }, (_, at) => `${beginning}zy${at.toString(36)}`),
    );
    const terms = [...words, ...words.map(substring)];
    expect(stepsOf(text, terms)).toBeLessThan(
      1.2 * stepsOf(text.replaceAll(/[^a-z ]/g, "x"), terms),
    );
    expect(stepsOf(text, terms)).toBeLessThan(6 * text.length);
  });

  it.each([
    ["almost terms everywhere", "a".repeat(K), (at: number) => `${"a".repeat(at % 199)}b`],
    ["single letters", "a ".repeat(K / 2), (at: number) => `${"a".repeat(at % 199)}b`],
    ["leet", "4".repeat(K), (at: number) => `${"a".repeat(at % 199)}b`],
    ["no spaces", "傻".repeat(K), (at: number) => `傻瓜${at}`],
    ["marks", "a" + "\u0301\u0316".repeat(K / 2), (at: number) => `term ${at}`],
  ])("of hostile text is its length times the longest term: %s", (_, text, term) => {
    const terms = Array.from({ length: 2000 }, (_none, at) => term(at));
    expect(stepsOf(text, terms)).toBeLessThanOrEqual(4 * 201 * text.length);
  });
});
