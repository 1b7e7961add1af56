"""Goldens from the real SmolLM2-135M-Instruct. usage: make_real.py Q4_1.gguf Q4_0.gguf OUT_DIR

greedy.json: for each model and chat prompt the prompt's ids, the greedy continuation by exact
arithmetic with its top-2 gaps, and for one text the exact log-probabilities of the 128 likeliest
tokens at each position. tokens.jsonl: strings and ids by Hugging Face tokenizers.
"""
import json, os, random, sys
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
from model import Reference
from tokenizer import build

PROMPTS = [
    "What is the capital of France?",
    "Write a haiku about the sea.",
    "Explain photosynthesis in one sentence.",
    "Translate to German: Good morning, my friend.",
    "What is 12 times 12?",
    "Name three primary colors.",
    "Write a Python function that adds two numbers.",
    "Who wrote Romeo and Juliet?",
    "Summarize: The cat sat on the mat because it was warm and dry there.",
    "Give me a title for a story about a lonely robot. 🤖",
]
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
TEXT = ("The French Revolution began in 1789 with the convocation of the Estates General. Economic "
        "hardship, social inequality, and Enlightenment ideas all contributed to the unrest. "
        "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)")


def chat(prompt):
    return (f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{prompt}<|im_end|>\n"
            "<|im_start|>assistant\n")


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def greedy(reference, ids, count):
    """`count` greedy tokens; stops at end-of-generation or the first near tie."""
    out, gaps = [], []
    for _ in range(count):
        row = reference.logits(ids + out, last_only=True)[0]
        best = np.argsort(-row, kind="stable")[:2]
        gap = float(row[best[0]] - row[best[1]])
        if gap < 0.1:
            break
        out.append(int(best[0]))
        gaps.append(round(gap, 4))
        if out[-1] in (0, 2, 4):
            break
    return out, gaps


def strings():
    rng = random.Random(7)
    scripts = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x6FF),
               (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x2000, 0x206F), (0x2460, 0x24FF),
               (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFF00, 0xFFEF),
               (0x1D7CE, 0x1D7FF), (0x1F300, 0x1FAFF), (0x0, 0x1F), (0x7F, 0x9F), (0x660, 0x669)]
    spaces = [" ", "  ", "\t", "\n", "\n\n", "\r\n", "\u00a0", "\u3000", "   \n  ", "\u2028"]
    words = ["the", "don't", "I'LL", "we've", "it's", "SmolLM2", "<|im_end|>", "<|im_start|>user",
             "<|endoftext|>", "123", "3.14", "naïve", "日本語", "مرحبا", "नमस्ते", "👩‍👩‍👧", "🏳️‍🌈", "e\u0301",
             "x_y", "//", "'s", "''", "…", "½", "²", "Ⅷ", "\u0000", "\x04\x06", "\U000f1234", "<file_sep>"]
    def one():
        parts = []
        for _ in range(rng.randint(1, 8)):
            k = rng.random()
            if k < 0.4: parts.append(rng.choice(words))
            elif k < 0.65: parts.append(rng.choice(spaces) * rng.randint(1, 3))
            else:
                lo, hi = rng.choice(scripts)
                parts.append("".join(chr(rng.randint(lo, hi)) for _ in range(rng.randint(1, 6))))
        return "".join(parts)
    return ["", " ", "a"] + [one() for _ in range(2500)]


def main():
    q41, q40, out = sys.argv[1:]
    tokenizer = build(q41)
    with open(os.path.join(out, "tokens.jsonl"), "w") as f:
        for s in strings():
            f.write(json.dumps({"text": s, "ids": tokenizer.encode(s).ids}, separators=(",", ":")) + "\n")
    result = {}
    for name, path in (("Q4_1", q41), ("Q4_0", q40)):
        reference = Reference(path)
        prompts = []
        for p in PROMPTS:
            ids = tokenizer.encode(chat(p)).ids
            tokens, gaps = greedy(reference, ids, 16)
            prompts.append({"prompt": p, "ids": ids, "greedy": tokens, "gaps": gaps})
            print(name, p, len(tokens), flush=True)
        ids = tokenizer.encode(TEXT).ids
        lp = log_softmax(reference.logits(ids))
        top = np.argsort(-lp, axis=-1)[:, :128]
        result[name] = {"prompts": prompts, "text": {
            "ids": ids, "top": top.tolist(),
            "logprobs": np.round(np.take_along_axis(lp, top, -1), 6).tolist()}}
    json.dump(result, open(os.path.join(out, "greedy.json"), "w"), separators=(",", ":"))


main()
