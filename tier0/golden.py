"""python golden.py --work <folder> --seed 0 --texts <json list> --out <file>: writes the answers of torch's
float model, to compare the shipped arithmetic with them (test/tier0/golden.json)."""

import argparse
import json
import subprocess
from pathlib import Path

import numpy as np
import torch
from heads import HEADS
from net import Net
from train_ngrams import LETTERS


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    blend = json.load(open(given.work / f"blend-{given.seed}.json"))
    sentences = json.load(open(given.texts))

    # The features of these texts, by the product's code, in a folder of their own.
    folder = given.work / "golden"
    folder.mkdir(exist_ok=True)
    with open(folder / "texts.jsonl", "w") as out:
        for text in sentences:
            out.write(json.dumps(dict(text=text)) + "\n")
    (folder / "vocabulary.json").write_bytes((given.work / "vocabulary.json").read_bytes())
    subprocess.run(["npx", "node", "features.ts", folder], check=True)
    read = lambda name: np.fromfile(folder / f"{name}.i32", np.int32)
    ids, offsets, buckets, spans, word_counts = map(read, ("ids", "offsets", "buckets", "spans", "word-counts"))

    pieces = torch.from_numpy(read("pieces").reshape(-1, 16).astype(np.int64))
    net = Net(torch.from_numpy(np.load(given.work / "vectors.npy")), pieces).eval()
    state = torch.load(given.work / f"net-{given.seed}.pt")
    state["pieces"] = pieces
    net.load_state_dict(state)
    ngrams = np.load(given.work / f"ngrams-{given.seed}.npz")

    golden = []
    for at, text in enumerate(sentences):
        with torch.no_grad():
            own = torch.from_numpy(ids[offsets[at] : offsets[at + 1]].astype(np.int64))[None]
            of_net = net(own)[0].numpy()
        found = ngrams["weights"][buckets[spans[at] : spans[at + 1]]]
        words, runs = found[: word_counts[at]], found[word_counts[at] :]
        of_ngrams = words.sum(0) / np.sqrt(max(len(words), 1)) + LETTERS * runs.sum(0) / np.sqrt(max(len(runs), 1))
        of_ngrams = of_ngrams + ngrams["bias"]
        logits = [
            blend[h]["net"] * of_net[k] + blend[h]["ngrams"] * of_ngrams[k] + blend[h]["bias"] for k, h in enumerate(HEADS)
        ]
        golden.append(dict(text=text, logits=[round(float(v), 4) for v in logits]))
    json.dump(golden, open(given.out, "w"), indent=1, ensure_ascii=False)
    given.out.write_text(given.out.read_text() + "\n")


if __name__ == "__main__":
    main()
