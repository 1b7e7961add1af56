"""llama.cpp's speed through its C API (pip's llama-cpp-python), as one JSON line.

usage: llamacpp.py MODEL -t THREADS -p PROMPT -n GEN [-d DEPTH] [-r REPS]
"""
import argparse, ctypes, json, os, sys, time

ap = argparse.ArgumentParser()
ap.add_argument("model"); ap.add_argument("-t", type=int, default=2); ap.add_argument("-p", type=int, default=512)
ap.add_argument("-n", type=int, default=128); ap.add_argument("-d", type=int, default=0); ap.add_argument("-r", type=int, default=3)
a = ap.parse_args()
import llama_cpp as L

@L.llama_log_callback
def quiet(level, text, user): pass
L.llama_log_set(quiet, ctypes.c_void_p(0))
L.llama_backend_init()
model = L.llama_model_load_from_file(a.model.encode(), L.llama_model_default_params())
cp = L.llama_context_default_params()
cp.n_ctx = max(a.p, a.d + a.n, a.d + a.p) + 64; cp.n_batch = 2048; cp.n_ubatch = 512; cp.n_threads = a.t; cp.n_threads_batch = a.t
ctx = L.llama_init_from_model(model, cp)
mem = L.llama_get_memory(ctx)

def decode(toks):
    arr = (L.llama_token * len(toks))(*toks)
    assert L.llama_decode(ctx, L.llama_batch_get_one(arr, len(toks))) == 0
    L.llama_synchronize(ctx)

def fill(n):
    done = 0
    while done < n:
        k = min(2048, n - done); decode([(7 * (done + i)) % 40000 + 100 for i in range(k)]); done += k

pp, tg = [], []
for rep in range(a.r + 1):
    if a.p:
        L.llama_memory_clear(mem, True); fill(a.d)
        t = time.perf_counter(); fill(a.p); dt = time.perf_counter() - t
        if rep: pp.append(a.p / dt)
    if a.n:
        L.llama_memory_clear(mem, True); fill(a.d) if a.d else decode([1])
        t = time.perf_counter()
        for i in range(a.n): decode([(13 * i) % 40000 + 100])
        dt = time.perf_counter() - t
        if rep: tg.append(a.n / dt)
med = lambda v: sorted(v)[len(v) // 2] if v else None
print(json.dumps({"prefill_tps": med(pp), "decode_tps": med(tg)}))
