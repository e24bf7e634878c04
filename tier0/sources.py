"""Reads the public sources. DATA.md describes each, with its licence and its counts."""

import collections
import csv
import gzip
import json
import math
import re

from corpus import SELF_HARM, SEXUAL, VIOLENCE, letters_of, share_of, split_of

csv.field_size_limit(10**9)
SPLITS = {"train": "train", "dev": "development", "val": "development", "validation": "development", "test": "test"}


def rows_of(path):
    opened = gzip.open(path, "rt", encoding="utf8") if str(path).endswith(".gz") else open(path, encoding="utf8")
    with opened as file:
        yield from csv.DictReader(file)


def davidson(corpus, data):
    for row in rows_of(data / "davidson-2017/labeled_data.csv"):
        text, kind = row["tweet"], int(row["class"])
        split = split_of(text)
        if kind == 2:
            corpus.add_benign(text, "davidson", split)
            continue
        corpus.add(
            text, "davidson", split, 1.0 if kind == 0 else 0.6,
            toxicity=1, hate=int(kind == 0), injection=0,
            threat=-1 if VIOLENCE.search(text) else 0,
            sexual=-1 if SEXUAL.search(text) else 0,
            self_harm=-1 if SELF_HARM.search(text) else 0,
        )


def toxic_spans(corpus, data):
    folder = data / "toxic-spans"
    texts = {row["comment_id"]: row["comment_text"] for row in rows_of(folder / "comments.csv")}
    comment_of = {}
    judged = collections.defaultdict(lambda: [0, 0])
    for row in rows_of(folder / "annotations.csv"):
        comment_of[row["annotation"]] = row["comment_id"]
        judged[row["comment_id"]][0] += 1
        judged[row["comment_id"]][1] += row["not toxic"] == "True"
    types = collections.defaultdict(collections.Counter)
    spans = collections.defaultdict(list)
    for row in rows_of(folder / "spans.csv"):
        comment = comment_of.get(row["annotation"])
        if comment:
            types[comment][row["type"]] += 1
            spans[comment].append((int(row["start"]), int(row["end"])))
    for comment, text in texts.items():
        split = split_of(text)
        annotators, not_toxic = judged[comment]
        if annotators and not_toxic * 2 > annotators:
            corpus.add_benign(text, "spans_not", split, 0.5, threat=-1, sexual=-1, hate=-1, insult=-1, toxicity=0.25)
            continue
        found = types[comment]
        # Two annotators are sure. One is more likely right than wrong.
        sure = lambda kind: -1 if not found else 1.0 if found[kind] >= 2 else 0.6 if found[kind] == 1 else 0.0
        corpus.add(
            text, "spans", split, toxicity=1, injection=0,
            hate=sure("Identity based Attack"), insult=sure("Insult"), threat=sure("Threat"),
            sexual=-1 if SEXUAL.search(text) else 0, self_harm=-1 if SELF_HARM.search(text) else 0,
        )
        add_blanked(corpus, text, spans[comment], split)


def add_blanked(corpus, text, spans, split):
    """The same text without its toxic spans."""
    keep = [True] * len(text)
    for start, end in spans:
        for at in range(max(0, start), min(len(text), end)):
            keep[at] = False
    blanked = "".join(c if k else " " for c, k in zip(text, keep))
    if spans and sum(keep) > 25 and sum(keep) > 0.45 * len(text):
        corpus.add_benign(blanked, "spans_blanked", split, 0.5, threat=-1, sexual=-1, toxicity=0.08, hate=0.05)


def wikipedia(corpus, data):
    for name in ("gn", "gc"):
        for row in rows_of(data / f"wiki-context-toxicity/{name}.csv"):
            split = split_of(row["text"], 0.3)
            if row["label"] in ("1", "1.0", "True"):
                corpus.add(row["text"], f"wiki_{name}", split, 2, toxicity=1, injection=0)
            else:
                corpus.add_benign(row["text"], f"wiki_{name}", split, 0.5)
    folder = data / "conversationai-bias"
    for row in rows_of(folder / "toxicity_nonfuzzed_testset.csv"):
        split = "test" if share_of(row["rev_id"]) < 0.5 else "train"
        if row["toxic"] == "True":
            corpus.add(row["comment"], "wikipedia", split, 1.5, toxicity=1, injection=0)
        else:
            corpus.add_benign(row["comment"], "wikipedia", split)
    for row in rows_of(folder / "en_sentence_templates.csv"):
        text = row["phrase"]
        if share_of("phrase" + text) < 6000 / 76564:
            toxic = int(row["toxicity"] == "toxic")
            corpus.add(text, "identity_phrases", split_of(text), 0.5, toxicity=toxic, hate=-1 if toxic else 0, injection=0)


def hatemoji(corpus, data):
    for name in ("train", "validation", "test"):
        for row in rows_of(data / f"hatemoji/HatemojiBuild_{name}.csv"):
            hateful = int(row["label_gold"])
            threat = int(hateful and "threat" in row["type"])
            corpus.add(row["text"], "hatemoji", SPLITS[name], 2.0, toxicity=hateful, hate=hateful, threat=threat, injection=0)


def trees_of(line):
    """(label, words) of every phrase of a bracketed tree, the whole last."""
    found, open_ = [], []
    tokens = line.replace("(", " ( ").replace(")", " ) ").split()
    at = 0
    while at < len(tokens):
        if tokens[at] == "(":
            open_.append((int(tokens[at + 1]), []))
            at += 2
        elif tokens[at] == ")":
            label, words = open_.pop()
            found.append((label, " ".join(words)))
            if open_:
                open_[-1][1].extend(words)
            at += 1
        else:
            open_[-1][1].append(tokens[at])
            at += 1
    return found


def untokenised(text):
    """The text as people write it. evaluate/read-rows.mjs has the same."""
    for treebank, plain in (("-LRB-", "("), ("-RRB-", ")"), ("\\/", "/"), ("``", '"'), ("''", '"')):
        text = text.replace(treebank, plain)
    return re.sub(r" (n't|'s|'re|'ve|'ll|'d|'m|[.,!?;:)])", r"\1", text)


SST_NEGATIVITY = [0.97, 0.85, 0.5, 0.13, 0.03]


def sentiment(corpus, data):
    phrases = {}
    known = {}
    for name in ("train", "dev", "test"):
        for line in open(data / f"sst/sst_raw_{name}.txt", encoding="utf8"):
            found = trees_of(line.strip())
            label, text = found[-1]
            known[letters_of(text)] = name
            if label == 2 and name != "train":
                continue
            weight = 0.4 if label == 2 else 1.2
            corpus.add_benign(untokenised(text), "sst", SPLITS[name], weight, negativity=SST_NEGATIVITY[label])
            if name == "train":
                for phrase_label, phrase in found[:-1]:
                    if len(phrase.split()) >= 2 and phrase_label != 2 and share_of(phrase) < 0.55:
                        phrases[phrase] = phrase_label
    for phrase, label in phrases.items():
        corpus.add_benign(untokenised(phrase), "sst_phrases", "train", 0.35, negativity=SST_NEGATIVITY[label])
    for name, source in (
        ("amazonReviewSnippets", "amazon"), ("movieReviewSnippets", "films"), ("nytEditorialSnippets", "editorials"), ("tweets", "tweets"),
    ):
        for line in open(data / f"vader-icwsm2014/{name}_GroundTruth.txt", encoding="utf8", errors="replace"):
            fields = line.rstrip("\n").split("\t")
            if len(fields) < 3 or known.get(letters_of(fields[2])) in ("dev", "test"):
                continue
            negativity = 1 / (1 + math.exp(2 * float(fields[1])))
            corpus.add_benign(fields[2], source, split_of(fields[2]), 0.7, negativity=negativity)


POSITIVE = set("admiration amusement approval caring excitement gratitude joy love optimism pride relief desire".split())
NEGATIVE = set(
    "anger annoyance disappointment disapproval disgust embarrassment fear grief nervousness remorse sadness".split()
)
HEATED = {"anger", "annoyance", "disgust", "disapproval"}


def emotions(corpus, data):
    names = [line.strip() for line in open(data / "goemotions/goemo_labels.txt")]
    for split in ("train", "dev", "test"):
        for line in open(data / f"goemotions/goemo_{split}.tsv", encoding="utf8"):
            text, indices, _ = line.rstrip("\n").split("\t")
            found = {names[int(at)] for at in indices.split(",")}
            text = text.replace("[NAME]", "John").replace("[RELIGION]", "religion")
            positive, negative = bool(found & POSITIVE), bool(found & NEGATIVE)
            negativity = -1 if positive == negative else 0.95 if negative else 0.05
            if split == "train" and found == {"neutral"} and share_of(text) < 0.5:
                continue
            if found & HEATED:
                harm = -1 if SELF_HARM.search(text) else 0
                corpus.add(text, "goemotions", SPLITS[split], 0.5, negativity=negativity, injection=0, self_harm=harm)
            else:
                corpus.add_benign(
                    text, "goemotions", SPLITS[split], 0.5, negativity=negativity,
                    toxicity=0 if positive or negative else -1, hate=0 if positive else -1, insult=0 if positive else -1,
                )


def sexism(corpus, data):
    for row in rows_of(data / "edos/edos_labelled_aggregated.csv"):
        text, split = row["text"], SPLITS[row["split"]]
        if row["label_sexist"] != "sexist":
            corpus.add(text, "edos", split, 0.6, hate=0.04, injection=0)
            continue
        threat = 1 if row["label_category"].startswith("1") else -1 if VIOLENCE.search(text) else 0
        sexual = 0.6 if "sexual objectification" in row["label_vector"] else -1
        corpus.add(text, "edos", split, toxicity=0.93, hate=0.97, threat=threat, sexual=sexual, injection=0)


def chat_abuse(corpus, data):
    by_text = collections.defaultdict(list)
    for row in rows_of(data / "convabuse/ConvAbuseEMNLPfull.csv"):
        by_text[row["user"]].append(row)
    for text, rows in by_text.items():
        abusive = sum(int(row[f"is_abuse.{n}"]) for row in rows for n in (-1, -2, -3)) / len(rows)
        fine = sum(int(row["is_abuse.1"]) for row in rows) / len(rows)
        most = lambda *kinds: float(
            sum(any(int(float(row[f"type.{kind}"] or 0)) for kind in kinds) for row in rows) / len(rows) >= 0.5
        )
        split = split_of(text)
        if abusive >= 0.6:
            sexual = most("sex_harassment")
            corpus.add(
                text, "convabuse", split, 1.2, toxicity=1, insult=-1 if sexual else 0.9, injection=0,
                sexual=1 if sexual else -1 if SEXUAL.search(text) else 0,
                hate=most("racist", "homophobic", "transphobic", "sexist", "ableism") or -1,
            )
        elif fine >= 0.9:
            corpus.add_benign(text, "convabuse", split, 0.8, threat=0, sexual=0)


def chat_safety(corpus, data):
    for name in ("train", "val", "test"):
        for row in json.load(open(data / f"diasafety/diasafety_{name}.json")):
            split, unsafe = SPLITS[name], row["label"] == "Unsafe"
            if row["category"] == "Offending User":
                rude = 0.9 if unsafe else 0.08
                corpus.add(row["response"], "diasafety", split, 0.8, toxicity=rude, insult=rude, injection=0, hate=-1 if unsafe else 0)
            elif row["category"] == "Biased Opinion":
                if unsafe:
                    corpus.add(row["response"], "diasafety", split, 0.4, hate=0.65, injection=0)
                else:
                    corpus.add(row["response"], "diasafety", split, 0.4, hate=0.05, toxicity=0.08, injection=0)
            elif row["category"] in ("Risk Ignorance", "Unauthorized Expertise") and share_of(row["context"]) < 0.6:
                corpus.add_benign(row["context"], "diasafety_context", split, 0.4)


def lexicons(corpus, data):
    for row in rows_of(data / "surge-profanity/profanity_en.csv"):
        kinds = [row["category_1"], row["category_2"], row["category_3"]]
        severity = float(row["severity_rating"] or 1)
        slur = any("slurs" in k or ("sexual orientation" in k and severity >= 2) for k in kinds)
        corpus.add(
            row["text"], "lexicon", "train", 0.7, injection=0, toxicity=min(0.98, 0.5 + 0.2 * severity),
            sexual=0.9 if any("sexual a" in k for k in kinds) else 0.1, hate=0.95 if slur else 0.1,
        )
    for line in open(data / "ldnoobw/en.txt"):
        corpus.add(line.strip(), "lexicon", "train", 0.7, toxicity=0.85, sexual=0.9, injection=0)


def prompts(corpus, data):
    for line in gzip.open(data / "hh-rlhf/harmless-base-test.jsonl.gz"):
        turns = [t.split("\n\nAssistant:")[0].strip() for t in json.loads(line)["chosen"].split("\n\nHuman:")[1:]]
        for text in turns[:2]:
            corpus.add(text, "hh", split_of(text), 0.4, injection=0.01)
    for kind, groups in json.load(open(data / "catqa/catqa_english.json")).items():
        for group, texts in groups.items():
            for text in texts:
                corpus.add(text, "catqa", "train", 1, injection=0, **catqa_labels(kind, group))
    for text in json.load(open(data / "jailbreaks/inthewild_jailbreak_llms.json")):
        split = split_of(text, 0.2)
        corpus.add(text[:700], "jailbreaks", split, 1.5, injection=1)
        if len(text) > 900 and split != "test":
            corpus.add(text[300:1000], "jailbreaks_middle", split, 0.5, injection=0.9)


def catqa_labels(kind, group):
    if group == "Self-harm":
        return dict(self_harm=1)
    if group in ("Assault and battery", "Gender-based violence", "Terrorism and extremism", "Physical abuse"):
        return dict(threat=0.9)
    if kind == "Adult Content" and "humor" not in group:
        return dict(sexual=0.95)
    if group in ("Racial or ethnic hate", "Religious intolerance"):
        return dict(hate=0.9)
    return dict(self_harm=0, sexual=-1 if kind == "Child Abuse" else 0, hate=-1 if kind.startswith("Hate") else 0)


def reddit_bias(corpus, data):
    for row in rows_of(data / "redditbias/annotated.csv"):
        text, biased = row["comment"] or "", str(row["bias_sent"]).strip()
        if biased.startswith("0"):
            corpus.add(text, "redditbias", split_of(text), 0.35, hate=0.08, injection=0)
        elif biased.startswith("1"):
            corpus.add(text, "redditbias", split_of(text), 0.5, hate=0.9, toxicity=0.75, injection=0)


SEXUAL_PHRASE = re.compile(
    r"\b(porn|sex scene|erotic|nudes?|masturbat\w*|blow ?job|orgasm|horny|anal sex|have sex with)\b", re.I
)
VIOLENT_PHRASE = re.compile(
    r"\b(murder|kill (him|her|them|someone|people|my)|torture|stab|shoot (him|her|someone|people|up)|bomb|massacre"
    r"|behead\w*|poison (him|her|someone|my))\b",
    re.I,
)


def weak_labels(corpus):
    """Labels prompts and posts without a sexual label by explicit phrases."""
    threat, sexual, harm = 3, 4, 5
    for row in corpus.rows:
        text, known, source = row["text"], row["labels"], row["source"]
        if source in ("hh", "diasafety_context", "goemotions", "convabuse", "redditbias", "edos") and known[harm] < 0:
            if SELF_HARM.search(text):
                known[harm] = 0.75 if source in ("hh", "diasafety_context") else 0.6
            elif source in ("hh", "convabuse"):
                known[harm] = 0
        if source in ("hh", "convabuse"):
            if known[sexual] < 0:
                known[sexual] = 0.8 if SEXUAL_PHRASE.search(text) else -1 if SEXUAL.search(text) else 0
            if known[threat] < 0:
                known[threat] = 0.7 if VIOLENT_PHRASE.search(text) else -1 if VIOLENCE.search(text) else 0


SOURCES = [
    davidson, toxic_spans, wikipedia, hatemoji, sentiment, emotions, sexism, chat_abuse, chat_safety, lexicons, prompts,
    reddit_bias,
]
