import { describe, expect, it } from "vitest";
import { coverageOf, detectLanguage } from "../../src/moderation/language.ts";
import { plainText } from "../../src/domain/text/normalise.ts";

/** 100,000 characters of it. */
const of = (part: string) => part.repeat(Math.ceil(100_000 / part.length)).slice(0, 100_000);

describe("the language of a text", () => {
  it.each([
    "Hello!",
    "Hi",
    "ok thanks",
    "lol",
    "so cute",
    "stupid",
    "You idiot",
    "Happy birthday!",
    "I hate mondays",
    "have a nice day",
    "What time is it?",
    "Is this still available?",
    "Buy now, you useless idiot - limited offer!",
    "The package arrived late and the box was damaged.",
    "see https://example.com/voir/la/page thanks",
  ])("finds %j English", (text) => {
    expect(detectLanguage(text)).toBe("en");
  });

  it.each([
    ["de", "Guten Morgen, wie geht es dir heute?"],
    ["de", "Ich habe gestern einen neuen Hund gekauft"],
    ["fr", "Je ne sais pas, c'est nul"],
    ["es", "¿Dónde está la estación de trenes?"],
    ["it", "Buon compleanno a tutti quanti"],
    ["pt", "Não sei o que dizer, muito obrigado"],
    ["nl", "We gaan morgen naar het strand toe"],
    ["pl", "Dzień dobry, jak się masz?"],
    ["tr", "Yarın sahile gidiyoruz arkadaşlarla birlikte"],
    ["vi", "Chào buổi sáng, bạn khỏe không?"],
    ["ru", "Доброе утро, как у тебя дела сегодня?"],
    ["zh", "早上好，你今天好吗？我们去公园吧"],
    ["ja", "おはようございます、お元気ですか？"],
    ["ko", "안녕하세요, 잘 지내세요?"],
    ["ar", "صباح الخير، كيف حالك اليوم؟"],
    ["he", "בוקר טוב, מה שלומך היום?"],
    ["el", "Καλημέρα, τι κάνεις σήμερα;"],
    ["th", "สวัสดีตอนเช้า วันนี้เป็นอย่างไรบ้าง"],
  ])("finds %s in %j", (language, text) => {
    expect(detectLanguage(text)).toBe(language);
  });

  it.each([
    ["Afrikaans", "Jy is 'n idioot"],
    ["Malay", "Terima kasih banyak"],
    ["Swahili", "Habari ya asubuhi, rafiki yangu"],
    ["Hindi in Latin letters", "tum bewakoof ho"],
    ["Russian in Latin letters", "kak dela moy drug"],
    ["Chinese in Latin letters", "ni hao ma"],
    ["Welsh", "Bore da, sut wyt ti?"],
    ["nothing", "asdf qwer zxcv"],
  ])("takes %s for anything but English", (_, text) => {
    expect(detectLanguage(text)).not.toBe("en");
  });

  it.each([
    "",
    " ",
    ":-)",
    "123 456",
    "😀😀😀",
    "!!!",
    "https://example.com/hello-world",
    "bob@example.com",
  ])("finds none in %j", (text) => {
    expect(detectLanguage(text)).toBeNull();
  });
});

describe("a text that names no language for certain", () => {
  it.each([
    "Gefeliciteerd met je verjaardag", // four words
    "Du Idiot",
    "Je vais te tuer",
    "Привет, друг", // Russian, Bulgarian, …
    "Oslo",
    "John Smith",
    "rain in Oslo",
    "Maria Garcia, Juan Perez, Ana Silva, Pedro Lopez", // names
    "Oslo, Bergen, Trondheim, Stavanger, Tromsø, Bodø",
    "const x = foo(bar);",
    "BMW X5 xDrive40i M Sport 2021",
  ])("is undetermined: %j", (text) => {
    expect(detectLanguage(text)).toBeNull();
  });
});

const covered = (languages: readonly string[] | null, text: string) =>
  coverageOf(languages, { language: detectLanguage(text), plain: plainText(text) });

describe("what a check can make of a text", () => {
  const english = ["en"];
  const european = ["en", "de", "fr"];

  it.each([
    { languages: english, text: "What a lovely day it is today", is: "covered" },
    { languages: english, text: "Ich habe gestern einen neuen Hund gekauft", is: "uncovered" },
    { languages: european, text: "Ich habe gestern einen neuen Hund gekauft", is: "covered" },
    { languages: european, text: "Du Idiot", is: "undetermined" },
    // A script that none of them is written in is certain, however short.
    { languages: european, text: "Привет", is: "uncovered" },
    { languages: [...european, "bg"], text: "Привет", is: "undetermined" },
    { languages: european, text: "早上好", is: "uncovered" },
    { languages: english, text: "hello Привет друзья", is: "undetermined" },
    { languages: english, text: "42", is: "undetermined" },
    { languages: english, text: "👍", is: "undetermined" },
    { languages: [], text: "42", is: "uncovered" },
    { languages: null, text: "Привет", is: "covered" },
  ])("of $text, knowing $languages: $is", ({ languages, text, is }) => {
    expect(covered(languages, text)).toBe(is);
  });
});

describe("mixed text", () => {
  it.each([
    "hello Привет друзья",
    "Привет hello",
    "nice 今天天气很好我们去公园",
    "thank you شكرا جزيلا",
  ])("leaves %j undetermined", (text) => {
    expect(detectLanguage(text)).toBeNull();
  });

  it.each(["I met Путин today at the big conference about energy", "Tokyo 東京 is great"])(
    "allows a name in another script: %j",
    (text) => {
      expect(detectLanguage(text)).toBe("en");
    },
  );

  const english = "This is a very ordinary English sentence about nothing in particular. ";
  const german = "Das ist ein ganz gewöhnlicher deutscher Satz über nichts Besonderes. ";

  it("reads all of a long text, not its beginning", () => {
    expect(detectLanguage(english.repeat(1000))).toBe("en");
    expect(detectLanguage(english.repeat(10) + german.repeat(10))).toBeNull();
    expect(detectLanguage(english.repeat(10) + german.repeat(1000))).toBe("de");
    expect(detectLanguage(english.repeat(100) + "Привет, друзья мои. ".repeat(100))).toBeNull();
  });

  it("is not English for a few English words around much else", () => {
    expect(detectLanguage(`${"hello ".repeat(50)}${german.repeat(50)}`)).not.toBe("en");
  });
});

describe("disguised text", () => {
  it.each([
    "yоu аrе аn іdіоt", // Cyrillic lookalikes
    "ｙｏｕ ｕｓｅｌｅｓｓ ｉｄｉｏｔ",
    "𝓎𝑜𝓊 𝒾𝒹𝒾𝑜𝓉",
    "you use\u200bless id\u200biot",
    "y0u 1d10t",
    "i d i o t",
    "y o u  i d i o t",
  ])("is English when %j is read as it is meant", (text) => {
    expect(detectLanguage(text)).toBe("en");
  });

  it("does not turn honest Cyrillic or Greek into Latin", () => {
    expect(detectLanguage("хорошо, спасибо тебе")).not.toBe("en");
    expect(detectLanguage("ευχαριστώ πολύ")).toBe("el");
  });
});

describe("100 KB of hostile text", () => {
  it.each(["a", "@", "!", "\u200b", "\ud800", "1!|+", "'", "😀"])(
    "finds no language in %j",
    (part) => {
      expect(detectLanguage(of(part))).toBeNull();
    },
  );

  it.each(["a ", "a\u0301", "aа", "ﷺ", "a.b@c ", "1d10t "])("never finds English in %j", (part) => {
    expect(detectLanguage(of(part))).not.toBe("en");
  });

  it("that is in too many pieces without its disguise is none that is known", () => {
    const german = "Das ist ein ganz gewöhnlicher Satz über das Wetter von morgen. ";
    expect(detectLanguage(german.repeat(1500))).toBe("de");
    expect(detectLanguage(german.repeat(3000))).toBeNull();
  });
});
