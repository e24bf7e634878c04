"""python train_ngrams.py --work <folder> [--seed 0] [--threads 1]

Trains the n-gram scorer: a weight of each head in each bucket. Sums over words and pairs of words are
divided by the root of their number. Sums over runs of letters are too, and count 0.7 of that."""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from texts import Texts
from heads import HEADS

BUCKETS = 32_768
LETTERS = 0.7
EPOCHS = 4
BATCH = 256


def bags(texts, chosen):
    starts, ends = texts.spans[chosen], texts.spans[chosen + 1]
    lengths = ends - starts
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    features = np.concatenate([texts.buckets[a:b] for a, b in zip(starts, ends)])
    scale = np.concatenate(
        [
            np.concatenate(
                [np.full(words, 1 / np.sqrt(max(words, 1))), np.full(n - words, LETTERS / np.sqrt(max(n - words, 1)))]
            )
            for n, words in zip(lengths, texts.word_counts[chosen])
        ]
    )
    return torch.from_numpy(features.astype(np.int64)), torch.from_numpy(offsets.astype(np.int64)), torch.from_numpy(scale.astype(np.float32))


def positive_weights(texts, chosen, low, high):
    """Rare positives weigh more, by the root of their rarity."""
    known = texts.labels[chosen] >= 0
    weights = texts.weights[chosen][:, None] * known
    positive = (weights * (texts.labels[chosen] > 0.5)).sum(0)
    negative = (weights * (texts.labels[chosen] <= 0.5)).sum(0)
    return torch.tensor(np.sqrt(negative / positive), dtype=torch.float32).clamp(low, high)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    random = np.random.default_rng(given.seed)

    texts = Texts(given.work)
    labels, weights = torch.from_numpy(texts.labels), torch.from_numpy(texts.weights)
    train = texts.of("train")
    bag = torch.nn.EmbeddingBag(BUCKETS, len(HEADS), mode="sum", sparse=True)
    bag.weight.data.zero_()
    bias = torch.nn.Parameter(torch.full((len(HEADS),), -1.0))
    optimizers = [torch.optim.Adagrad(bag.parameters(), lr=0.12), torch.optim.Adagrad([bias], lr=0.05)]
    positive = positive_weights(texts, train, 0.5, 20)
    begun = time.time()
    for epoch in range(EPOCHS):
        random.shuffle(train)
        total = 0.0
        for at in range(0, len(train), BATCH):
            chosen = train[at : at + BATCH]
            features, offsets, scale = bags(texts, chosen)
            logits = bag(features, offsets, per_sample_weights=scale) + bias
            target = labels[chosen]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, target.clamp(0, 1), reduction="none", pos_weight=positive
            )
            loss = (loss * (target >= 0) * weights[chosen][:, None]).sum() / len(chosen)
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            total += loss.item()
        print(f"n-grams, epoch {epoch}: loss {total / (len(train) / BATCH):.4f}, {time.time() - begun:.0f} s", flush=True)

    with torch.no_grad():
        held_out = np.concatenate([texts.of("development"), texts.of("test")])
        logits = np.full((len(texts.split), len(HEADS)), np.nan, np.float32)
        for at in range(0, len(held_out), 1024):
            chosen = held_out[at : at + 1024]
            features, offsets, scale = bags(texts, chosen)
            logits[chosen] = (bag(features, offsets, per_sample_weights=scale) + bias).numpy()
    np.savez(
        given.work / f"ngrams-{given.seed}.npz", weights=bag.weight.detach().numpy(), bias=bias.detach().numpy(), logits=logits
    )


if __name__ == "__main__":
    main()
