"""python train_net.py --work <folder> [--seed 0] [--epochs 5] [--threads 1]"""

import argparse
import copy
import json
import time
from pathlib import Path

import numpy as np
import torch
from heads import HEADS
from net import PADDING, Net
from texts import Texts
from train_ngrams import positive_weights

BATCH = 256
LONGEST = 128
RATE = 2e-3
SMOOTHING = 0.02
HEAD_WEIGHTS = torch.tensor([1.0, 1.3, 0.8, 1.0, 1.0, 1.0, 1.0, 0.5])
assert len(HEAD_WEIGHTS) == len(HEADS)

# Words for groups. Training swaps them, so that no group is a sign of hate.
PLURALS = """women gays lesbians bisexuals homosexuals blacks africans whites asians indians pakistanis arabs latinos latinas
hispanics mexicans jews muslims christians catholics hindus sikhs buddhists atheists immigrants migrants refugees foreigners
poles russians nigerians somalis turks feminists transsexuals cripples chinese japanese koreans palestinians israelis""".split()
ADJECTIVES = """gay black white asian jewish muslim arab chinese disabled mexican indian african transgender trans latino
autistic deaf queer lesbian christian catholic hindu sikh pakistani somali nigerian foreign immigrant refugee
bisexual""".split()


class Batches:
    def __init__(self, texts, words, random):
        self.texts = texts
        self.random = random
        row = {word: at for at, word in enumerate(words)}
        self.size = len(words)
        self.groups = [np.array([row[w] for w in group if w in row]) for group in (PLURALS, ADJECTIVES)]
        self.kind = np.zeros(self.size + 1, np.int8)
        for kind, rows in enumerate(self.groups, 1):
            self.kind[rows] = kind

    def ids(self, chosen, longest, varied=False):
        starts = self.texts.offsets[chosen]
        lengths = np.minimum(self.texts.offsets[chosen + 1] - starts, longest)
        ids = np.full((len(chosen), max(int(lengths.max()), 1)), PADDING, np.int64)
        for at, (start, length) in enumerate(zip(starts, lengths)):
            ids[at, :length] = self.texts.ids[start : start + length]
        if varied:
            self.vary(ids)
        return torch.from_numpy(ids)

    def vary(self, ids):
        """Drops tokens and swaps groups."""
        drop = (self.random.random(ids.shape) < 0.05) & (self.random.random((len(ids), 1)) < 0.6)
        drop[:, 0] = False
        ids[drop] = PADDING
        swapped = self.random.random((len(ids), 1)) < 0.3
        kind = self.kind[np.minimum(ids, self.size)] * ((ids < self.size) & swapped)
        for number, rows in enumerate(self.groups, 1):
            places = kind == number
            ids[places] = self.random.choice(rows, places.sum())

    def of_like_length(self, chosen):
        lengths = self.texts.lengths()
        order = self.random.permutation(chosen)
        batches = []
        for at in range(0, len(order), BATCH * 40):
            part = order[at : at + BATCH * 40]
            part = part[np.argsort(lengths[part], kind="stable")]
            batches += [part[i : i + BATCH] for i in range(0, len(part), BATCH)]
        return [batches[at] for at in self.random.permutation(len(batches))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    random = np.random.default_rng(given.seed)

    texts = Texts(given.work)
    vocabulary = json.load(open(given.work / "vocabulary.json"))
    net = Net(torch.from_numpy(np.load(given.work / "vectors.npy")), torch.from_numpy(texts.pieces.astype(np.int64)))
    averaged = copy.deepcopy(net).eval()
    batches = Batches(texts, vocabulary["words"], random)
    train = texts.of("train")
    labels, weights = torch.from_numpy(texts.labels), torch.from_numpy(texts.weights)
    positive = positive_weights(texts, train, 0.5, 8)
    rows = [p for n, p in net.named_parameters() if n.startswith(("delta", "piece"))]
    others = [p for n, p in net.named_parameters() if not n.startswith(("delta", "piece"))]
    groups = [dict(params=rows, weight_decay=0.25), dict(params=others, weight_decay=0.01)]
    optimizer = torch.optim.AdamW(groups, lr=RATE, fused=True)
    steps, all_steps = 0, given.epochs * (len(train) // BATCH)
    begun = time.time()
    for epoch in range(given.epochs):
        net.train()
        total = 0.0
        for chosen in batches.of_like_length(train):
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1, (steps + 1) / 300) * (1 - 0.97 * min(1, steps / all_steps))
            logits = net(batches.ids(chosen, LONGEST, varied=True), 0.08)
            target = labels[chosen]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, target.clamp(0, 1) * (1 - 2 * SMOOTHING) + SMOOTHING, reduction="none", pos_weight=positive
            )
            loss = (loss * (target >= 0) * weights[chosen][:, None] * HEAD_WEIGHTS).sum() / len(chosen)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            steps += 1
            total += loss.item()
            if steps % 4 == 0:
                keep = min(0.998, steps / (steps + 20)) ** 4
                with torch.no_grad():
                    for mean, now in zip(averaged.parameters(), net.parameters()):
                        mean.lerp_(now, 1 - keep)
        print(f"net, epoch {epoch}: loss {total / (all_steps / given.epochs):.4f}, {time.time() - begun:.0f} s", flush=True)

    held_out = np.concatenate([texts.of("development"), texts.of("test")])
    held_out = held_out[np.argsort(texts.lengths()[held_out], kind="stable")]
    logits = np.full((len(texts.split), len(HEADS)), np.nan, np.float32)
    with torch.no_grad():
        for at in range(0, len(held_out), 512):
            chosen = held_out[at : at + 512]
            logits[chosen] = averaged(batches.ids(chosen, 256)).numpy()
    np.savez(given.work / f"net-logits-{given.seed}.npz", logits=logits)
    torch.save(averaged.state_dict(), given.work / f"net-{given.seed}.pt")


if __name__ == "__main__":
    main()
