"""Words that do not show that a text is English, although English corpora have them."""

import csv
import gzip
import collections
import re

# The most frequent words of other languages in Latin letters. Names, quotations and loans bring them into
# English corpora. Some are English words too, but prove nothing.
COMMON = """
der das und ist nicht ich sie wir ihr mich dich dir mir uns euch ein eine einen einem einer kein keine auf aus bei mit nach
von vor zu zum zur für über unter auch noch nur sehr aber oder wenn weil dass wie wo wer warum hier dort jetzt immer nie
haben hat hast habe bist sind war waren wird werden kann kannst will soll muss du er es im am um so man als
le la les un une des du de et est sont es suis je tu il elle nous vous ils ce cette ces mon ma mes ton ta tes son sa ses
ne pas plus que qui quoi dans sur avec pour par sans sous mais ou donc tout tous toute bien fait faire va vas vais veux tres
el los las una unos unas del al lo se te me mi tu su sus mis tus nos os no si por para con sin pero como mas muy esta este
esto eso esa ese aqui hay ser estar eres soy somos son fue era ha he has han todo todos nada nadie siempre nunca voy vas
quiero puede tengo tiene vida muerte hijo hija padre madre puta mierda cabron
gli uno che chi non sono sei siamo siete hai abbiamo hanno questo questa quello quella anche ma se come dove quando perche
piu molto tutto tutti niente sempre mai ti ci vi mio tuo suo nel nella della delle degli dei alla sul sulla con per tra fra
os as um uma uns umas do da dos das em no na nos nas ao pelo pela que nao sim eu tu ele ela voce voces eles elas meu minha
teu tua seu sua isto isso aquilo aqui ali muito mais menos tudo nada sempre nunca foi ser estar tem tenho vai vou filho
de het een en van ik je jij hij zij wij jullie niet geen maar ook nog wel dit dat deze die hier daar naar met voor door over
bij uit op aan om te er als dan toen nu altijd nooit wat wie waar waarom ben bent zijn was heb hebt heeft moet kan zal
jest nie to na się co jak ale czy tak mnie ciebie jego jej nas was ich być był była są mam masz
och det att som en ett den de inte jag du han hon vi ni dom med till av men om hur vad var
og ikke jeg deg meg dere hvem hva hvor
bir ve bu ben sen biz siz onlar ne icin ama gibi cok daha
di yang dan ini itu tidak aku kamu dia kami kita mereka saya
ang mga ng sa ako ikaw siya kami tayo sila hindi
non oui ja nein si da ano tak ne
""".split()

# English words among the above that are too common in English to count against a text.
ENGLISH = """
a as at an all am are be but by can come do has have he her him his i if in is it me men my no not of on or our out over so
that the them this to under until up us van was we were what when where will with you your dive war will man who how one son
for per sa are no he on dare pour tout plus sans die
""".split()


def foreign_words(data, english_counts):
    """The words above, and words far more frequent in German and French posts than in English ones."""
    others = collections.Counter()
    total = 0
    with open(data / "germeval-2018/germeval2018.training.txt", encoding="utf8") as german:
        texts = [line.split("\t")[0] for line in german]
    with gzip.open(data / "mlma/fr_dataset.csv.gz", "rt", encoding="utf8") as french:
        texts += [row["tweet"] for row in csv.DictReader(french)]
    for text in texts:
        found = set(re.findall(r"[a-z]+", text.lower()))
        total += 1
        others.update(found)
    english_total = max(english_counts.values())
    frequent = {
        word
        for word, count in others.items()
        if count >= 4 and count / total > 5 * english_counts.get(word, 0) / english_total
    }
    return (set(COMMON) | frequent) - (set(ENGLISH) - {"die", "son", "pour", "tout", "plus", "sans", "dare"})
