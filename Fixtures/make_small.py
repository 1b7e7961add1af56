"""Small goldens: block formats and two-layer models with random weights. usage: make_small.py OUT_DIR

Expected values come from gguf-py's dequantize and from reference/model.py in float64.
"""
import json, os, sys
import numpy as np
from gguf import GGUFWriter, GGMLQuantizationType as T, GGML_QUANT_SIZES, dequantize, quantize, GGUFEndian

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
from model import Reference

OUT = sys.argv[1]
RNG = np.random.default_rng(11)
QUANTIZED = [T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q4_K, T.Q5_K, T.Q6_K]
# Where each type's half-precision scales lie in a block.
HALVES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}


def random_blocks(kind, rows, columns, scale):
    """Random bytes, with scales of a sensible size."""
    values, size = GGML_QUANT_SIZES[kind]
    blocks = RNG.integers(0, 256, (rows, columns // values, size), dtype=np.uint8)
    for at in HALVES[kind]:
        halves = (RNG.uniform(0.2, 1.0, (rows, columns // values, 1)) * scale).astype(np.float16)
        blocks[:, :, at:at + 2] = halves.view(np.uint8)
    return blocks.reshape(rows, -1)


def make_blocks():
    out = {}
    for kind in QUANTIZED:
        raw = random_blocks(kind, 3, 512, 0.01)
        out[kind.name] = {"columns": 512, "bytes": raw.tobytes().hex(),
                          "values": [float(np.float32(v)) for v in dequantize(raw, kind).reshape(-1)]}
    floats = RNG.normal(size=512).astype(np.float32)
    for kind, raw in ((T.F16, floats.astype(np.float16).view(np.uint8)), (T.BF16, quantize(floats, T.BF16).view(np.uint8))):
        values = dequantize(raw.reshape(1, -1), kind).reshape(-1)
        out[kind.name] = {"columns": 512, "bytes": raw.tobytes().hex(), "values": [float(v) for v in values]}
    json.dump(out, open(os.path.join(OUT, "blocks.json"), "w"), separators=(",", ":"))


def make_model(name, kind, tied):
    # K-quants need rows of 256; floats are large, so their models are smaller.
    small = kind in (T.F32, T.F16, T.BF16)
    layers, embd, ffn, heads, kv, vocab = (1, 128, 128, 2, 1, 41) if small else (2, 256, 256, 4, 2, 41)
    path = os.path.join(OUT, f"tiny-{name}.gguf")
    w = GGUFWriter(path, "llama")
    w.add_block_count(layers); w.add_context_length(640); w.add_embedding_length(embd)
    w.add_feed_forward_length(ffn); w.add_head_count(heads); w.add_head_count_kv(kv)
    w.add_layer_norm_rms_eps(1e-5); w.add_rope_freq_base(10000.0); w.add_rope_dimension_count(embd // heads)
    w.add_vocab_size(vocab)
    letters = list("abcdefghijklmnopqrstuvwxyz0123456789") + ["Ġ", "ab", "abc"]
    w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre("smollm")
    w.add_token_list(["<|endoftext|>", "<|im_end|>"] + letters)
    w.add_token_types([3, 3] + [1] * len(letters)); w.add_token_merges(["a b", "ab c"])
    w.add_eos_token_id(1)
    def put(tensor, rows, columns, scale):
        if kind in (T.F32, T.F16):
            x = RNG.normal(size=(rows, columns)).astype(np.float32) * np.float32(scale)
            w.add_tensor(tensor, x if kind == T.F32 else x.astype(np.float16))
        elif kind == T.BF16:
            x = RNG.normal(size=(rows, columns)).astype(np.float32) * np.float32(scale)
            w.add_tensor(tensor, quantize(x, T.BF16), raw_dtype=T.BF16)
        elif kind in (T.Q4_K, T.Q5_K, T.Q6_K):
            w.add_tensor(tensor, random_blocks(kind, rows, columns, scale / {T.Q4_K: 400, T.Q5_K: 800, T.Q6_K: 2000}[kind]), raw_dtype=kind)
        else:
            x = RNG.normal(size=(rows, columns)).astype(np.float32) * np.float32(scale)
            w.add_tensor(tensor, quantize(x, kind), raw_dtype=kind)
    def norm(tensor): w.add_tensor(tensor, RNG.uniform(0.5, 1.5, embd).astype(np.float32))
    put("token_embd.weight", vocab, embd, 0.15)
    for i in range(layers):
        b = f"blk.{i}."
        norm(b + "attn_norm.weight")
        put(b + "attn_q.weight", embd, embd, 0.09); put(b + "attn_k.weight", kv * 64, embd, 0.09)
        put(b + "attn_v.weight", kv * 64, embd, 0.06); put(b + "attn_output.weight", embd, embd, 0.06)
        norm(b + "ffn_norm.weight")
        put(b + "ffn_gate.weight", ffn, embd, 0.06); put(b + "ffn_up.weight", ffn, embd, 0.06)
        put(b + "ffn_down.weight", embd, ffn, 0.06)
    norm("output_norm.weight")
    if not tied: put("output.weight", vocab, embd, 0.06)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    # 300 tokens cross the border of an attention span (256 positions).
    tokens = [int(t) for t in RNG.integers(2, vocab, 300)]
    logits = Reference(path).logits(tokens)
    rows = list(range(0, 8)) + [254, 255, 256, 257, 299]
    json.dump({"tokens": tokens, "rows": rows, "logits": [[round(float(v), 6) for v in logits[r]] for r in rows]},
              open(os.path.join(OUT, f"tiny-{name}.json"), "w"), separators=(",", ":"))
    print(name, os.path.getsize(path), "logits std", logits.std())


make_blocks()
for kind in QUANTIZED + [T.F32, T.F16, T.BF16]:
    make_model(kind.name.lower(), kind, tied=kind not in (T.Q4_1, T.F16))
