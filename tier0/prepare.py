"""python prepare.py --data <folder> --work <folder> [--seed 0]: writes all training texts into one file."""

import argparse
import re
from pathlib import Path

from corpus import Corpus
from evaluation_texts import evaluation_texts
from own_texts import OwnTexts
from sources import SOURCES, weak_labels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    training = given.data / "training"

    corpus = Corpus()
    for read in SOURCES:
        read(corpus, training)
    own = OwnTexts(corpus, training, given.seed)
    own.add_patterns()
    own.add_sentences()
    weak_labels(corpus)
    own.add_long_texts()
    own.add_codes()

    words = own.masked_words()
    mask = lambda text: " ".join("X" if w in words else w for w in re.findall(r"[a-z0-9']+", text.lower()))
    texts, templated = evaluation_texts(given.data / "evaluation")
    dropped = corpus.without(texts, {mask(text) for text in templated}, mask)
    corpus.write(given.work / "texts.jsonl")

    sources, heads = corpus.counts()
    for source in sorted(sources):
        counts = sources[source]
        print(f"{source:24} {counts['train']:7} {counts['development']:6} {counts['test']:6}")
    for head, (positive, negative) in heads.items():
        print(f"{head:24} {positive:7} positive {negative:7} negative")
    print("dropped:", dict(dropped))


main()
