// How a passage speaks to the model that reads a document, by kind: a reset of what the model was told, a
// word to a machine, a duty of a machine, an order for the time when the text is read, and a label that is
// dictated. Each kind is written once, and is made of the words of each language.
//
// A machine alone is no sign: people write about assistants and models. It must be spoken to, or be given a
// duty that only a reader of this text has.
//
// Every expression is linear in the length of the text: repetition is bounded.

/** The words of a language that speak to a model, as alternatives of a pattern. */
interface AddressWords {
  /** To leave out what was said. */
  readonly ignore: string;
  /** What was said before the text. */
  readonly before: string;
  /** A machine that reads texts. */
  readonly machine: string;
  /** What stands before the name of a reader, with a colon after it: "for", "note to". */
  readonly to: string;
  /** The same of a letter, where a comma will do: "dear". */
  readonly dear: string;
  /** What a model does with a text: "summarise", "classify". */
  readonly task: string;
  /** "this e-mail". */
  readonly thisText: string;
  /** Between a text and its label. */
  readonly as: string;
}

/** And those that give a model a duty. */
interface Words extends AddressWords {
  readonly must: string;
  /** What a model is to do with its answer. */
  readonly act: string;
  /** Before the time when the text is read. */
  readonly when: string;
}

/** Within one sentence. */
const gap = (most: number): string => `[^.!?\\n\u3002\uff01\uff1f]{0,${most}}?`;

const COLON = " ?[:：—–]";
const COMMA = " ?[:,;!：，、—–]";

/** The beginning of a sentence: elsewhere "to AI:" is a headline. */
const BEGIN = "(?:^|[:;(\\[*] ?)[^\\p{L}\\p{N}]{0,10}";

/** How words and their beginnings are found. */
interface Script {
  readonly end: string;
  readonly word: (list: string) => string;
  readonly stem: (list: string) => string;
}

/** @param isSpaced false: it puts no spaces between words */
function scriptOf(isSpaced: boolean): Script {
  const start = isSpaced ? "(?<![\\p{L}\\p{N}])" : "";
  const end = isSpaced ? "(?![\\p{L}\\p{N}])" : "";
  const stem = (list: string) => `${start}(?:${list})`;
  return { end, stem, word: (list) => `${stem(list)}${end}` };
}

const compiled = (sources: readonly string[]): readonly RegExp[] =>
  sources.map((source) => new RegExp(source, "mu"));

/** Resets, words to a machine, and labels. */
function addressesOf(words: AddressWords, { end, word, stem }: Script): readonly RegExp[] {
  const { ignore, before, machine, to, dear, task, thisText, as } = words;
  return compiled([
    `${word(ignore)}${gap(50)}${stem(before)}`,
    `${BEGIN}(?:${to})${end}${gap(12)}${word(machine)}${gap(25)}${COLON}`,
    `${BEGIN}(?:${dear})${end}${gap(12)}${word(machine)}${gap(25)}${COMMA}`,
    `${stem(task)}${gap(20)}${stem(thisText)}${gap(25)}${word(as)}`,
  ]);
}

/** Duties of a machine, and orders for the time when the text is read. */
function dutiesOf(words: Words, { word, stem }: Script): readonly RegExp[] {
  const { machine, must, act, task, thisText, when } = words;
  const read = `(?:${stem(task)}${gap(20)}${stem(thisText)}|${stem(thisText)}${gap(20)}${stem(task)})`;
  return compiled([
    `${word(machine)}${gap(40)}${stem(thisText)}${gap(20)}${word(must)}`,
    `${word(when)}${gap(15)}${read}${gap(50)}${stem(act)}`,
  ]);
}

const ENGLISH_READER =
  "(?:(?:ai|a\\.i\\.|llm|gpt|chatgpt|claude|gemini|copilot)(?:[ -](?:model|assistant|agent|system|bot|reader|tool)s?)?|llms|(?:large )?language models?|chat ?bots?|bots|summari[sz]ers?|(?:automat(?:ed|ic)|machine|robot|digital|virtual|artificial|non-?human|electronic) (?:[a-z]{1,12} )?(?:reader|assistant|agent|system|summari[sz]er|classifier|processor|reviewer|parser|tool|analyst|model|intelligence|software)s?|(?:text|document|mail|e-?mail)[ -](?:classifier|summari[sz]er|parser|processor)s?)";
const ENGLISH_TEXT =
  "(?:this|these|the|my)(?: (?:above|following|present|entire|whole))? (?:document|text|e-?mail|mail|message|article|page|report|file|content|note|letter|paragraph|input)";
/** What only a model does with a text; people process and read texts too. */
const ENGLISH_TASK =
  "(?:summari[sz](?:e|es|ing)|classif(?:y|ies|ying)|categori[sz](?:e|es|ing)|label(?:s|l?ing)?|tag(?:s|ging)?|pars(?:e|es|ing)|condens(?:e|es|ing)|digest(?:s|ing)?|index(?:es|ing)?|extract(?:s|ing)? (?:from|data|facts|points|items))";
const ENGLISH_RESULT =
  "(?:category|classification|label|sentiment|summary|key points?|action items?|verdict)";
const ENGLISH_WHOEVER =
  "(?:whoever|whatever|any(?:one|body)?|every(?:one|body)?|all|each|those)(?: [a-z-]{1,12}){0,2}";

const ENGLISH = [
  ...addressesOf(
    {
      ignore:
        "ignor(?:e|ing)|disregard(?:ing)?|forget|skip|set aside|throw away|erase|pay no attention to",
      before:
        "(?:everything|all|anything|whatever|what)(?: that)?(?: (?:is|was|were|has been|comes?|came|stands?|stood|went|you(?:'ve|'re| have| were| are| know| had)?|been|written|said|read|seen)){0,6}(?: (?:above|before(?: (?:this|now|here))?|so far|earlier|previously|until now|up to (?:here|now|this point)|told|instructed|asked))(?! about (?!th))",
      machine: `(?:the |any |every |an? )?(?:${ENGLISH_READER}|summari[sz]ation)`,
      to: "for|to|note|message|not(?:e|ice)|important|instructions?|hint|info|reminder",
      dear: "dear|attention|attn|hey|hello|hi|greetings",
      task: ENGLISH_TASK,
      thisText: `(?:${ENGLISH_TEXT}|it as|this as)`,
      as: "as|under|with the label",
    },
    scriptOf(true),
  ),
  // A duty of a machine needs this text, or a word that calls: an article says what models should do.
  ...[
    `(?:^|[^\\p{L}])(?:important|not(?:e|ice)|attention|warning|reminder|instructions?|urgent|nb|ps|p\\.s\\.)[^\\p{L}\\n]{1,5}(?:the |any |every |all |an? )?(?:${ENGLISH_READER}|assistant|model|classifier|reader)s? (?:[a-z-]{1,12} )?(?:must|should|shall|ha(?:s|ve) to|needs? to|(?:is|are) to)\\b`,
    `\\b(?:the|any|every|an?|all) (?:${ENGLISH_READER}|assistant|model|classifier|tool|system|software|program|script|bot|reader)s?(?: (?:that|which|who))? (?:reads?|reading|sees?|seeing|gets?|handl(?:es?|ing)|process(?:es|ing)?|analy[sz](?:es?|ing)|review(?:s|ing)?|evaluat(?:es?|ing)|${ENGLISH_TASK}) ${ENGLISH_TEXT}[^.!?\\n]{0,20}\\b(?:must|should|shall|ha(?:s|ve) to|needs? to|(?:is|are) to|will)\\b`,
    `\\b(?:automated|automatic|ai|language) (?:systems?|tools?|readers?|models?|assistants?|processors?|agents?) (?:must|should|shall|have to|has to|need to|are to|is to)\\b[^.!?\\n]{0,60}\\b(?:their|its|the) ${ENGLISH_RESULT}`,
    `\\bif (?:an?|any|the|some) ${ENGLISH_READER} (?:is |are )?(?:reads?|reading|sees?|process(?:es|ing)|${ENGLISH_TASK}) (?:this|${ENGLISH_TEXT})\\b`,
    `\\b(?:${ENGLISH_READER}|assistants?|models|classifiers?) (?:reading|seeing|processing|analy[sz]ing|${ENGLISH_TASK}) this (?:must|should|shall|ha(?:s|ve) to|needs? to|(?:is|are) to|will)\\b`,
    // "Everything above is void".
    `\\b(?:everything|(?:the|all|any) (?:text|instructions?|content)) (?:written |said )?(?:above|before this)(?: line)? (?:is|are|was|were) (?:now )?(?:void|null|invalid|obsolete|outdated|fake|irrelevant|wrong|only a test)\\b`,
    `\\b(?:ignore|disregard|forget) (?:the |all |any )?(?:rest|remainder|other parts) of (?:this|the) (?:document|text|e-?mail|message|article|page|report|file|content)\\b(?! if)`,
    `\\b(?:pretend|act as if|act as though|assume|imagine) (?:that )?(?:the|this) (?:text|document|e-?mail|message|content|rest)(?: (?:above|below|before))? (?:does not|doesn't|did not|didn't|is not|isn't|never|were not)\\b`,
    `\\b(?:respond|answer|reply|proceed|summari[sz]e|classify) as (?:if|though) (?:this|it|${ENGLISH_TEXT}) (?:were|was|is|had|said)\\b`,
    `\\b(?:do not|don't|never) (?:tell|inform|reveal (?:this|it|anything) to) (?:the |any )(?:user|reader|human|operator|person who asks)s?\\b`,
    `\\byour (?:only |new |real |actual |sole )?(?:job|task|role|goal|purpose) (?:is|will be|is now) (?:now |only )?to (?:output|classify|categori[sz]e|label|print|(?:say|reply|respond|answer) (?:only|exactly|with))\\b`,
    `\\bin your (?:overview|abstract|recap|synopsis|digest|tl;?dr)[^.!?\\n]{0,20}\\b(?:put|say|write|include|mention|add|list|name|state|omit)\\b`,
    // "Everyone who summarizes this text must".
    `\\b${ENGLISH_WHOEVER} (?:is |are )?${ENGLISH_TASK} (?:${ENGLISH_TEXT}[^.!?\\n]{0,20}|this )\\b(?:must|should|shall|ha(?:s|ve) to|needs? to|(?:is|are) to|ought to)\\b`,
    `\\b(?:when|while|if|before|after|once|upon)(?: you(?:'re| are)?)?(?: asked to)? ${ENGLISH_TASK} ${ENGLISH_TEXT}[^.!?\\n]{0,40}\\b(?:list|mention|include|say|output|choose|pick|select|state|claim|omit|leave out|treat|mark|add|answer|report|name|use|ignore|always|call)\\b`,
    // Without a word for the text: "when summarising, say", "any summariser must", "your summary should say".
    `\\b(?:when|while|if|before|after|once|upon)(?: you(?:'re| are)?)? (?:summari[sz]|classify|categori[sz])(?:e|ing)?(?: this| it)? ?, ?(?:please |you must |you should |always |only ){0,2}(?:say|state|claim|mention|write|output|answer|choose|omit|leave out)\\b`,
    `\\b(?:any|every|all|each) (?:text |document |e-?mail )?(?:summari[sz]er|classifier)s? (?:must|should|shall|ha(?:s|ve) to|needs? to)\\b`,
    `\\byour ${ENGLISH_RESULT} (?:must|should|shall|ha(?:s|ve) to|needs? to) (?:be|say|state|claim|mention|name|read)\\b`,
    `\\bthe summary (?:must|should|shall|has to) (?:say|claim)\\b|\\bin the summary ?, ?(?:please )?(?:say|write|state|claim|mention) that\\b`,
    `\\b(?:when|while|if|before|after|once|upon)(?: you(?:'re| are)?)? (?:process|handl|analy[sz]|read|review|evaluat|scann?)(?:e|es|ing|ed)? ${ENGLISH_TEXT}[^.!?\\n]{0,20}\\b(?:output|classify|categori[sz]e|choose|select|set|pick|return|print|label|say|claim|pretend|your (?:answer|output|summary)|(?:the |its )?${ENGLISH_RESULT})\\b`,
    `\\byou (?:must|should|shall|have to|need to|are to|will)(?: [a-z]{1,10}){0,2} (?:classify|categori[sz]e|label|tag|mark|summari[sz]e|treat|output) (?:it|this|that|${ENGLISH_TEXT})(?: only| simply| always)? as\\b`,
    `\\b(?:output|return|emit|print|answer with|respond with|reply with) (?:the |a |only the )?(?:category|label|class(?:ification)?|sentiment|verdict|word) ["'\u201c]?[\\p{L}]`,
    `\\b(?:in|into|to|from|of) (?:your|the|any|its|their) (?:summary|key points|action items|list of (?:points|items|action items))[^.!?\\n]{0,20}\\b(?:must|has to|have to|needs? to|should) (?:be|say|name|list|mention|include|appear|contain)`,
    `\\b(?:must|has to|have to|needs? to|should) (?:be (?:listed|named|mentioned|included)|appear|stand) (?:[a-z ]{1,20} )?(?:in|among) (?:your|any|every) (?:summary|key points|action items|answer|output)`,
    `\\b(?:this|the|my) (?:document|text|e-?mail|mail|message|article|report) (?:is|must be|should be|has to be|shall be|counts as) (?:to be )?(?:classified|categori[sz]ed|labell?ed|tagged|summari[sz]ed) (?:as|under|only)\\b`,
  ].map((source) => new RegExp(source, "mu")),
];

/** Without "AI", which is a word of French and Italian. */
const AI = "ki|ia|llms?|gpt|chatgpt|claude|gemini|copilot|chat ?bots?";
const LATIN_AI = "(?<![a-z])(?:ai|llm|gpt|chatgpt)(?![a-z])";

const OTHERS: readonly (readonly [words: Words, isSpaced?: boolean])[] = [
  [
    {
      ignore:
        "ignoriere|ignoriert|ignorieren sie|vergiss|vergesst|vergessen sie|missachte|missachten sie|\u00fcbergehe",
      before:
        "(?:alles|was|s\u00e4mtliche|alle)[^.!?\\n]{0,25}(?:davor|zuvor|bisher|vorher|obige|oben|vorangegangen|vorstehend|gesagt|anweisung)",
      machine: `ai|${AI}|ki-(?:modell|system|assistent)\\w{0,3}|k\u00fcnstliche intelligenz|sprachmodelle?|automatische[nrs]? (?:leser|systeme?|assistent|auswertung)\\w{0,3}|zusammenfasser`,
      to: "f\u00fcr|an|hinweis|nachricht",
      dear: "liebe[rs]?|achtung|hallo",
      must: "muss|m\u00fcssen|soll|sollen|sollte|sollten|hat|haben",
      act: "nenn|erw\u00e4hn|ausgeb|auszugeben|antwort|w\u00e4hl|klassifizier|einordn|auflist|aufz\u00e4hl|ignorier",
      task: "zusammenfass|fass|klassifizier|kategorisier|einordn|einstuf|ordne|stufe|auswert|markier|kennzeichne",
      thisText:
        "(?:diese[nrsm]?|die|den|das|obige[nrs]?) (?:vorliegende[nrs]? |obige[nrs]? )?(?:text|e-?mail|mail|nachricht|dokument|schreiben|bericht|artikel)",
      when: "wenn|beim|bei der|falls|w\u00e4hrend",
      as: "als|unter",
    },
  ],
  [
    {
      ignore: "ignore[sz]?|ignorer|oublie[sz]?|oublier|ne tenez pas compte|n\u00e9glige[sz]?",
      before:
        "(?:tout(?:es)?|ce qui|tous)[^.!?\\n]{0,25}(?:pr\u00e9c\u00e8de|avant|ci-dessus|pr\u00e9c\u00e9dent|ant\u00e9rieur|plus haut|consigne|instruction)",
      machine: `(?:l'|l\u2019|les )?(?:${AI}|assistants? (?:ia|virtuels?|automatiques?)|intelligences? artificielles?|mod\u00e8les? de langage|lecteurs? automatiques?|syst\u00e8mes? automatiques?)`,
      to: "pour|\u00e0|note|message|aux?",
      dear: "ch\u00e8re?s?|chers?|attention|bonjour",
      must: "doit|doivent|devra|devrait|est pri\u00e9e?|sont pri\u00e9s",
      act: "mentionn|cite|indiqu|list|r\u00e9pond|choisi|class|inclu|ajout|ignor|affiche",
      task: "r\u00e9sum|classe[rz]?|classifi|cat\u00e9goris|\u00e9tiquet|marque[rz]?",
      thisText:
        "(?:ce|cet|cette|le|la) (?:texte|e-?mail|mail|courriel|message|document|article|rapport|contenu)",
      when: "quand|lorsque|lors|si|en|avant de|apr\u00e8s avoir",
      as: "comme|dans|en tant que",
    },
  ],
  [
    {
      ignore:
        "ignor(?:a|e|ad|en)|olvid(?:a|e|ad|en)|desestim[ae]|descart[ae]|no tengas en cuenta|haz caso omiso",
      before:
        "(?:todo|todas|lo|cuanto)[^.!?\\n]{0,25}(?:anterior|antes|arriba|precedente|previa|hasta ahora|instruccion)",
      machine: `(?:el |la |los |las )?(?:${AI}|asistentes? (?:de ia|virtual(?:es)?|autom\u00e1ticos?)|inteligencia artificial|modelos? de lenguaje|lector(?:es)? autom\u00e1ticos?|sistemas? autom\u00e1ticos?)`,
      to: "para|a|al|nota|mensaje",
      dear: "atenci\u00f3n|querid[ao]|estimad[ao]|hola",
      must: "debe|deben|deber\u00e1|deber\u00eda|tiene que|tienen que|ha de",
      act: "menci|indic|inclu|respond|elegi|elige|clasific|list|agreg|a\u00f1ad|ignor|escrib",
      task: "resum|clasifi|categori[zc]|etiquet|marc[ae]",
      thisText:
        "(?:este|esta|el|la) (?:texto|correo|e-?mail|mensaje|documento|art\u00edculo|informe|contenido)",
      when: "cuando|al|si|mientras|antes de|despu\u00e9s de",
      as: "como|en la categor\u00eda",
    },
  ],
  [
    {
      ignore: "ignor(?:a|e|em)|esque\u00e7am?|esquece|desconsidere|descarte",
      before:
        "(?:tudo|todas|todos|o que)[^.!?\\n]{0,25}(?:acima|antes|anterior|pr\u00e9vi|at\u00e9 agora|at\u00e9 aqui|instru\u00e7)",
      machine: `(?:o |a |os |as )?(?:${AI}|assistentes? (?:de ia|virtua(?:l|is)|autom\u00e1ticos?)|intelig\u00eancia artificial|modelos? de linguagem|leitor(?:es)? autom\u00e1ticos?|sistemas? autom\u00e1ticos?)`,
      to: "para|\u00e0|ao|aos|nota|mensagem",
      dear: "aten\u00e7\u00e3o|car[ao]|prezad[ao]|ol\u00e1",
      must: "deve|devem|dever\u00e1|deveria|tem que|t\u00eam que|precisa",
      act: "mencion|indi[cq]|inclu|respond|escolh|classific|list|adicion|ignor|escrev",
      task: "resum|classifi|categori[zc]|etiquet|rotul|marqu",
      thisText:
        "(?:este|esta|esse|essa|o|a) (?:texto|e-?mail|mensagem|documento|artigo|relat\u00f3rio|conte\u00fado)",
      when: "quando|ao|se|enquanto|antes de|depois de",
      as: "como|na categoria",
    },
  ],
  [
    {
      ignore: "ignor(?:a|i|ate|are)|dimentic(?:a|hi|ate)|trascur(?:a|i|ate)|tralascia",
      before:
        "(?:tutto|tutte|quanto|quello|ci\u00f2)[^.!?\\n]{0,25}(?:precede|sopra|prima|precedent|finora|detto|istruzion)",
      machine: `(?:l'|l\u2019|il |la |i |gli )?(?:${AI}|assistent[ei] (?:ia|virtual[ei]|automatic[oi])|intelligenza artificiale|modell[oi] linguistic[oi]|lettor[ei] automatic[oi]|sistem[ai] automatic[oi])`,
      to: "per|a|all|al|nota|messaggio",
      dear: "attenzione|car[oaie]|gentile|ciao",
      must: "deve|devono|dovr\u00e0|dovrebbe|\u00e8 tenut[oa]",
      act: "menzion|indic|inclu|rispond|scegli|scelg|classific|elenc|aggiung|ignor|scriv",
      task: "riassum|classific|categorizz|etichett|contrassegn",
      thisText:
        "(?:quest[oa']|il|la|l') ?(?:testo|e-?mail|mail|messaggio|documento|articolo|rapporto|contenuto)",
      when: "quando|nel|se|mentre|prima di|dopo aver",
      as: "come|nella categoria",
    },
  ],
  [
    {
      ignore:
        "\u0438\u0433\u043d\u043e\u0440\u0438\u0440\u0443\u0439(?:\u0442\u0435)?|\u0437\u0430\u0431\u0443\u0434\u044c(?:\u0442\u0435)?|\u043d\u0435 \u0443\u0447\u0438\u0442\u044b\u0432\u0430\u0439(?:\u0442\u0435)?|\u043e\u0442\u0431\u0440\u043e\u0441\u044c(?:\u0442\u0435)?",
      before:
        "(?:\u0432\u0441\u0435|\u0432\u0441\u0451|\u0432\u0441\u0435\u0445|\u0447\u0442\u043e|\u043f\u0440\u0435\u0434\u044b\u0434\u0443\u0449)[^.!?\\n]{0,25}(?:\u0438\u043d\u0441\u0442\u0440\u0443\u043a\u0446|\u0443\u043a\u0430\u0437\u0430\u043d|\u0432\u044b\u0448\u0435|\u0440\u0430\u043d\u0435\u0435|\u0434\u043e \u044d\u0442\u043e\u0433\u043e|\u043f\u0440\u0430\u0432\u0438\u043b)",
      machine: `ai|${AI}|\u0438\u0438|\u043d\u0435\u0439\u0440\u043e\u0441\u0435\u0442[\u044c\u0438\u044f\u0435\u0439]{1,3}|\u044f\u0437\u044b\u043a\u043e\u0432\u0430?[\u044f\u0439\u043e\u0439\u0443\u044b]{1,3} \u043c\u043e\u0434\u0435\u043b[\u044c\u0438\u044f\u0435\u0439]{1,2}|\u0438\u0441\u043a\u0443\u0441\u0441\u0442\u0432\u0435\u043d\u043d[\u0430-\u044f]{2,4} \u0438\u043d\u0442\u0435\u043b\u043b\u0435\u043a\u0442[\u0430-\u044f]{0,2}|\u0447\u0430\u0442-?\u0431\u043e\u0442[\u0430-\u044f]{0,2}|\u0430\u0441\u0441\u0438\u0441\u0442\u0435\u043d\u0442[\u0430-\u044f]{0,2}`,
      to: "\u0434\u043b\u044f|\u0441\u043e\u043e\u0431\u0449\u0435\u043d\u0438\u0435|\u043f\u0440\u0438\u043c\u0435\u0447\u0430\u043d\u0438\u0435",
      dear: "\u0443\u0432\u0430\u0436\u0430\u0435\u043c[\u0430-\u044f]{2,3}|\u0434\u043e\u0440\u043e\u0433[\u0430-\u044f]{2,3}|\u0432\u043d\u0438\u043c\u0430\u043d\u0438\u0435",
      must: "\u0434\u043e\u043b\u0436\u0435\u043d|\u0434\u043e\u043b\u0436\u043d[\u0430\u043e\u044b]|\u043e\u0431\u044f\u0437\u0430\u043d[\u0430\u044b]?|\u0441\u043b\u0435\u0434\u0443\u0435\u0442|\u043d\u0443\u0436\u043d\u043e",
      act: "\u0443\u043f\u043e\u043c\u044f\u043d|\u0443\u043a\u0430\u0437\u0430\u0442\u044c|\u0443\u043a\u0430\u0436|\u043e\u0442\u0432\u0435\u0442|\u0432\u044b\u0431\u0440\u0430\u0442\u044c|\u0432\u044b\u0431\u0435\u0440|\u0432\u043a\u043b\u044e\u0447\u0438|\u043d\u0430\u043f\u0438\u0448|\u043d\u0430\u043f\u0438\u0441\u0430\u0442\u044c|\u0434\u043e\u0431\u0430\u0432|\u043d\u0430\u0437\u043e\u0432|\u043d\u0430\u0437\u0432\u0430\u0442\u044c",
      task: "\u043a\u043b\u0430\u0441\u0441\u0438\u0444\u0438[\u0446\u043a]|\u0440\u0435\u0437\u044e\u043c\u0438\u0440|\u043e\u0431\u043e\u0431\u0449|\u043e\u0442\u043d\u0435\u0441\u0438|\u043f\u043e\u043c\u0435\u0442\u044c|\u043a\u0440\u0430\u0442\u043a\u043e \u0438\u0437\u043b\u0430\u0433|\u043f\u0435\u0440\u0435\u0441\u043a\u0430\u0437",
      thisText:
        "(?:\u044d\u0442\u043e|\u044d\u0442\u043e\u0442|\u044d\u0442\u043e\u0433\u043e|\u0434\u0430\u043d\u043d[\u0430-\u044f]{2,3}) (?:\u043f\u0438\u0441\u044c\u043c|\u0442\u0435\u043a\u0441\u0442|\u0434\u043e\u043a\u0443\u043c\u0435\u043d\u0442|\u0441\u043e\u043e\u0431\u0449\u0435\u043d)",
      when: "\u043f\u0440\u0438|\u043a\u043e\u0433\u0434\u0430|\u0435\u0441\u043b\u0438|\u043f\u0435\u0440\u0435\u0434",
      as: "\u043a\u0430\u043a|\u043a",
    },
  ],
  [
    {
      ignore:
        "\u5ffd\u7565|\u65e0\u89c6|\u7121\u8996|\u5ffd\u8996|\u5fd8\u8bb0|\u5fd8\u6389|\u5fd8\u8a18|\u4e0d\u8981\u7406\u4f1a",
      before:
        "(?:\u4e4b\u524d|\u4ee5\u4e0a|\u524d\u9762|\u4e0a\u9762|\u4e0a\u8ff0|\u5148\u524d|\u6240\u6709|\u539f\u6709)[^\u3002\\n]{0,10}(?:\u6307\u793a|\u6307\u4ee4|\u8bf4\u660e|\u5185\u5bb9|\u63d0\u793a|\u89c4\u5219|\u8981\u6c42|\u547d\u4ee4)",
      machine: `${LATIN_AI}|\u4eba\u5de5\u667a\u80fd|\u4eba\u5de5\u667a\u6167|\u667a\u80fd\u52a9\u624b|\u8bed\u8a00\u6a21\u578b|\u8a9e\u8a00\u6a21\u578b|\u5927\u6a21\u578b|\u673a\u5668\u4eba`,
      to: "\u81f4|\u7ed9",
      dear: "\u4eb2\u7231\u7684|\u5c0a\u656c\u7684|\u6ce8\u610f",
      must: "\u5fc5\u987b|\u5fc5\u9808|\u5e94\u8be5|\u5e94\u5f53|\u61c9\u8a72|\u9700\u8981|\u8bf7|\u8acb",
      act: "\u63d0\u5230|\u63d0\u53ca|\u56de\u7b54|\u8f93\u51fa|\u8f38\u51fa|\u9009\u62e9|\u9078\u64c7|\u5217\u51fa|\u5199\u660e|\u5206\u7c7b|\u5f52\u7c7b|\u5305\u542b|\u6dfb\u52a0|\u56de\u590d",
      task: "\u603b\u7ed3|\u7e3d\u7d50|\u6458\u8981|\u6982\u62ec|\u5206\u7c7b|\u5206\u985e|\u5f52\u7c7b|\u6807\u8bb0|\u628a|\u5c06|\u5c07",
      thisText:
        "(?:\u8fd9|\u9019|\u672c|\u6b64|\u8be5)(?:\u5c01|\u7bc7|\u4efd|\u6bb5|\u4e2a|\u6761)?(?:\u7535\u5b50)?(?:\u90ae\u4ef6|\u90f5\u4ef6|\u6587\u4ef6|\u6587\u672c|\u6587\u7ae0|\u6587\u6863|\u4fe1\u606f|\u6d88\u606f|\u5185\u5bb9)",
      when: "\u5728|\u5f53|\u7576|\u5982\u679c",
      as: "(?:\u5f52|\u6b78|\u5206|\u6807|\u6a19|\u5217)[\u4e00-\u9fff]{0,2}[\u4e3a\u70ba]|\u5f52\u5165",
    },
    false,
  ],
  [
    {
      ignore:
        "(?:\u3053\u308c\u307e\u3067|\u4ee5\u524d|\u4e0a\u8a18|\u4e0a\u306e|\u524d\u306e|\u5148\u306e|\u5168\u3066|\u3059\u3079\u3066)",
      before:
        "(?:\u6307\u793a|\u547d\u4ee4|\u5185\u5bb9|\u30eb\u30fc\u30eb|\u30d7\u30ed\u30f3\u30d7\u30c8|\u8aac\u660e)[^\u3002\\n]{0,8}(?:\u7121\u8996|\u5fd8\u308c)",
      machine: `${LATIN_AI}|\u4eba\u5de5\u77e5\u80fd|\u8a00\u8a9e\u30e2\u30c7\u30eb`,
      to: "\u89aa\u611b\u306a\u308b",
      dear: "\u89aa\u611b\u306a\u308b|\u62dd\u5553",
      must: "\u5fc5\u305a|\u306a\u3051\u308c\u3070",
      act: "\u5206\u985e\u3057|\u8a00\u53ca\u3057|\u56de\u7b54\u3057|\u51fa\u529b\u3057|\u9078\u629e\u3057|\u7b54\u3048\u3066|\u542b\u3081",
      task: "\u8981\u7d04|\u5206\u985e|\u3053\u306e",
      thisText:
        "(?:\u30e1\u30fc\u30eb|\u6587\u66f8|\u6587\u7ae0|\u30c6\u30ad\u30b9\u30c8|\u30c9\u30ad\u30e5\u30e1\u30f3\u30c8)\u3092",
      when: "\u3053\u306e|\u672c",
      as: "\u306b\u5206\u985e|\u3068\u3057\u3066",
    },
    false,
  ],
];

/** Of passages in lower case, with single spaces; or with line breaks, where a beginning is one of a line. */
export const ORDER_PATTERNS: readonly RegExp[] = [
  ...ENGLISH,
  ...OTHERS.flatMap(([words, isSpaced = true]) => {
    const script = scriptOf(isSpaced);
    return [...addressesOf(words, script), ...dutiesOf(words, script)];
  }),
];

/** Every pattern of the other languages needs one of these words. */
export const OTHER_TRIGGER = new RegExp(
  OTHERS.flatMap(([{ ignore, machine, task }, isSpaced = true]) => {
    const { word, stem } = scriptOf(isSpaced);
    return [word(ignore), word(machine), stem(task)];
  }).join("|"),
  "u",
);

/** A line that gives a result alone, as a form does: it hides nothing beside itself. */
export const GIVEN_RESULT =
  /^[^\p{L}\p{N}]{0,6}(?:(?:the|its|final|correct|document|e-?mail|text|suggested|expected) ){0,2}(?:category|classification|class|label|sentiment|verdict|kategorie|cat\u00e9gorie|categor\u00eda|categoria|\u043a\u0430\u0442\u0435\u0433\u043e\u0440\u0438\u044f|\u7c7b\u522b|\u5206\u7c7b|\u5206\u985e)[ "'*_]{0,4}(?::|\uff1a|=|->|=>|\u2192|\u2014|\u2013| - | is )[ "'*_]{0,4}[\p{L}][\p{L} _-]{0,30}[^\p{L}\p{N}]{0,6}$/u;

/** Every English pattern needs one of these, and so does every other one where the passage is ASCII. */
export const ORDER_TRIGGER =
  /ignor|disregard|forget|skip|set aside|throw away|erase|pay no attention|\b(?:ai|ki|ia|llms?|gpt|bots?)\b|a\.i\.|gpt|claude|gemini|copilot|language model|chat ?bot|automat|machine|robot|digital|virtual|artificial|non-?human|electronic|assistant|classifier|parser|processor|summar|classif|categor|clasif|label|\btag|\bpars|condens|digest|\bindex|extract|output|verdict|sentiment|\b(?:process|handl|analy|read|review|evaluat|scan)\w{0,4} (?:this|the|my) |zusammenfass|klassif|kategor|fass|ordne|stufe|vergiss|vergess|missacht|sprachmodell|kennzeichne|resum|classe|oubli|tenez pas|etiquet|marqu|marc|olvid|desestim|descart|tengas en|caso omiso|esque|desconsider|rotul|riassum|dimentic|trascur|tralasci|contrassegn|everything|pretend|imagine|\bas (?:if|though)\b|do not|don.t|never|your |\bmodels\b|\bnote|important|notice|attention|warning|reminder|instruction|urgent/;
