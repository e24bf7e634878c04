"""python blend.py --work <folder> --seed 0: calibrates the blend of net and n-grams in each head by a
weighted logistic loss on development data. The shares of the two are fixed: fitted shares prefer the net
and are worse on texts of other kinds. Points are chosen afterwards (points.py)."""

import argparse
import json
from pathlib import Path

import numpy as np
from heads import HEADS
from scipy.optimize import minimize
from texts import Texts

SHARES = {head: (0.6, 0.5) for head in HEADS}
# Sums of n-grams say little about long prose.
SHARES["sexual"] = (1.0, 0.1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    texts = Texts(given.work)
    chosen = texts.of("development")
    net = np.load(given.work / f"net-logits-{given.seed}.npz")["logits"][chosen]
    ngrams = np.load(given.work / f"ngrams-{given.seed}.npz")["logits"][chosen]
    weights = texts.weights[chosen] * np.where(texts.own[chosen], 0.5, 1)
    blend = {}
    for at, head in enumerate(HEADS):
        known = texts.labels[chosen, at] >= 0
        target, weight = texts.labels[chosen][known, at], weights[known]
        share_net, share_ngrams = SHARES[head]
        mixed = share_net * net[known, at] + share_ngrams * ngrams[known, at]

        def loss(parameters):
            scale, bias = parameters
            p = 1 / (1 + np.exp(-np.clip(scale * mixed + bias, -30, 30)))
            entropy = -(target * np.log(p + 1e-9) + (1 - target) * np.log(1 - p + 1e-9))
            return (weight * entropy).sum() / weight.sum() + 1e-3 * scale * scale

        scale, bias = minimize(loss, [1, 0], method="L-BFGS-B", bounds=[(0.05, 4), (-6, 6)]).x
        blend[head] = dict(net=scale * share_net, ngrams=scale * share_ngrams, bias=bias, flag=0.0, block=1.0)
        print(f"{head:12} scale {scale:.2f} bias {bias:.2f}")
    json.dump(blend, open(given.work / f"blend-{given.seed}.json", "w"))


main()
