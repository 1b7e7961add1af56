"""Swiftlet against llama.cpp on the same files: interleaved runs, medians, ratios; a table and a plot.

usage: compare.py SWIFTLET MODEL.gguf [-r ROUNDS] [-t THREADS] [--quick] [--svg FILE]
Needs llama-cpp-python in the Python that runs it (CMAKE_ARGS="-DGGML_NATIVE=ON" pip install ...).

Both sides run in a process of their own each time, with a warm-up in it. `start` is the whole of a
process from its start to the first token of a chat prompt; llama.cpp's is a Python process, so the time
that `import llama_cpp` takes alone is subtracted in the second of the two lines. `memory` is the peak
resident set of a process with a context of 2048 that generates one token; of llama.cpp's, Python's own
is subtracted.
"""
import argparse, json, os, statistics, subprocess, sys, time

ap = argparse.ArgumentParser()
ap.add_argument("swiftlet"); ap.add_argument("model")
ap.add_argument("-r", type=int, default=5); ap.add_argument("-t", type=int, default=2)
ap.add_argument("--quick", action="store_true", help="leave out depth and batches")
ap.add_argument("--svg")
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


def run(command):
    """Seconds and peak MiB of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def figures(command):
    return json.loads(subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout)


# Name, arguments of both benchmarks, and the figure.
SERIES = [("prompt of 512 (tok/s)", "-p 512 -n 0", "prefill_tps"), ("reply of 128 (tok/s)", "-p 0 -n 128", "decode_tps")]
if not a.quick:
    SERIES += [("prompt of 1024 at depth 2048 (tok/s)", "-p 1024 -n 0 -d 2048", "prefill_tps"),
               ("reply of 64 at depth 2048 (tok/s)", "-p 0 -n 64 -d 2048", "decode_tps"),
               ("16 replies of 64 at once (tok/s)", "-p 0 -n 64 -b 16", "decode_tps"),
               # As `llama-batched-bench -npp 512 -npl 16` has it.
               ("the same after prompts of 512 (tok/s)", "-p 0 -n 64 -d 512 -b 16", "decode_tps")]
chat = "What is the capital of France?"
ids = subprocess.run([a.swiftlet, "tokenize", "-m", a.model, "--ids",
                      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
                      f"<|im_start|>user\n{chat}<|im_end|>\n<|im_start|>assistant\n"],
                     stdout=subprocess.PIPE, check=True).stdout.decode().strip().replace(" ", ",")
rows = {name: ([], []) for name, _, _ in SERIES}
fractions = []
extra = ["start to first token (ms)", "the same less `import llama_cpp` (ms)", "peak memory (MiB)"]
rows.update({name: ([], []) for name in extra})
for _ in range(a.r):
    for name, arguments, figure in SERIES:
        common = ["-t", str(a.t), "-r", "1", *arguments.split()]
        ours = figures([a.swiftlet, "bench", "-m", a.model, "--json", *common])
        rows[name][0].append(ours[figure])
        if name.startswith("reply of 128"): fractions.append(ours["limit_fraction"])
        rows[name][1].append(figures([sys.executable, os.path.join(here, "llamacpp.py"), a.model, *common])[figure])
    mine, memory = run([a.swiftlet, "run", "-m", a.model, "-t", str(a.t), "-n", "1", chat])
    whole, peak = run([sys.executable, "-c", START, a.model, str(a.t), ids])
    bare, python = run([sys.executable, "-c", "import llama_cpp"])
    rows[extra[0]][0].append(1e3 * mine); rows[extra[0]][1].append(1e3 * whole)
    rows[extra[1]][0].append(1e3 * mine); rows[extra[1]][1].append(1e3 * (whole - bare))
    rows[extra[2]][0].append(memory); rows[extra[2]][1].append(peak - python)

show = lambda v: f"{statistics.median(v):.0f} ({min(v):.0f} to {max(v):.0f})"
ratios = {name: statistics.median(x) / statistics.median(y) for name, (x, y) in rows.items()}
print("| measure | Swiftlet | llama.cpp | ratio |\n|---|---:|---:|---:|")
for name, (x, y) in rows.items():
    print(f"| {name} | {show(x)} | {show(y)} | {ratios[name]:.2f} |")
print(f"\nA reply of 128 reaches {statistics.median(fractions):.2f} ({min(fractions):.2f} to {max(fractions):.2f}) "
      "of the bandwidth that its threads read in the same run.")

if a.svg:
    bars = [(name, ratios[name]) for name, _, _ in SERIES]
    width, left, scale = 720, 270, 400 / max(6, max(r for _, r in bars))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{40 + 34 * len(bars)}" '
             'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>',
             f'<line x1="{left + scale}" y1="8" x2="{left + scale}" y2="{14 + 34 * len(bars)}" stroke="#888"/>',
             f'<text x="{left + scale}" y="{32 + 34 * len(bars)}" fill="#555" text-anchor="middle">llama.cpp = 1</text>']
    for i, (name, ratio) in enumerate(bars):
        y = 12 + 34 * i
        parts.append(f'<text x="{left - 8}" y="{y + 16}" text-anchor="end">{name.replace(" (tok/s)", "")}</text>'
                     f'<rect x="{left}" y="{y}" width="{ratio * scale:.0f}" height="22" fill="#e8590c"/>'
                     f'<text x="{left + ratio * scale + 6:.0f}" y="{y + 16}">{ratio:.1f}</text>')
    open(a.svg, "w").write("\n".join(parts) + "\n</svg>\n")
