"""Mean KL divergence to exact arithmetic: Swiftlet's paths and llama.cpp on the same tokens.

usage: divergence.py SWIFTLET MODEL.gguf [TEXT_FILE]   (needs llama-cpp-python, gguf, numpy)
"""
import os, subprocess, sys, tempfile
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
from model import Reference
from llamacpp_logits import logits as llamacpp

TEXT = open(sys.argv[3]).read() if len(sys.argv) > 3 else (
    "The French Revolution began in 1789 with the convocation of the Estates General. Economic "
    "hardship, social inequality, and Enlightenment ideas all contributed to the unrest. "
    "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
    "Water boils at 100 degrees Celsius at sea level. In the mountains, where the air is thinner, it "
    "boils sooner, and so pasta takes longer to cook. Alice asked: \"Why is a raven like a writing "
    "desk?\" Nobody at the table knew, but the Hatter opened his eyes very wide on hearing this.")


def log_softmax(x):
    x = x.astype(np.float64); x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def divergence(exact, other):
    other = log_softmax(other)
    return float((np.exp(exact) * (exact - other)).sum(-1).mean())


def main():
    swiftlet, model = sys.argv[1:3]
    ids = subprocess.run([swiftlet, "tokenize", "-m", model, "--ids", TEXT], stdout=subprocess.PIPE,
                         check=True).stdout.decode().split()
    exact = log_softmax(Reference(model).logits([int(i) for i in ids]))
    print(f"{len(ids)} tokens")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "logits")
        for isa, path, *more in (("avx512", "native"), ("avx2", "native"), ("portable", "native"), ("", "openblas"),
                                 ("", "native", "--cache-type", "int8"), ("", "native", "--cache-type", "f16")):
            done = subprocess.run([swiftlet, "logits", "-m", model, "--ids", ",".join(ids), "-o", out, "--matmul", path,
                                   *more], env=dict(os.environ, SWIFTLET_ISA=isa))
            if done.returncode: continue
            ours = np.fromfile(out, np.float32).reshape(len(ids), -1)
            print(f"Swiftlet {' '.join([path, isa, *more])}: {divergence(exact, ours):.3g}", flush=True)
    print(f"llama.cpp: {divergence(exact, llamacpp(model, [int(i) for i in ids])):.3g}")


main()
