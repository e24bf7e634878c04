"""The prepared texts and their features, as arrays."""

import json

import numpy as np

PIECES = 16


class Texts:
    def __init__(self, work):
        rows = self.read_rows(work)
        read = lambda name: np.fromfile(work / f"{name}.i32", np.int32)
        self.labels, self.weights, self.source, self.split = (rows[k] for k in ("labels", "weights", "source", "split"))
        self.own = np.char.startswith(self.source, "own_")
        self.ids, self.offsets = read("ids"), read("offsets")
        self.buckets, self.spans = read("buckets"), read("spans")
        self.word_counts = read("word-counts")
        self.pieces = read("pieces").reshape(-1, PIECES)

    @staticmethod
    def read_rows(work):
        """The texts' arrays, cached beside them: reading the texts takes longer than an epoch of n-grams."""
        kept, texts = work / "rows.npz", work / "texts.jsonl"
        if not kept.exists() or kept.stat().st_mtime < texts.stat().st_mtime:
            rows = [json.loads(line) for line in open(texts)]
            np.savez(
                kept, labels=np.array([row["labels"] for row in rows], np.float32),
                weights=np.array([row["weight"] for row in rows], np.float32),
                source=np.array([row["source"] for row in rows]), split=np.array([row["split"] for row in rows]),
            )
        return np.load(kept)

    def of(self, split):
        return np.where(self.split == split)[0]

    def lengths(self):
        return self.offsets[1:] - self.offsets[:-1]
