"""Goldens of the random model of 360M's shape. usage: make_360m.py SHAPE.gguf OUT_DIR

SHAPE.gguf: as `scripts/model --shape` leaves it. shape-360m.json: exact logits of some rows at every
97th vocabulary entry, and llama.cpp's error on the same file: sum((a - b)^2) / sum(b^2).
"""
import json, os, sys
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
from model import Reference
from llamacpp_logits import logits as llamacpp

path, out = sys.argv[1:]
tokens = [(7919 * i) % 49000 + 17 for i in range(40)]
rows, step = [0, 1, 20, 39], 97
exact = Reference(path).logits(tokens)[rows][:, ::step]
theirs = llamacpp(path, tokens)[rows][:, ::step].astype(np.float64)
error = float(((theirs - exact) ** 2).sum() / (exact ** 2).sum())
print(f"llama.cpp's error {error:.3g}")
json.dump({"tokens": tokens, "rows": rows, "step": step, "llamaCppError": error,
           "logits": np.round(exact, 6).tolist()},
          open(os.path.join(out, "shape-360m.json"), "w"), separators=(",", ":"))
