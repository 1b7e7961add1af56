"""llama.cpp's perplexity of a file, by llama-perplexity's definition. usage: llamacpp_perplexity.py MODEL.gguf TEXT CONTEXT

Needs llama-cpp-python and numpy. Chunks of CONTEXT tokens, each anew, the second half scored.
"""
import sys
import numpy as np
from llama_cpp import Llama

path, text, context = sys.argv[1], open(sys.argv[2], encoding="utf-8").read(), int(sys.argv[3])
llama = Llama(path, n_ctx=context, n_batch=context, logits_all=True, verbose=False)
tokens = llama.tokenize(text.encode(), add_bos=False, special=True)
losses = []
for index in range(len(tokens) // context):
    chunk = tokens[index * context:(index + 1) * context]
    llama.reset()
    llama.eval(chunk)
    logits = llama.scores[:context].astype(np.float64)
    for j in range(context // 2, context - 1):
        row = logits[j] - logits[j].max()
        losses.append(np.log(np.exp(row).sum()) - row[chunk[j + 1]])
print(np.exp(np.mean(losses)), len(losses))
