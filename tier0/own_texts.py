"""Our own texts: sentence patterns with fillers (`own-templates` beside the public sources), whole
sentences (`own-sentences.json.gz` here), and long texts joined from short ones.

No text is from a set that the model is evaluated on. A text that differs from a row of HateCheck or
HatemojiCheck only in the group that it names is dropped (`Corpus.without`)."""

import collections
import gzip
import json
import random
import re
from pathlib import Path

import codes
from heads import HEADS

SENTENCES = Path(__file__).parent / "own-sentences.json.gz"
# These have no seed of their own, so that a shorter list of fillers continues where it ended.
HARMLESS = dict(threat=0, sexual=0, self_harm=0)


class OwnTexts:
    def __init__(self, corpus, data, seed):
        self.corpus = corpus
        self.random_seed = seed
        self.random = random.Random(seed)
        self.lists = json.load(open(data / "own-templates/templates.json"))

    def masked_words(self):
        words = {word for group in self.lists["PL"] + self.lists["SG"] for word in re.findall(r"[a-z']+", group)}
        return words | set("disabled gay black white jewish muslim immigrant islam islamic homosexual trans female male".split())

    def fill(self, pattern):
        pick = lambda name: self.random.choice(self.lists[name])
        return pattern.format_map(
            collections.defaultdict(
                str,
                p=pick("PL"), p2=pick("PL"), s=pick("SG"), na=pick("NA"), nn=pick("NN"), pa=pick("PA"), thr=pick("THR"),
                exc=pick("EXC"), o=pick("OBJ"), u=pick("PERS"), u2=pick("PU2"), ins=pick("INS"), r=pick("ROLE"),
                a=pick("SX_A"), all=self.random.choice(["", "all", "all of the", "any"]), do=pick("DO"), dan=pick("DAN"),
                sl=pick("SLURS"),
                nn1=self.random.choice("monster criminal thief terrorist freak parasite burden joke threat".split()),
            )
        )

    def decorate(self, text, endings):
        text = self.random.choice(self.lists["PRE"]) + text + self.random.choice(endings)
        chance = self.random.random()
        return text[:1].upper() + text[1:] if chance < 0.35 else text.upper() if chance < 0.40 else text

    def split(self):
        chance = self.random.random()
        return "development" if chance < 0.06 else "test" if chance < 0.10 else "train"

    def emit(self, count, patterns, source, endings=None, **known):
        for _ in range(count):
            text = self.decorate(self.fill(self.random.choice(patterns)), endings or self.lists["SUF"])
            self.corpus.add(text, source, self.split(), 0.8, **{"injection": 0, **known})

    def wrap(self, count, frames, source, share_real):
        """Hateful clauses, ours and real ones, inside sentences that deny or condemn them."""
        real = [
            row["text"]
            for row in self.corpus.rows
            if row["split"] == "train" and row["source"] in ("hatemoji", "edos", "spans")
            and row["labels"][1] > 0.9 and 15 < len(row["text"]) < 110 and '"' not in row["text"]
        ]
        own = self.lists["HATE"] + self.lists["HTHR"] + self.lists["HNEG"]
        for _ in range(count):
            chosen = self.random.random() < share_real
            clause = self.random.choice(real).rstrip(".!? ") if chosen else self.fill(self.random.choice(own))
            text = self.decorate(self.random.choice(frames).replace("{h}", clause), self.lists["SUF"])
            self.corpus.add(text, source, self.split(), 0.8, toxicity=0.15, hate=0, threat=0, injection=0)

    def add_patterns(self):
        lists, emit = self.lists, self.emit
        emit(6500, lists["NEU"], "own_neutral", toxicity=0, hate=0, insult=0, **HARMLESS)
        emit(4200, lists["POSI"], "own_positive", lists["BPOS"] + lists["SUF"][:6], toxicity=0, hate=0, insult=0,
             negativity=0.05, **HARMLESS)
        emit(7500, lists["HATE"], "own_hate", toxicity=0.97, hate=1, sexual=0, self_harm=0)
        emit(2200, lists["HTHR"], "own_hate_threat", toxicity=1, hate=1, threat=1, sexual=0)
        emit(3800, lists["NEGH"] + lists["NEGP"], "own_negated", toxicity=0.05, hate=0, insult=0, **HARMLESS)
        self.wrap(5500, lists["CNT"], "own_counter", 0.35)
        emit(2600, lists["HNEG"], "own_hate_negation", toxicity=0.95, hate=1, sexual=0, self_harm=0)
        self.wrap(2600, lists["NEGOP"], "own_negated", 0.35)
        emit(1400, lists["OBN"], "own_objects", toxicity=0.05, hate=0, insult=0, **HARMLESS)
        emit(500, lists["ROL"], "own_roles", toxicity=0.4, hate=0.03, sexual=0, self_harm=0)
        emit(2000, lists["INSU"], "own_insults", toxicity=0.95, hate=0.02, insult=1, sexual=0, self_harm=0)
        emit(700, lists["NINS"], "own_no_insults", toxicity=0.1, hate=0, insult=0.1, threat=0, sexual=0)
        emit(1500, lists["PTHR"], "own_threats", toxicity=0.95, hate=0.03, threat=1, sexual=0)
        emit(500, lists["NTHR"], "own_no_threats", toxicity=0, hate=0, insult=0, **HARMLESS)
        emit(1500, lists["SH"], "own_self_harm", toxicity=0.3, hate=0, insult=0, sexual=0, self_harm=1, negativity=0.95)
        emit(250, lists["SHT"], "own_urged_self_harm", toxicity=0.97, hate=0.03, insult=0.9, sexual=0, self_harm=0.9)
        emit(600, lists["SHN"], "own_no_self_harm", toxicity=0, hate=0, insult=0, **HARMLESS)
        emit(1500, lists["SX"], "own_sexual", hate=0, threat=0, sexual=1)
        emit(450, lists["SXN"], "own_not_sexual", toxicity=0, hate=0, sexual=0)
        emit(1300, lists["INJ"], "own_injection", injection=1, hate=0)
        emit(700, lists["INJN"], "own_no_injection", toxicity=0, hate=0, insult=0, **HARMLESS)
        emit(500, lists["PROF"], "own_swearing", toxicity=0.12, hate=0, insult=0, threat=0, self_harm=0)
        emit(1100, lists["SLH"], "own_slurs", toxicity=1, hate=1)
        emit(700, lists["SLN"], "own_mentioned_slurs", toxicity=0.2, hate=0.05)

    def add_sentences(self):
        """Adds each class of sentences, with its labels, its patterns and its number of texts."""
        if not SENTENCES.exists():
            return
        for name, group in json.load(gzip.open(SENTENCES, "rt")).items():
            self.lists.update(group.get("fillers", {}))
            fillers = list(group.get("fillers", {}))
            for pattern in group["sentences"]:
                # All texts of a pattern are in one split, so that development data have other sentences.
                split = "development" if self.random.random() < 0.1 else "train"
                for copy in range(group.get("copies", 6) if "{" in pattern else group.get("repeats", 3)):
                    text = pattern
                    for filler in fillers:
                        text = text.replace("{" + filler + "}", self.random.choice(self.lists[filler]))
                    text = self.fill(text)
                    text = text if copy == 0 else self.decorate(text, self.lists["SUF"][:8] + [""] * 6)
                    self.corpus.add(text, f"own_{name}", split, group.get("weight", 1.0), **{"injection": 0, **group["labels"]})

    def add_codes(self, count=5000):
        """Adds texts without language. They have a random generator of their own, so other texts do not change."""
        own = random.Random(f"codes {self.random_seed}")
        harmless = [
            row["text"]
            for row in self.corpus.rows
            if row["split"] == "train" and len(row["text"]) < 120 and row["labels"][0] == 0
            and row["source"] in ("goemotions", "tweets", "own_small_talk", "own_criticism", "own_no_threat", "own_not_sexual")
        ]
        known = dict(toxicity=0, hate=0, insult=0, threat=0, sexual=0, self_harm=0, injection=0)
        for _ in range(count):
            parts = [codes.code(own) for _ in range(own.choice([1, 1, 1, 2, 3]))]
            if own.random() < 0.7:
                parts.insert(own.randrange(len(parts) + 1), own.choice(harmless))
            split = "development" if own.random() < 0.1 else "train"
            self.corpus.add(" ".join(parts), "own_codes", split, 0.7, **known)

    def add_long_texts(self):
        """Adds harmful sentences among harmless ones, and harmless sentences alone."""
        rows = [row for row in self.corpus.rows if row["split"] == "train" and len(row["text"]) <= 300]
        benign_sources = ("editorials", "amazon", "films", "sst", "wiki_gn", "wiki_gc")
        benign = [row for row in rows if row["source"] in benign_sources and row["labels"][0] == 0]
        positives = {
            head: [row for row in rows if row["labels"][HEADS.index(head)] > 0.85 and row["source"] != "lexicon"]
            for head in ("sexual", "self_harm", "threat", "hate", "insult")
        }
        counts = dict(sexual=1600, self_harm=1300, threat=1300, hate=1300, insult=900, none=2600)
        for head, count in counts.items():
            for _ in range(count):
                harmful = self.random.sample(positives[head], self.random.choice([1, 1, 2, 3, 5])) if head != "none" else []
                around = self.random.choice([0, 1, 2, 3, 5] if harmful else [2, 3, 5, 7])
                parts = harmful + self.random.sample(benign, around)
                self.random.shuffle(parts)
                if len(parts) >= 2:
                    self.add_joined(parts)

    def add_joined(self, parts):
        known = {}
        for at, head in enumerate(HEADS):
            values = [part["labels"][at] for part in parts]
            known[head] = max(values) if max(values) > 0.5 or min(values) >= 0 else -1
        known["negativity"] = -1
        split = "development" if self.random.random() < 0.06 else "train"
        self.corpus.add(" ".join(part["text"] for part in parts), "own_long", split, 0.7, **known)
