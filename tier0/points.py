"""python points.py --work <folder> --seed 0: chooses each head's flag and block point.

The choice uses development data alone, by the logits of the exported weights (development-logits.ts):

flag   the highest of these logits: the one that a small share of benign texts reaches (ALARMS), among
       texts for readers and among texts that people write to each other; the one that a hundredth of
       texts with ids, numbers and lines of programs reaches (CODES); the one that a tenth of harmless
       look-alikes reaches. For self-harm a fifth of them may reach it, since a flag leads to a person
       and an offer of help. For injection, which is far from everything else, it is a fiftieth. For
       negativity the point is where it separates film sentences best.
block  the highest of these: the logit that almost no benign text reaches; the one that a hundredth of
       the texts that must never be blocked reaches (counter-speech, negated hate, reclaimed words,
       neutral and friendly texts about groups, dialect, harmless swearing); a margin above all of
       development-sentences.json.gz, which are of those kinds and were never trained on, since other
       texts will be harder; a probability of 0.95. Heads that no preset blocks by have no such texts,
       and 0.9."""

import argparse
import json
from pathlib import Path

import numpy as np
from heads import HEADS
from texts import Texts

BENIGN = ("wiki_gn", "wiki_gc", "amazon", "editorials", "films", "sst")
# Used for heads whose labels are sure that there is nothing. For rude remarks and hate they are not sure.
EVERYDAY = ("goemotions", "tweets", "own_small_talk")
SURE = ("threat", "sexual", "self_harm", "injection")
ALARMS = dict(toxicity=0.01, hate=0.005, insult=0.005, threat=0.005, sexual=0.005, self_harm=0.005, injection=0.001)
LOOK_ALIKES = dict(
    toxicity=("own_neutral", "own_positive", "own_groups_fair", "own_criticism", "own_dialect", "own_no_threat", "own_small_talk", "own_codes"),
    hate=("own_neutral", "own_positive", "own_groups_fair", "own_negated", "own_objects", "own_roles"),
    insult=("own_no_insults", "own_criticism", "own_groups_fair", "own_small_talk"),
    threat=("own_no_threats", "own_no_threat", "own_small_talk"),
    sexual=("own_not_sexual", "own_child_harmless", "own_small_talk"),
    self_harm=("own_no_self_harm", "own_small_talk"),
    injection=("own_no_injection", "own_small_talk"),
)
CODES = "own_codes"
CODES_ALARMS = 0.01
LOOK_ALIKE_ALARMS = dict.fromkeys(ALARMS, 0.1) | dict(self_harm=0.2, injection=0.02)
NEVER_BLOCKED = (
    "own_counter", "own_negated", "own_mentioned_slurs", "own_reclaimed", "own_neutral", "own_positive", "own_groups_fair",
    "own_dialect", "own_swearing", "own_objects",
)
BLOCKED_HARMLESS = 0.01
BLOCKED_BENIGN = 0.0004
MARGIN = 0.25
# The presets block by these heads. A tenant may block by the others.
BLOCKING = ("toxicity", "hate", "threat")
LEAST_BLOCK = np.log(0.95 / 0.05)
LEAST_OTHERWISE = np.log(0.9 / 0.1)
LEAST_DISTANCE = 0.5


def reached_by(logits, share):
    """The logit that at most this share of logits exceeds."""
    ordered = np.sort(logits)[::-1]
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    texts = Texts(given.work)
    development = texts.of("development")
    logits = np.fromfile(given.work / f"development-{given.seed}.f32", np.float32).reshape(len(development), len(HEADS))
    never = np.fromfile(given.work / f"never-blocked-{given.seed}.f32", np.float32).reshape(-1, len(HEADS))
    source, labels = texts.source[development], texts.labels[development]
    benign = np.isin(source, BENIGN) & (labels[:, HEADS.index("toxicity")] == 0)
    blend_file = given.work / f"blend-{given.seed}.json"
    blend = json.load(open(blend_file))

    for at, head in enumerate(HEADS):
        z = logits[:, at]
        if head == "negativity":
            flag = best_split(z[source == "sst"], labels[source == "sst", at] > 0.5)
        else:
            alike = np.isin(source, LOOK_ALIKES[head])
            everyday = np.isin(source, EVERYDAY) & (labels[:, at] == 0)
            written = reached_by(z[everyday], ALARMS[head]) if head in SURE else -np.inf
            coded = reached_by(z[source == CODES], CODES_ALARMS)
            flag = max(reached_by(z[benign], ALARMS[head]), written, coded, reached_by(z[alike], LOOK_ALIKE_ALARMS[head]))
        harmless = [reached_by(z[source == name], BLOCKED_HARMLESS) for name in NEVER_BLOCKED if (source == name).any()]
        harmless.append(float(never[:, at].max()) + MARGIN)
        least = LEAST_BLOCK if head in BLOCKING else LEAST_OTHERWISE
        block = max(reached_by(z[benign], BLOCKED_BENIGN), least, flag + LEAST_DISTANCE)
        if head in BLOCKING:
            block = max(block, *harmless)
        blend[head].update(flag=flag, block=block)
        found = labels[:, at] > 0.5
        print(
            f"{head:12} flag {flag:6.2f} block {block:6.2f}  of positives flagged {(z[found] >= flag).mean():.3f}"
            f" blocked {(z[found] >= block).mean():.3f}  of benign flagged {(z[benign] >= flag).mean():.4f}"
            f" blocked {(z[benign] >= block).mean():.4f}"
        )
    json.dump(blend, open(blend_file, "w"), indent=1)


def best_split(logits, positive):
    order = np.argsort(logits)
    right = np.cumsum(~positive[order]) + positive.sum() - np.cumsum(positive[order])
    at = int(np.argmax(right))
    return float((logits[order][at] + logits[order][min(at + 1, len(order) - 1)]) / 2)


if __name__ == "__main__":
    main()
