"""Exact perplexity of the real model. usage: make_perplexity.py MODEL_Q4_0.gguf REFERENCE_Q4_1.gguf OUT.json

By llama-perplexity's definition: chunks of a context, each anew, the second half scored; float64 numpy. Also
the mean KL divergence from the reference file's probabilities. Tokens come from Hugging Face's tokenizer.
"""
import json, os, sys
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "reference"))
from model import Reference
from tokenizer import build

CONTEXT, CHUNKS = 96, 4


def log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


model, other, out = sys.argv[1:]
text = open(os.path.join(HERE, "..", "LICENSE"), encoding="utf-8").read()
tokens = build(model).encode(text, add_special_tokens=False).ids
models = [Reference(path) for path in (model, other)]
losses, divergences, same = [], [], 0
for index in range(CHUNKS):
    chunk = tokens[index * CONTEXT:(index + 1) * CONTEXT]
    p, q = (log_softmax(m.logits(chunk)) for m in models)
    for j in range(CONTEXT // 2, CONTEXT - 1):
        losses.append(-p[j, chunk[j + 1]])
        divergences.append(float((np.exp(q[j]) * (q[j] - p[j])).sum()))
        same += p[j].argmax() == q[j].argmax()
result = {"context": CONTEXT, "chunks": CHUNKS, "tokens": len(losses), "perplexity": float(np.exp(np.mean(losses))),
          "divergence": float(np.mean(divergences)), "same_top": float(same / len(losses))}
print(len(tokens), result)
json.dump(result, open(out, "w"))
