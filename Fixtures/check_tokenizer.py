"""Compares `swiftlet tokenize --jsonl` with Hugging Face tokenizers.

usage: check_tokenizer.py SWIFTLET MODEL.gguf   -> prints the number of differences, exits 1 if any
"""
import json, os, random, subprocess, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
from tokenizer import build

binary, model = sys.argv[1:]
rng = random.Random(20)
letters = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
texts = list(letters)
texts += ["a" + c + "'s " + c for c in letters]
pools = [letters[:128], letters[:0x3000], letters]
for _ in range(20000):
    pool = rng.choice(pools)
    texts.append("".join(rng.choice(pool if rng.random() < 0.7 else [" ", "\n", "'s", "1", "<|im_end|>"])
                         for _ in range(rng.randint(1, 40))))
theirs = [e.ids for e in build(model).encode_batch(texts)]
lines = "".join(json.dumps(t) + "\n" for t in texts)
run = subprocess.run([binary, "tokenize", "-m", model, "--jsonl"], input=lines.encode(), stdout=subprocess.PIPE, check=True)
ours = [json.loads(l)["ids"] for l in run.stdout.splitlines()]
assert len(ours) == len(theirs), (len(ours), len(theirs))
bad = [(t, a, b) for t, a, b in zip(texts, ours, theirs) if a != b]
for t, a, b in bad[:20]:
    print(json.dumps(t), "ours", a, "theirs", b)
print(f"{len(texts)} texts, {len(bad)} differences")
sys.exit(bool(bad))
