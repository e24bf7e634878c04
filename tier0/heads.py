"""The heads of the model, in the order of its outputs (src/tier0/heads.ts has the same)."""

HEADS = ["toxicity", "hate", "insult", "threat", "sexual", "self_harm", "negativity", "injection"]
UNKNOWN = -1.0


def labels(**known):
    """A label for each head. A head without a label is unknown and has no loss."""
    unknown = set(known) - set(HEADS)
    if unknown:
        raise ValueError(f"no such heads: {unknown}")
    return [float(known.get(head, UNKNOWN)) for head in HEADS]
