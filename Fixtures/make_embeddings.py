#!/usr/bin/env python3
"""Writes embeddings.json: mean-pooled embeddings of a few texts by llama.cpp, of length 1.

usage: make_embeddings.py MODEL.gguf   (needs pip's llama-cpp-python; written with 0.3.36)
"""
import json
import pathlib
import sys

import llama_cpp
import numpy as np

TEXTS = [
    "The cat sat on the mat.",
    "A kitten was lying on the rug.",
    "Interest rates rose by half a percent.",
    "Die Katze saß auf der Matte. 猫がマットの上に座った。",
    "x",
]
model = llama_cpp.Llama(
    sys.argv[1], embedding=True, pooling_type=llama_cpp.LLAMA_POOLING_TYPE_MEAN, n_ctx=512,
    verbose=False)
result = []
for text in TEXTS:
    vector = np.asarray(model.embed(text, normalize=False), dtype=np.float64)
    vector /= np.linalg.norm(vector)
    result.append({"text": text, "vector": [round(float(x), 7) for x in vector]})
path = pathlib.Path(__file__).parent / "embeddings.json"
path.write_text(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")
print(path, [round(float(np.dot(result[0]["vector"], r["vector"])), 4) for r in result])
