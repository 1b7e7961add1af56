"""Swiftlet against llama.cpp on one file: interleaved runs, medians, ratios.

usage: compare.py SWIFTLET MODEL.gguf [-r ROUNDS] [-t THREADS]
Needs llama-cpp-python in the Python that runs it (CMAKE_ARGS="-DGGML_NATIVE=ON" pip install ...).

Prompt: 512 tokens; reply: 128 tokens; start: from process start to the first token of a chat prompt.
llama.cpp is measured after a warm-up in the same process; Swiftlet in a process of its own each time.
"""
import argparse, json, os, statistics, subprocess, sys, time

ap = argparse.ArgumentParser()
ap.add_argument("swiftlet"); ap.add_argument("model")
ap.add_argument("-r", type=int, default=5); ap.add_argument("-t", type=int, default=2)
a = ap.parse_args()
here = os.path.dirname(os.path.abspath(__file__))

START = """
import ctypes, sys, llama_cpp as L
@L.llama_log_callback
def quiet(level, text, user): pass
L.llama_log_set(quiet, ctypes.c_void_p(0))
L.llama_backend_init()
m = L.llama_model_load_from_file(sys.argv[1].encode(), L.llama_model_default_params())
p = L.llama_context_default_params(); p.n_ctx = 2048; p.n_threads = p.n_threads_batch = int(sys.argv[2])
c = L.llama_init_from_model(m, p)
ids = [int(i) for i in sys.argv[3].split(",")]
a = (L.llama_token * len(ids))(*ids)
assert L.llama_decode(c, L.llama_batch_get_one(a, len(ids))) == 0
l = L.llama_get_logits_ith(c, -1)
max(range(49152), key=lambda i: l[i])
"""


def ours(*arguments):
    command = [a.swiftlet, "run", "-m", a.model, "-t", str(a.t), "--temperature", "0", "--json", *arguments]
    return json.loads(subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout)


def seconds(command):
    t = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - t


prompt = "the" + " the" * 511
chat = "What is the capital of France?"
ids = subprocess.run([a.swiftlet, "tokenize", "-m", a.model, "--ids",
                      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
                      f"<|im_start|>user\n{chat}<|im_end|>\n<|im_start|>assistant\n"],
                     stdout=subprocess.PIPE, check=True).stdout.decode().strip().replace(" ", ",")
rows = {"prompt of 512 (tok/s)": ([], []), "reply of 128 (tok/s)": ([], []), "start to first token (ms)": ([], []),
        "the same less `import llama_cpp` (ms)": ([], [])}
for _ in range(a.r):
    run = ours("--raw", "-n", "1", prompt)
    assert run["prompt_tokens"] == 512, run["prompt_tokens"]
    rows["prompt of 512 (tok/s)"][0].append(run["timings"]["prefill_tps"])
    rows["reply of 128 (tok/s)"][0].append(ours("--raw", "-n", "128", "Once upon a time")["timings"]["decode_tps"])
    theirs = json.loads(subprocess.run([sys.executable, os.path.join(here, "llamacpp.py"), a.model, "-t", str(a.t), "-p", "512",
                                        "-n", "128", "-r", "1"], stdout=subprocess.PIPE, check=True).stdout)
    rows["prompt of 512 (tok/s)"][1].append(theirs["prefill_tps"])
    rows["reply of 128 (tok/s)"][1].append(theirs["decode_tps"])
    mine = 1e3 * seconds([a.swiftlet, "run", "-m", a.model, "-t", str(a.t), "-n", "1", chat])
    whole = 1e3 * seconds([sys.executable, "-c", START, a.model, str(a.t), ids])
    bare = 1e3 * seconds([sys.executable, "-c", "import llama_cpp"])
    rows["start to first token (ms)"][0].append(mine); rows["start to first token (ms)"][1].append(whole)
    rows["the same less `import llama_cpp` (ms)"][0].append(mine)
    rows["the same less `import llama_cpp` (ms)"][1].append(whole - bare)
print("| measure | Swiftlet | llama.cpp | ratio |\n|---|---:|---:|---:|")
show = lambda v: f"{statistics.median(v):.0f} ({min(v):.0f} to {max(v):.0f})"
for name, (x, y) in rows.items():
    print(f"| {name} | {show(x)} | {show(y)} | {statistics.median(x) / statistics.median(y):.2f} |")
