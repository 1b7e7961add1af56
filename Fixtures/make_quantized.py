"""SHA-256 of what gguf-py quantizes the real model to. usage: make_quantized.py MODEL_Q4_1.gguf OUT.json

Needs llama-cpp-python as well, for Q6_K, which gguf-py does not write: `quantize_row_q6_K_ref` of ggml.

Every matrix of the file is dequantized and quantized by gguf-py; the hash is over the matrices' bytes in
the file's order. Also a small tensor of difficult blocks: zeros, ties, subnormals, large values.
"""
import ctypes, glob, hashlib, json, os, sys
import llama_cpp
import numpy as np
from gguf import GGUFReader, GGMLQuantizationType as T, dequantize, quantize

KINDS = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0]


def difficult():
    rng = np.random.default_rng(5)
    rows = [np.zeros(32), -np.zeros(32), np.full(32, 0.5), np.arange(-16, 16), np.arange(32) / 31 - 0.5,
            np.tile([1, -1], 16), np.tile([-1, 1], 16), rng.normal(size=32) * 1e-7, rng.normal(size=32) * 3e4,
            rng.normal(size=32) * 1e-30, np.where(np.arange(32) == 7, -3.0, 0.0), np.linspace(-1, 1, 32) * 127,
            np.arange(32) + 0.5, rng.integers(-8, 9, 32) / 2]
    return np.array(rows + list(rng.normal(size=(50, 32))), dtype=np.float32)


reader = GGUFReader(sys.argv[1])
matrices = [t for t in reader.tensors if len(t.shape) == 2]
sums = {kind: hashlib.sha256() for kind in KINDS}
for tensor in matrices:
    values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
    for kind in KINDS:
        sums[kind].update(np.ascontiguousarray(quantize(values, kind)).tobytes())


def six_bits(values):
    library = glob.glob(os.path.join(os.path.dirname(llama_cpp.__file__), "lib", "libggml-base.so*"))[0]
    run = ctypes.CDLL(library).quantize_row_q6_K_ref
    out = np.zeros(values.size // 256 * 210, dtype=np.uint8)
    run(values.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(values.size))
    return out.tobytes()


values = difficult()
with np.errstate(all="ignore"):
    blocks = {kind.name: quantize(values, kind).tobytes().hex() for kind in KINDS}
blocks["Q6_K"] = six_bits(values).hex()
json.dump({"matrices": len(matrices), "sha256": {kind.name: s.hexdigest() for kind, s in sums.items()},
           "values": [int(v) for v in values.view(np.uint32).reshape(-1)], "blocks": blocks},
          open(sys.argv[2], "w"), separators=(",", ":"))
