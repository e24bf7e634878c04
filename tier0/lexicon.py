"""Words of abuse and how bad each is, from the two lists among the sources.

python lexicon.py --data <folder> --out <file>: the words alone, for count-words.ts"""

import argparse
import csv
import json
import re
from pathlib import Path


def severities(training):
    found = {}
    for row in csv.DictReader(open(training / "surge-profanity/profanity_en.csv", encoding="utf8")):
        severity = float(row["severity_rating"] or 1)
        for word in (row["text"].lower(), row["canonical_form_1"].lower()):
            if re.fullmatch(r"[a-z]{3,}", word):
                found[word] = max(found.get(word, 0), severity)
    for line in open(training / "ldnoobw/en.txt"):
        word = line.strip().lower()
        if re.fullmatch(r"[a-z]{4,}", word):
            found.setdefault(word, 1.5)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    json.dump(list(severities(given.data / "training")), open(given.out, "w"))
