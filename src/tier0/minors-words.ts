// The words of the composite in `minors.ts`: words for a young person, sexual words, and words of a request.

const words = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));

export const CHILD =
  words(`child children childs kid kids kiddie kiddies kiddy minor minors toddler toddlers
  infant infants preteen preteens tween tweens underage underaged schoolgirl schoolgirls schoolboy
  schoolboys teen teens teenage teenager teenagers jailbait loli lolis lolita lolitas lolicon shota
  shotacon prepubescent prepubescents youngster youngsters juvenile juveniles`);

export const YOUNG = words("little lil young small younger tiny wee underage pre school");
export const GIRL_OR_BOY = words(
  "girl girls boy boys one ones sis sister brother bro lad lads teen teens",
);
export const FAMILY =
  words(`daughter daughters son sons niece nieces nephew nephews stepdaughter stepson
  granddaughter granddaughters grandson grandsons grandchild grandchildren goddaughter godson`);
export const SCHOOL = words("elementary middle primary grade nursery");
export const AT_SCHOOL = words("school schooler schoolers");
export const GRADER = words(
  "grader graders kindergarten kindergartener kindergarteners kindergartner",
);

export const NUMBERS =
  `one two three four five six seven eight nine ten eleven twelve thirteen fourteen
  fifteen sixteen seventeen`.split(/\s+/);
export const YEARS = words("year years yr yrs y yo yos");
export const BEFORE_AGE = words(
  "'m 's 're i'm im am she's shes he's hes ur you're youre r is are was turned aged age",
);
export const LIMITS = words("under below than underneath");
/** After one of these, a number is no age. */
export const UNITS =
  words(`minute minutes min mins hour hours day days week weeks month months mile miles km
  pm am feet foot inch inches pound pounds lbs kg cm dollars euros times percent out of / x %`);

/** Words that are sexual by themselves. */
export const SEXUAL =
  words(`porn porno porns pornography pornographic sex sexual sexually nude nudes nudity
  naked nakid xxx erotic erotica explicit lewd lewds topless bottomless unclothed undressed undressing
  undress stripping striptease masturbate masturbating masturbation genitals genitalia privates pussy
  pussies vagina penis dick dicks cock cocks boobs boobies tits titties breasts nipples nsfw sexy
  hentai intimate rape raped raping molest molested molesting fuck fucking fucked blowjob`);
/** After "sex" and "sexual": education, statistics or crime. */
export const NOT_SEXUAL = words(`education ed educator health offender offenders trafficking ratio
  orientation identity discrimination`);
export const TOUCHED = words("touched touching fondled fondling groped spread spreading posing");
export const SUFFERED = words(
  "abuse abused assault exploitation harassment violence abuser abusers",
);
export const WORN =
  words(`underwear undies panties knickers bra lingerie thong diaper swimsuit swimsuits bikini
  bikinis speedo bath bathtub tub shower bathroom`);
export const BARE = words("clothes clothing clothed nothing anything dressed shirt pants top");
export const WITHOUT = words("without no off removed remove with wearing less");
export const PARTS = words("body bodies butt butts bum ass chest bottom crotch");
export const POSSESSIVES = words("your ur her his their its yr");

export const PICTURE =
  words(`pic pics pix picture pictures photo photos photograph photographs photography image
  images imgs img video videos vid vids film films movie movies clip clips footage content material
  materials selfie selfies snap snaps webcam cam cams livestream gif gifs album albums collection
  collections folder folders nude nudes lewd lewds porn porno pornography hentai art drawing drawings render
  renders story stories fiction fanfic fanfiction roleplay`);
export const WANTED =
  words(`send sending sent share sharing trade trading trades swap swapping sell selling
  sells buy buying want wants wanna wanting need needs needed looking look seeking searching search
  show showing give giving gimme post posts posting upload uploading dm pm get getting download downloading
  find finding see seeing watch watching provide generate generating make making create creating draw
  drawing write record recording take taking pass drop link links anyone anybody someone who where any
  please pls plz collect collecting request requesting offer offering pay paying exchange exchanging
  have got love like enjoy prefer hook into interested`);
export const SEEN =
  words(`see seeing watch watching show showing film filming record recording photograph
  draw drawing generate create render`);
/** Words of people who trade in pictures. */
export const DEALT = words(
  "trade trading trades swap swapping dm pm pay paying collect collecting",
);
export const SOMEBODY = words("anyone anybody someone somebody who");
export const HAVING = words("has have got");
/** People to whom a child should not talk about it. */
export const PARENTS = words(
  "mom mum mommy mummy mother mama dad daddy father papa parents parent teacher",
);
export const SECRECY = words("tell told telling know knows secret find");
export const CODE = words("cp csam pthc c.p csem");
export const TRADED =
  words(`trade trading sell selling buy buying link links send share sharing swap vids pics
  videos pack packs stash collection mega telegram dm`);
