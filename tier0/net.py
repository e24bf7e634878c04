"""The net: rows of words, a convolution, a gated recurrence both ways, pooling, two layers."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from heads import HEADS

ROW = 48
UNITS = 56
ATTENTION = 4
HIDDEN = 64
PIECE_BUCKETS = 2_048
PADDING = 10**7


class Recurrence(torch.autograd.Function):
    """s[t] = keep[t] * s[t-1] + new[t], along the second dimension."""

    @staticmethod
    def forward(context, keep, new):
        states = torch.empty_like(new)
        state = torch.zeros_like(new[:, 0])
        for t in range(new.shape[1]):
            state = torch.addcmul(new[:, t], keep[:, t], state)
            states[:, t] = state
        context.save_for_backward(keep, states)
        return states

    @staticmethod
    def backward(context, gradient):
        keep, states = context.saved_tensors
        flowing = torch.empty_like(gradient)
        length = gradient.shape[1]
        carried = gradient[:, length - 1]
        flowing[:, length - 1] = carried
        for t in range(length - 2, -1, -1):
            carried = torch.addcmul(gradient[:, t], keep[:, t + 1], carried)
            flowing[:, t] = carried
        before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], 1)
        return flowing * before, flowing


class Net(nn.Module):
    def __init__(self, vectors, pieces):
        super().__init__()
        self.register_buffer("vectors", vectors)
        self.register_buffer("pieces", pieces)
        words = vectors.shape[0]
        self.projection = nn.Linear(vectors.shape[1], ROW, bias=False)
        self.delta = nn.Embedding(words, ROW)
        self.piece = nn.Embedding(PIECE_BUCKETS + 1, ROW, padding_idx=0)
        self.convolution = nn.Conv1d(ROW, ROW, 3, padding=1, groups=ROW)
        self.widen = nn.Linear(ROW, UNITS)
        self.gates = nn.Linear(UNITS, 2 * UNITS)
        self.attention = nn.Linear(UNITS, ATTENTION)
        self.hidden = nn.Linear(2 * UNITS, HIDDEN)
        self.output = nn.Linear(HIDDEN, len(HEADS))
        self.skip = nn.Linear(2 * UNITS, len(HEADS), bias=False)
        nn.init.normal_(self.projection.weight, std=0.25)
        nn.init.normal_(self.delta.weight, std=0.02)
        nn.init.normal_(self.piece.weight, std=0.1)
        self.piece.weight.data[0] = 0
        self.skip.weight.data *= 0.3

    def known_rows(self, ids):
        return F.embedding(ids, self.vectors) @ self.projection.weight.t() + self.delta(ids)

    def unknown_rows(self, ids):
        pieces = self.pieces[ids]
        return self.piece(pieces).sum(1) / (pieces > 0).sum(1, keepdim=True).clamp(min=1).sqrt()

    def rows(self, ids, as_unknown):
        """A row for each token. The row of a distinct word is made once."""
        words = self.vectors.shape[0]
        real = ids != PADDING
        distinct, places = torch.unique(ids.clamp(max=words - 1), return_inverse=True)
        x = F.embedding(places, self.known_rows(distinct))
        unknown = (ids >= words) & real
        if as_unknown > 0:
            unknown |= (torch.rand(ids.shape) < as_unknown) & real
        if unknown.any():
            distinct, places = torch.unique(ids[unknown], return_inverse=True)
            x = x.clone()
            x[unknown] = self.unknown_rows(distinct)[places]
        return x

    def convolve(self, x):
        """Depthwise over three tokens, added to the input."""
        weight, bias = self.convolution.weight[:, 0], self.convolution.bias
        padded = F.pad(x, (0, 0, 1, 1))
        return padded[:, :-2] * weight[:, 0] + x * (1 + weight[:, 1]) + padded[:, 2:] * weight[:, 2] + bias

    def forward(self, ids, as_unknown=0.0):
        real = (ids != PADDING).float()[..., None]
        x = self.rows(ids, as_unknown) * real
        if self.training:
            x = x * F.dropout(torch.ones(x.shape[0], 1, x.shape[2]), 0.1)
            x = F.dropout(x, 0.2)
        x = F.relu(self.widen(self.convolve(x))) * real
        gates = self.gates(x)
        gate = gates[..., :UNITS]
        update = (0.5 + 0.5 * gate / (1 + gate.abs())) * real
        candidate = gates[..., UNITS:]
        half = UNITS // 2
        both_ways = lambda t: torch.cat([t[..., :half], t[..., half:].flip(1)], 2)
        states = Recurrence.apply(both_ways(1 - update), both_ways(update * candidate))
        states = torch.cat([states[..., :half], states[..., half:].flip(1)], 2)
        x = (x + F.relu(states)) * real
        highest = (x - (1 - real) * 1e4).max(1)[0]
        attention = torch.softmax(self.attention(x) - (1 - real) * 1e4, 1)
        batch, length, units = x.shape
        quarters = x.view(batch, length, ATTENTION, units // ATTENTION)
        attended = (quarters * attention[..., None]).sum(1).reshape(batch, units)
        pooled = F.dropout(torch.cat([highest, attended], 1), 0.3, self.training)
        return self.output(F.relu(self.hidden(pooled))) + self.skip(pooled)
