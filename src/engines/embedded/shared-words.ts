// Words that show neither the language nor the intent of a text: names, places, words that are alike
// everywhere, and the words of programs. A reader who knows only English understands them.

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

/** In lower case, like all words here. */
export const GIVEN_NAMES: ReadonlySet<string> = set(
  `aaron abdul abigail adam adrian ahmed aisha alan albert alex alexander alexandra ali alice
    amanda amy ana andrea andrew andy angela anna anne anthony antonio arthur ashley barbara ben
    benjamin bob brian bruno carl carla carlos carmen caroline catherine charles charlie
    charlotte chris christian christina christine christopher clara claire daniel daniela david
    deborah dennis diana diego dmitri dmitry donald dorothy edward elena elisabeth elizabeth
    emil emily emma eric erik eva fatima felix fernando francesco francisco frank gabriel george
    giovanni giulia greg hannah hans harry hassan heather helen henry hugo ibrahim igor ingrid
    isabel isabella ivan jack jacob jaime james jamie jan jane janet jason javier jean jeff
    jennifer jenny jessica jim jimmy joan joe johan johannes john jonas jonathan jorge jose
    joseph josh joshua juan judy julia julian julie karen karl kate katherine kathy keith kelly
    ken kevin khalid kim klaus lars laura lea lena leo leon linda lisa liu liz louis lucas lucia
    lucy luis luka lukas luke maria mariam marie mario mark markus marta martin martina mary
    mateo matt matthew maya megan mei mia michael michel michelle miguel mike mohamed mohammed
    monica muhammad nadia nancy natalia nathan nicholas nick nicole nina nora oliver olivia omar
    oscar pablo pamela patricia patrick paul paula pedro peter petra philip pierre priya rachel
    raj raul rebecca richard rita robert roberto roger roman ruth ryan samantha samuel sandra
    sara sarah scott sean sebastian sergei sharon simon sofia sophia sophie stefan stephanie
    stephen steve steven sue susan svetlana tanja tara teresa thomas tim tina tom tomas tony
    valentina vera victor victoria vincent wei wilhelm william xavier yan yasmin yuki yusuf
    zhang zoe lionel cristiano neymar kylian zlatan novak rafael serena venus usain björk jános
    eszter zoltán istván katalin lászló aleksander agnieszka krzysztof małgorzata piotr tomasz
    ewa björn sven astrid freya magnus anders mikkel søren niels henrik sanna matti juha aino
    ville ahmet mehmet ayşe emre zeynep mustafa hüseyin elif giorgos dimitris nikos eleni kostas
    ioana andrei mihai bogdan ivana marko nikola milan vesna dragan hiroshi kenji sakura haruto
    takashi akira naoko minh linh huong thanh tuan siti budi dewi putri agus rahul arjun deepak
    sanjay anjali pooja neha amit sunita vikram kwame kofi ama chidi ngozi amara tunde thabo
    sipho lerato aidan caitlin fiona ian liam niall owen rhys siobhan kyle brandon tyler dylan
    logan ethan noah jayden madison chloe hailey brittany amber crystal tiffany shannon gary
    larry jerry terry harold ralph eugene howard wayne doris betty helena irene rosa beatriz
    joão luiz thiago gustavo camila valeria ximena santiago alejandro guadalupe xochitl pilar
    dolores mercedes`,
);

export const SHARED_WORDS: ReadonlySet<string> = new Set([
  ...GIVEN_NAMES,
  // Family names.
  ...set(`adams allen alvarez anderson andersson bailey baker bauer becker bell bennett bianchi brooks
    campbell carter castro chavez chen clark collins cooper cox cruz davies davis diaz dubois
    duarte edwards evans fernandez ferrari ferreira fischer fisher flores foster garcia gomez
    gonzalez gupta gutierrez hall hansen harris hernandez hill hoffmann howard hughes ivanov
    jackson jansen jenkins jensen johansson johnson jones kaur keller khan king klein kowalski
    kumar larsen lee lewis li lopez martinez mendoza meyer miller mitchell moore morales moreau
    morgan morris mueller muller müller murphy myers nakamura nelson nguyen nielsen nowak olsen
    ortiz parker patel pereira perez perry petersen peterson petrov phillips popescu powell
    price ramirez reed reyes reynolds rivera roberts robinson rodriguez rogers romano rossi
    russell sanchez sanders sato schmidt schneider schulz schwarz sharma silva singh smith sousa
    stewart sullivan suzuki tanaka taylor thompson torres turner walker wagner ward watanabe
    watson weber williams wilson wong wood wright yamamoto yang young potter granger messi
    ronaldo salah bean kovács nagy szabó novák svoboda dvořák horváth popov sokolov volkov
    kuznetsov smirnov yılmaz kaya demir papadopoulos ionescu popa jovanović petrović kobayashi
    ito kato yoshida park choi jung lim tran pham hoang phan vu chan cheung lau yip hassan
    hussein mahmoud rahman chowdhury iyer nair reddy mehta joshi okafor mensah osei diallo
    traoré ndiaye nkosi mbeki obrien mccarthy macdonald mckenzie fraser graham hamilton kennedy
    lincoln obama biden trump clinton bush merkel macron picasso mozart beethoven einstein
    newton darwin tolkien shakespeare dickens vasquez vargas rojas castillo jimenez moreno ruiz
    alonso navarro dominguez esposito colombo ricci marino greco conti costa fontana`),
  // Places.
  ...set(`sri lanka ivory coast congo benin togo mali niger chad gabon guinea gambia sierra leone
    burkina faso eritrea djibouti comoros mauritius seychelles malawi lesotho eswatini botswana
    burundi tonga vanuatu kiribati tuvalu micronesia bahrain kuwait qatar oman brunei bhutan
    maldives armenia azerbaijan kazakhstan uzbekistan turkmenistan tajikistan kyrgyzstan
    dominica grenada barbados trinidad tobago suriname guyana belize salvador nicaragua aberdeen
    abuja accra adelaide africa albania alberta algeria algiers alps amsterdam andorra angola
    ankara antwerp arabia argentina arizona asia athens atlanta atlantic auckland austin
    australia austria baghdad bali baltimore bangkok bangladesh barcelona basel bavaria beijing
    beirut belfast belgium belgrade bergen berlin bern bilbao birmingham bogota bolivia bologna
    bordeaux boston brasilia bratislava brazil brisbane bristol britain brooklyn brussels
    bucharest budapest bulgaria cairo calgary california cambodia cambridge canada canberra
    caracas cardiff casablanca chicago chile china cologne colombia colorado copenhagen croatia
    cuba cyprus dakar dallas damascus delhi denmark denver detroit dhaka dresden dubai dublin
    durban düsseldorf edinburgh egypt england estonia ethiopia europe everest finland florence
    florida france frankfurt galway geneva genoa georgia germany ghana gibraltar glasgow greece
    greenland guatemala hague haiti hamburg hanoi hanover harlem havana hawaii helsinki
    hollywood honduras houston hungary iceland india indonesia iran iraq ireland israel istanbul
    italy jakarta jamaica japan jerusalem johannesburg jordan kabul karachi kenya kiev korea
    krakow kyiv kyoto köln lagos laos latvia lebanon leeds leipzig liberia libya lima lisbon
    lithuania liverpool ljubljana london los luanda lucerne luxembourg lyon madagascar madrid
    malaysia malta manchester manhattan manila marrakech marseille massachusetts mecca melbourne
    mexico miami michigan milan minnesota minsk moldova monaco mongolia montana montenegro
    montreal morocco moscow mozambique mumbai munich münchen nairobi namibia naples nepal
    netherlands nevada nigeria norway nottingham ohio ontario oregon orlando osaka oslo ottawa
    oxford pacific pakistan palermo panama paraguay paris perth peru philadelphia philippines
    phoenix poland porto portugal prague pretoria quebec queens quito reykjavik rhine riga rio
    janeiro downing paulo dakota carolina jersey island islands lake mount riyadh romania rome
    rotterdam russia rwanda salzburg samoa san santiago sarajevo scotland seattle senegal seoul
    serbia seville shanghai sheffield siberia sicily singapore skopje slovakia slovenia sofia
    somalia spain stavanger stockholm stuttgart sudan sweden switzerland sydney syria taipei
    taiwan tallinn tanzania tehran tennessee texas thailand thames tibet tokyo toronto toulouse
    trondheim tromsø tunis tunisia turin turkey uganda ukraine uruguay utah utrecht valencia
    vancouver vatican venezuela venice vermont verona vienna vietnam vilnius virginia wales
    warsaw washington wellington wien wisconsin wyoming yemen york zagreb zambia zimbabwe zurich
    zürich ave avenue blvd street lane north south east west`),
  // Small words within names of people and places, and titles.
  ...set(`al da de del della di dos dr el la las le los mr mrs ms prof saint santa sir st são von`),
  // Words alike in many languages, and brands and products.
  ...set(`air adidas airbnb amazon android apple audi bmw facebook ferrari ford github gmail google
    gucci honda ikea instagram iphone kindle lego linkedin linux macbook mercedes microsoft
    netflix nike nintendo nokia paypal playstation porsche ps reddit samsung skype snapchat sony
    spotify starbucks telegram tesla tiktok toyota twitch twitter uber visa volvo whatsapp
    wikipedia windows xbox youtube zoom album bar cafe chat cinema club coca cola email fax film
    hotel internet jazz karaoke laptop menu metro mp3 museum online opera paella park pasta
    photo pizza playlist radio ramen restaurant risotto salsa selfie smartphone spa spaghetti
    sushi taco tango taxi tennis theater tofu tv usb vodka waltz whisky wifi wlan yoga zoo ha
    haha hahaha hehe hi hm hmm hmmm oh ok okay uh wow yay am cm db dpi eu etc fps gb gbp ghz hz
    km kg kb lb lbs mb mg mhz ml mm mph nr no oz pcs pm qty sku tb uk usa utc usd vs xl xs xxl
    ca id iso isbn ean gmt est pst cet eur ultra pro max mini plus lite turbo galaxy pixel oled
    led lcd gps nfc bluetooth wi fi sim nasa fifa uefa nba nfl ufo vip dj fc serial sn ref asin
    hashtag meme emoji gif vlog blog podcast`),
  // English, and words of other languages too: "come mierda", "sale chien", "ten debil".
  ...set(`ty all also arm art bald barn beer begin bra cane care coma come dame den dig don due even
    extra fan fast fine fort gift god gym had hand has hay hell help kind kiss large late line
    list lit live made mama mat mine most more not note once orange over page pan papa par pet
    pie plate plus port pot rate real red ring rock sale salt sand sense service sin sing six
    son stand table tan ten ticket under van vine want warm water week wind winter`),
  // Of programs, formats and addresses.
  ...set(`ping docker ubuntu age add api app args argv array async await bash bin bool boolean break
    buf byte case cat catch cd char class code color com commit config console const constructor
    container content continue count css csv curl data date debug def default define delete div
    dll docs dom double echo elif else elseif end enum env err error errors eval exe export
    extends false fetch fi file filter final float fn foo bar baz font for foreach format from
    func function get git go grep group gt head header height href html http https if img impl
    import include index init input insert instanceof int integer interface io item items java
    javascript join js json key keys lambda len length let li limit list localhost log long lt
    main map math max md merge message method min mkdir mod module mut name namespace nan nbsp
    new nil node none not npm npx null num number obj object of on op org os out output param
    params parse pass patch path pdf php pip png pop post pre print printf println private
    product products props protected proto ptr public pull push put px py python query raise
    random range reduce regex replace require response res req resolve reject result return root
    row rows run rust schema script select self server set shift size sizeof sort span split sql
    src ssh static status std stdin stdout str string struct style sudo sum super svg switch
    sync system table tag tags td temp test text th then this throw title tmp todo token top tr
    trim true try ts tsx txt type typeof ul undefined union uint unsigned update install
    uninstall upgrade build deploy start vitest jest react vue deno uri url use user username
    users utf uuid val value values var vec vector version view void while width with xml yaml
    yield yml zip price total stock sensor unit units col id ids lat lng lon timestamp created
    enabled sqrt sin cos tan abs floor ceil round exp pow fprintf malloc free cin cout endl
    iostream origin master clone checkout branch stash rebase diff blame cherry apt brew venv
    kubectl terraform nginx redis postgres sqlite mongo webpack vite eslint prettier tsc
    tsconfig dockerfile readme changelog`),
]);

let cities: ReadonlySet<string> | null = null;

/** Whether a time zone is named after this city: the runtime has the list. The first call takes 2 ms. */
export function isCity(word: string): boolean {
  cities ??= new Set(
    Intl.supportedValuesOf("timeZone").flatMap(
      (zone) => zone.split("/").at(-1)?.toLowerCase().split("_") ?? [],
    ),
  );
  return word.length > 2 && cities.has(word);
}

/** Words of small talk and everyday life, beside the words by which English is recognised. */
export const EVERYDAY_WORDS: ReadonlySet<string> = set(
  `city afternoon anytime apparently arrived asap available awake bath beach bed beer behind
    bike black blue bread breakfast bring brother brown brb btw bus bye car careful check cheers
    chicken chips church closed clothes cloud cloudy coffee cold colour computer congrats cook
    cookies cool cousin cup dad dentist dinner doctor door dress drink drive early easy egg eggs
    eight evening everybody excited exactly eyes face fair fast father fine finished fish five
    floor flowers four free french friday fruit funny fyi garden garage gift goodbye goodnight
    grandma grandpa green grey guess gym hair half hands heading heard heavy holiday homework
    honey hot hotel hundred hungry husband ice idea imo jk job juice july june jump kitchen kids
    late laugh learn left lemon lesson letter lift light listen live loud lunch maths meal meat
    meeting met milk million mother mum music nap nearby news nine nope nothing number outside
    page paint paper parents party phew picture pics plane plans plenty purple question quick
    quiet rain raining rainy red rice ride ring river road room running salad sandwich saturday
    school sea season seat seriously seven shirt shoes shop shopping shower silver sing sister
    six sky sleep sleepy slow snow snowing soup spring stay steak stop store storm summer sunny
    swim table tea teacher ten test thirsty thousand three thursday thx ticket tired toast train
    tree trip true tuesday turn twelve twenty two ttyl tyvm ugh umbrella understood uncle unless
    usually veggies vegan walk warm wash water weather wednesday weird wet whatever white wife
    wind window windy winter wonder writing yellow yesterday yo yup zero april august december
    february january march november october september ago apart ahead along already almost
    alright anyway anybody across against bit cannot else enough everywhere few hardly however
    inside instead least less lots maybe mostly myself near neither none nor onto perhaps quite
    rather round several side since somehow sometimes somewhere still such sure themselves
    therefore together toward towards twice under unlike upon whenever whether whole within
    without appointment battery bottle box bridge broken bucket button cable camera card chair
    charger cheap clean clock corner count cream customer dark date deliver delivered delivery
    desk discount dozen dry empty engine exam exit extra farm fixed flat flight forward front
    fuel full glass grade grass ground hand hat heat heater hello hire hole hook inch invoice
    item items key keyboard kilo kit knock lamp large leather leave line local lock machine mail
    manager map medium meter mobile model monitor mouse mug neck network noon note office oil
    open orange order orders oven owner pack package pair pan part parcel parking passport
    password pay pen pencil pet pick pink pipe plate plug pocket pool port pot pound printer
    product program project pump queue rate receipt refund remote rent repair reply report
    return roof rope sale salt sample sand save science screen seed sell send sent service shape
    sheet shelf ship shipped shipping sign sink size skin small smoke soap sock socks soft song
    sound space spare speed spoon spot stairs stamp stand start station steel step stick stone
    storage stove straight strap string student suit sugar supply tank tap tape task taste tax
    tip tool tools tooth top touch towel tower toy track traffic truck tube type unit update
    upload valve van view visit wall watch wheel wide wire wood wool workshop wrap yard zip pls
    plz wanna gonna gotta kinda dunno lemme bday xmas merry welcome bless howdy hiya greetings
    fingers crossed joke sunshine sunset sunrise nah gg wp ez np tysm rofl lmao idk tbh nvm smh
    fomo afk ikr fr wbu hbu wassup sup dude bro mate folks guys everyone lake mountain forest
    valley harbor harbour airport library university college hospital pharmacy bakery market
    square castle palace museum theatre stadium avenue boulevard highway gate terminal platform`,
);
