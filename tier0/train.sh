#!/usr/bin/env bash
# train.sh <data> <work> <glove package> <python> [seed]: makes a file of weights from the texts.
set -euo pipefail
data=$(realpath "$1") work=$(realpath -m "$2") glove=$(realpath "$3") python=$4 seed=${5:-0}
cd "$(dirname "$0")"
mkdir -p "$work"

[ -f "$work/glove.npy" ] || "$python" embeddings.py --package "$glove" --work "$work"
if [ ! -f "$work/pieces.i32" ]; then
  "$python" prepare.py --data "$data" --work "$work"
  "$python" lexicon.py --data "$data" --out "$work/profane.json"
  npx node count-words.ts "$work"
  "$python" vocabulary.py --data "$data" --work "$work"
  npx node features.ts "$work"
fi
"$python" train_ngrams.py --work "$work" --seed "$seed"
"$python" train_net.py --work "$work" --seed "$seed"
"$python" blend.py --work "$work" --seed "$seed"
weights=$work/tier0-$seed.bin
"$python" export.py --work "$work" --seed "$seed" --out "$weights"
npx node development-logits.ts "$work" "$weights" "$seed"
"$python" points.py --work "$work" --seed "$seed"
"$python" export.py --work "$work" --seed "$seed" --out "$weights"
