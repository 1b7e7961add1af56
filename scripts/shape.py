"""Writes a model of SmolLM2-360M's shape with random weights and the real vocabulary.

usage: shape.py REAL.gguf OUT.gguf TYPE     (REAL: for the tokenizer; TYPE: Q4_0, Q4_1 or Q8_0)

Quants are bytes of numpy's RandomState, whose stream is frozen, so that every machine makes the same
file. Scales keep each matrix's gain near 1. As in the published files the embedding, which is also
the output head, is Q8_0.
"""
import sys
import numpy as np
from gguf import GGUFReader, GGUFWriter, GGMLQuantizationType as T, GGUFValueType as V

LAYERS, EMBEDDING, FEED_FORWARD, HEADS, KEY_VALUE_HEADS = 32, 960, 2560, 15, 5
SHAPE = {"llama.block_count": LAYERS, "llama.embedding_length": EMBEDDING,
         "llama.feed_forward_length": FEED_FORWARD, "llama.attention.head_count": HEADS,
         "llama.attention.head_count_kv": KEY_VALUE_HEADS, "general.name": "random weights, 360M shape",
         "general.size_label": "360M"}
# Bytes of a block of 32 before its quants, and the quants' spread around their mean.
LAYOUT = {T.Q4_0: (2, 16, 4.61), T.Q4_1: (4, 16, 4.61), T.Q8_0: (2, 32, 73.9)}

real, out, name = sys.argv[1:]
kind = T[name]
random = np.random.RandomState(360)


def scales(count, size):
    """`count` halves between 0.5 and 1.5 times `size`, as bytes [count, 2]."""
    unit = np.frombuffer(random.bytes(count), np.uint8).astype(np.float32) / 255 + 0.5
    return (unit * size).astype(np.float16).view(np.uint8).reshape(count, 2)


def matrix(rows, columns, kind, gain=1.0):
    header, quants, spread = LAYOUT[kind]
    count = rows * columns // 32
    block = np.empty((count, header + quants), np.uint8)
    block[:, :2] = scales(count, gain / (spread * columns ** 0.5))
    if kind == T.Q4_1:  # the minimum that centres the quants: -7.5 scales
        block[:, 2:4] = (block[:, :2].copy().view(np.float16) * np.float16(-7.5)).view(np.uint8)
    block[:, header:] = np.frombuffer(random.bytes(count * quants), np.uint8).reshape(count, quants)
    return block.reshape(rows, -1)


def vector(count):
    return np.frombuffer(random.bytes(count), np.uint8).astype(np.float32) / 255 + 0.5


writer = GGUFWriter(out, "llama")
for key, field in GGUFReader(real).fields.items():
    if key.startswith("GGUF.") or key == "general.architecture": continue
    kind_of = field.types[0]
    value = SHAPE.get(key, field.contents())
    if key == "general.file_type": value = {"Q4_0": 2, "Q4_1": 3, "Q8_0": 7}[name]
    writer.add_key_value(key, value, kind_of, field.types[-1] if kind_of == V.ARRAY else None)
writer.add_tensor("token_embd.weight", matrix(49152, EMBEDDING, T.Q8_0, 3.0), raw_dtype=T.Q8_0)
writer.add_tensor("output_norm.weight", vector(EMBEDDING))
for layer in range(LAYERS):
    add = lambda part, rows, columns: writer.add_tensor(
        f"blk.{layer}.{part}.weight", matrix(rows, columns, kind), raw_dtype=kind)
    writer.add_tensor(f"blk.{layer}.attn_norm.weight", vector(EMBEDDING))
    add("attn_q", EMBEDDING, EMBEDDING)
    add("attn_k", 64 * KEY_VALUE_HEADS, EMBEDDING)
    add("attn_v", 64 * KEY_VALUE_HEADS, EMBEDDING)
    add("attn_output", EMBEDDING, EMBEDDING)
    writer.add_tensor(f"blk.{layer}.ffn_norm.weight", vector(EMBEDDING))
    add("ffn_gate", FEED_FORWARD, EMBEDDING)
    add("ffn_up", FEED_FORWARD, EMBEDDING)
    add("ffn_down", EMBEDDING, FEED_FORWARD)
writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file(); writer.close()
