"""python export.py --work <folder> --seed 0 --out <file>

Writes the weights as the product reads them (src/tier0/weights.ts): tables as bytes with a scale for
each column, layers as 32-bit floats. `blend.json` of the work folder holds each head's calibration."""

import argparse
import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import torch
from heads import HEADS

MAGIC = 0x3054474E
FORMAT = 1
KNOWN_BITS_A_WORD = 8
PROBES = 5
MASK = 0xFFFFFFFF


def finish(h):
    h ^= h >> 16
    h = h * 0x85EBCA6B & MASK
    h ^= h >> 13
    h = h * 0xC2B2AE35 & MASK
    return h ^ (h >> 16)


def hash_of(text):
    h = 0x811C9DC5
    units = text.encode("utf-16-le")
    for at in range(0, len(units), 2):
        h = ((h ^ (units[at] | units[at + 1] << 8)) * 0x01000193) & MASK
    return finish(h)


def as_bytes(table):
    """(the table in -127..127, the scale of each column); no value is clipped"""
    scale = np.abs(table).max(axis=0) / 127
    return np.round(table / scale).astype(np.int8), scale


def as_roots(table):
    """(the signed roots of the table in -127..127, the scale of their squares in each column)

    No value is clipped: the outliers are words of abuse, which matter most."""
    scale = np.abs(table).max(axis=0) / 127**2
    return (np.sign(table) * np.round(np.sqrt(np.abs(table) / scale))).astype(np.int8), scale


def known_set(words):
    """A Bloom filter. src/tier0/vocabulary.ts reads it."""
    size = -(-len(words) * KNOWN_BITS_A_WORD // 32) * 32
    bits = np.zeros(size // 8, np.uint8)
    for word in words:
        first = hash_of(word)
        second = finish(first ^ 0x9E3779B9) | 1
        for probe in range(PROBES):
            bit = (first + probe * second) % size
            bits[bit >> 3] |= 1 << (bit & 7)
    return bits


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    state = {k: v.numpy() for k, v in torch.load(given.work / f"net-{given.seed}.pt").items()}
    ngrams = np.load(given.work / f"ngrams-{given.seed}.npz")
    vocabulary = json.load(open(given.work / "vocabulary.json"))
    blend = json.load(open(given.work / f"blend-{given.seed}.json"))
    words = vocabulary["words"]

    rows, row_scale = as_bytes(state["vectors"] @ state["projection.weight"].T + state["delta.weight"])
    pieces, piece_scale = as_bytes(state["piece.weight"])
    grams, gram_scale = as_roots(ngrams["weights"])

    row_of = {word: at for at, word in enumerate(words)}
    spellings = [(form, row_of[word]) for form, word in vocabulary["aliases"].items() if form not in row_of]
    hashes = [hash_of(word) for word in words] + [hash_of(form) for form, _ in spellings]
    assert len(set(hashes)) == len(hashes), "two words have one hash"

    convolution = state["convolution.weight"][:, 0, :].T.copy()
    convolution[1] += 1.0  # what is added to the input
    widen = state["widen.weight"]
    # Scales of rows are part of the next layer; a piece's is relative to a row's.
    dense = [
        convolution, widen * row_scale[None, :], state["widen.bias"] + widen @ state["convolution.bias"],
        state["gates.weight"], state["gates.bias"], state["attention.weight"], state["attention.bias"],
        state["hidden.weight"], state["hidden.bias"], state["output.weight"], state["output.bias"], state["skip.weight"],
        piece_scale / row_scale, gram_scale, ngrams["bias"],
        np.array([[blend[h][k] for k in ("net", "ngrams", "bias", "flag", "block")] for h in HEADS]),
    ]
    known = known_set(vocabulary["known"])
    profane = "\n".join(words[: vocabulary["profane"]]).encode("ascii")

    header = (MAGIC, FORMAT, len(words), len(spellings), vocabulary["profane"], len(profane), len(known))
    out = bytearray(struct.pack("<7I", *header))

    def write(array, kind):
        out.extend(np.ascontiguousarray(array, dtype=kind).tobytes())
        out.extend(b"\0" * (-len(out) % 4))

    write(hashes[: len(words)], np.uint32)
    write(hashes[len(words) :], np.uint32)
    write([row for _, row in spellings], np.uint16)
    for layer in dense:
        write(layer, np.float32)
    write(rows, np.int8)
    write(pieces, np.int8)
    write(grams, np.int8)
    write(np.frombuffer(profane, np.uint8), np.uint8)
    write(known, np.uint8)
    given.out.write_bytes(out)
    print(given.out, len(out), "bytes, SHA-256", hashlib.sha256(out).hexdigest())


if __name__ == "__main__":
    main()
