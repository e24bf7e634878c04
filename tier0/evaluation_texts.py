"""The texts of the evaluation sets. They are read only to keep them and equal texts out of training."""

import csv
import gzip
import json


def evaluation_texts(data):
    """(all texts, those whose form with its group masked must not be trained on either)"""
    rows = lambda path, column: [row[column] for row in csv.DictReader(open(data / path, encoding="utf8"))]
    templated = rows("hatecheck/test_suite_cases.csv", "test_case")
    templated += rows("hatemojicheck/HatemojiCheck_test.csv", "text")
    others = rows("xstest/xstest_prompts.csv", "prompt")
    others += rows("perspective-2k/scores.csv", "comment_text")
    for line in gzip.open(data / "openai-moderation-1680/samples-1680.jsonl.gz"):
        others.append(json.loads(line)["prompt"])
    return templated + others, templated
