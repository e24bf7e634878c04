"""python vocabulary.py --data <folder> --work <folder>: writes the words that get a row, their spellings
with stars, and the words that count as known English or as names."""

import argparse
import json
import re
from pathlib import Path

import numpy as np
from foreign import foreign_words
from lexicon import severities

ROWS = 16_000
# The other rows are the most frequent words of GloVe, so that words outside of training have a meaning.
FROM_TRAINING = 0.78
KNOWN_GLOVE = 45_000

# The word of GloVe whose vector a token takes that is not in GloVe.
LIKE = {
    "n't": "not", "'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "..": "...", "<user>": "he", "!!": "!",
    "??": "?", "<num>": "number", "<url>": "website",
}


def starred(word):
    """The spellings of a word with stars for some of its letters."""
    inner = range(1, len(word) - 1)
    forms = {word[:at] + "*" + word[at + 1 :] for at in inner}
    forms |= {word[:at] + stars + word[at + 2 :] for at in range(1, len(word) - 2) for stars in ("*", "**")}
    forms |= {word[0] + "*" * (len(word) - 2) + word[-1], re.sub(r"(?<=.)[aeiou](?=.)", "*", word)}
    forms |= {word[:2] + "*" * (len(word) - 3) + word[-1], word[0] + "*" * (len(word) - 1), word[:2] + "*" * (len(word) - 2)}
    return {form for form in forms if "*" in form}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    training = given.data / "training"
    severity = severities(training)
    counts = dict(json.load(open(given.work / "counts.json")))
    glove = json.load(open(given.work / "glove-words.json"))
    place = {word: at for at, word in enumerate(glove)}

    words = [word for word in severity if word in place or counts.get(word, 0) >= 2]
    profane = len(words)
    taken = set(words)

    def take(candidates, most):
        for word in candidates:
            if len(words) >= most:
                return
            if word not in taken:
                taken.add(word)
                words.append(word)

    by_count = sorted(counts, key=lambda word: -counts[word])
    take(by_count[: int(ROWS * FROM_TRAINING)], ROWS)
    take((word for word in glove[:40_000] if re.fullmatch(r"[a-z]{2,}", word)), ROWS)

    aliases = {}
    for word in sorted(severity, key=lambda w: -severity[w]):
        if len(word) >= 4 and word in taken and severity[word] >= 1.2 and counts.get(word, 0) >= 4:
            for form in starred(word):
                aliases.setdefault(form, word)

    matrix = np.load(given.work / "glove.npy")
    vectors = np.zeros((len(words), 100), np.float32)
    has = np.zeros(len(words), bool)
    for row, word in enumerate(words):
        like = word if word in place else LIKE.get(word)
        if like in place:
            vectors[row] = matrix[place[like]]
            has[row] = True
    vectors[has] -= vectors[has].mean(0)
    vectors[has] /= np.linalg.norm(vectors[has], axis=1, keepdims=True) + 1e-6
    np.save(given.work / "vectors.npy", vectors)

    foreign = foreign_words(training, counts)
    known = [word for word in glove[:KNOWN_GLOVE] if re.fullmatch(r"[a-z]+", word)]
    known += [word for word, count in counts.items() if count >= 8 and re.fullmatch(r"[a-z]+", word)]
    known = sorted(set(known) - foreign)
    json.dump(dict(words=words, profane=profane, aliases=aliases, known=known), open(given.work / "vocabulary.json", "w"))
    print(len(words), "words,", profane, "of abuse,", len(aliases), "spellings with stars,", len(known), "known words")


main()
