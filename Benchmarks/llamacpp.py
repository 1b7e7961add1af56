"""llama.cpp's speed through its C API (pip's llama-cpp-python), as one JSON line.

usage: llamacpp.py MODEL -t THREADS -p PROMPT -n GEN [-d DEPTH] [-b SEQUENCES] [-r REPS]
Meanings as `swiftlet bench`: a warm-up, then medians of tokens a second.
"""
import argparse, ctypes, json, time

ap = argparse.ArgumentParser()
ap.add_argument("model")
for flag, value in (("-t", 2), ("-p", 512), ("-n", 128), ("-d", 0), ("-b", 1), ("-r", 3)):
    ap.add_argument(flag, type=int, default=value)
a = ap.parse_args()
import llama_cpp as L


@L.llama_log_callback
def quiet(level, text, user): pass


L.llama_log_set(quiet, ctypes.c_void_p(0))
L.llama_backend_init()
model = L.llama_model_load_from_file(a.model.encode(), L.llama_model_default_params())
params = L.llama_context_default_params()
params.n_seq_max = a.b
params.n_ctx = a.b * (a.d + max(a.p, a.n) + 64)
params.n_batch, params.n_ubatch = 2048, 512
params.n_threads = params.n_threads_batch = a.t
context = L.llama_init_from_model(model, params)
memory = L.llama_get_memory(context)
batch = L.llama_batch_init(2048, 0, 1)


def decode(tokens):
    """tokens: (id, position, sequence, whether its logits are wanted)"""
    batch.n_tokens = len(tokens)
    for i, (token, position, sequence, wanted) in enumerate(tokens):
        batch.token[i] = token; batch.pos[i] = position; batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = sequence; batch.logits[i] = wanted
    assert L.llama_decode(context, batch) == 0
    L.llama_synchronize(context)


def fill(sequence, first, count):
    for start in range(0, count, 2048):
        end = min(start + 2048, count)
        decode([((7919 * (first + i) + 100) % 49152, first + i, sequence, i == count - 1) for i in range(start, end)])


def series(tokens, body):
    samples = []
    for repetition in range(a.r + 1):
        L.llama_memory_clear(memory, True)
        for sequence in range(a.b):
            if a.d: fill(sequence, 0, a.d)
        start = time.perf_counter()
        body()
        if repetition: samples.append(tokens / (time.perf_counter() - start))
    return sorted(samples)[len(samples) // 2]


def generate():
    for index in range(a.n):
        decode([((13 * index + 31 * s + 100) % 49152, a.d + index, s, 1) for s in range(a.b)])


print(json.dumps({"prefill_tps": series(a.p, lambda: fill(0, a.d, a.p)) if a.p else None,
                  "decode_tps": series(a.n * a.b, generate) if a.n else None}))
