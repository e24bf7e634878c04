"""Collects training texts, each with its split, its labels and its weight."""

import collections
import hashlib
import json
import re

from heads import HEADS, labels

# A text with these words may be about self-harm without a label for it, so that head stays unknown.
SELF_HARM = re.compile(r"suicid|kill (my|your)self|self.?harm|cut(ting)? myself|want to die|end my life|kys\b", re.I)
VIOLENCE = re.compile(
    r"\b(kill|shoot|stab|murder|beat|punch|hang|burn|rape|bomb|slit|smash|strangle|execut\w*|behead\w*|lynch)\w*", re.I
)
SEXUAL = re.compile(
    r"\b(sex|fuck|dick|cock|pussy|penis|vagina|porn|cum|tits|boobs?|nude|naked|rape|blow ?job|anal|slut|whore|horny"
    r"|masturbat\w*|orgasm)\w*",
    re.I,
)

LONGEST = 1500


def share_of(text):
    """A number in 0..1 that is always the same for a text. evaluate/splits.mjs has the same."""
    return int(hashlib.md5(text.encode()).hexdigest()[:8], 16) / 2**32


def split_of(text, test=0.1, development=0.05):
    share = share_of("split" + text)
    return "test" if share < test else "development" if share < test + development else "train"


def letters_of(text):
    """The form that texts share if they differ only in spelling and marks."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


class Corpus:
    def __init__(self):
        self.rows = []

    def add(self, text, source, split, weight=1.0, **known):
        text = re.sub(r"\s+", " ", text).strip()
        if len(text) >= 2:
            row = dict(text=text[:LONGEST], source=source, split=split, weight=weight, labels=labels(**known))
            self.rows.append(row)

    def add_benign(self, text, source, split, weight=1.0, **known):
        base = dict(toxicity=0, hate=0, insult=0, injection=0)
        base["self_harm"] = -1 if SELF_HARM.search(text) else 0
        base["threat"] = -1 if VIOLENCE.search(text) else 0
        base["sexual"] = -1 if SEXUAL.search(text) else 0
        self.add(text, source, split, weight, **{**base, **known})

    def without(self, evaluation, masked, mask):
        """Drops repeats, rows of the evaluation sets, and training rows that equal test rows."""
        exact = {letters_of(text) for text in evaluation}
        starts = {letters_of(text)[:60] for text in evaluation if len(text) > 60}
        test = {letters_of(row["text"]) for row in self.rows if row["split"] == "test"}
        seen = set()
        kept = []
        dropped = collections.Counter()
        for row in self.rows:
            letters = letters_of(row["text"])
            shape = mask(row["text"])
            if letters and (letters in exact or letters[:60] in starts):
                dropped["evaluation row"] += 1
            elif len(shape.split()) >= 3 and shape in masked:
                dropped["evaluation row with another group"] += 1
            elif row["split"] != "test" and letters in test:
                dropped["test row"] += 1
            elif (letters or row["text"], tuple(row["labels"])) in seen:
                dropped["repeat"] += 1
            else:
                seen.add((letters or row["text"], tuple(row["labels"])))
                kept.append(row)
        self.rows = kept
        return dropped

    def write(self, path):
        with open(path, "w") as out:
            for row in self.rows:
                out.write(json.dumps(row) + "\n")

    def counts(self):
        table = collections.defaultdict(collections.Counter)
        for row in self.rows:
            table[row["source"]][row["split"]] += 1
        known = {}
        for at, head in enumerate(HEADS):
            values = [row["labels"][at] for row in self.rows if row["split"] == "train"]
            known[head] = (sum(v > 0.5 for v in values), sum(0 <= v <= 0.5 for v in values))
        return table, known
