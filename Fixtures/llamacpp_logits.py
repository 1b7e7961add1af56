"""llama.cpp's logits of every position, for comparing engines.

usage: llamacpp_logits.py MODEL.gguf IDS(comma-separated) OUT   -> raw float32 [tokens, vocabulary]
"""
import ctypes, sys
import numpy as np
import llama_cpp as L


@L.llama_log_callback
def quiet(level, text, user): pass


def logits(path, ids, threads=2):
    L.llama_log_set(quiet, ctypes.c_void_p(0))
    L.llama_backend_init()
    model = L.llama_model_load_from_file(path.encode(), L.llama_model_default_params())
    size = L.llama_vocab_n_tokens(L.llama_model_get_vocab(model))
    params = L.llama_context_default_params()
    params.n_ctx = params.n_batch = max(512, len(ids)); params.n_ubatch = 512
    params.n_threads = params.n_threads_batch = threads
    context = L.llama_init_from_model(model, params)
    batch = L.llama_batch_init(len(ids), 0, 1)
    batch.n_tokens = len(ids)
    for i, token in enumerate(ids):
        batch.token[i] = token; batch.pos[i] = i; batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = 0; batch.logits[i] = 1
    assert L.llama_decode(context, batch) == 0
    rows = [np.ctypeslib.as_array(L.llama_get_logits_ith(context, i), (size,)).copy() for i in range(len(ids))]
    return np.stack(rows)


if __name__ == "__main__":
    logits(sys.argv[1], [int(i) for i in sys.argv[2].split(",")]).tofile(sys.argv[3])
