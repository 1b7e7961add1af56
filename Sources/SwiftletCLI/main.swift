import Llama
import Compute
import GGUF
import Glibc
func now() -> Double { var t = timespec(); clock_gettime(CLOCK_MONOTONIC, &t); return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9 }
let a = CommandLine.arguments
let t0 = now()
let file = try GGUFFile(path: a[1])
let t1 = now()
let team = ComputeTeam(threads: Int(a[2])!, instructionSet: try .named(getenv("SWIFTLET_ISA").map { String(cString: $0) }), matmulPath: MatmulPath(rawValue: a[3])!)
let model = try LlamaModel(file, team: team)
let t2 = now()
print("open", (t1-t0)*1e3, "load", (t2-t1)*1e3, team.instructionSet)
if a.count > 5 { // logits: ids out batch
  let ids = a[4].split(separator: ",").map { Int($0)! }
  let pass = ForwardPass(model, batchSize: Int(a[6])!)
  let cache = model.makeCache(capacity: ids.count)
  let f = fopen(a[5], "w")
  pass(ids, cache: cache, wanted: .all) { _, l in fwrite(l.baseAddress, 4, l.count, f) }
  fclose(f)
} else {
  let pass = ForwardPass(model, batchSize: 512)
  for _ in 0..<4 {
    let cache = model.makeCache(capacity: 1024)
    var t = now()
    pass((0..<512).map { (7*$0) % 40000 + 100 }, cache: cache) { _, _ in }
    let pp = 512 / (now() - t)
    let c2 = model.makeCache(capacity: 256)
    t = now()
    for i in 0..<128 { pass([(13*i) % 40000 + 100], cache: c2) { _, _ in } }
    print("pp512", pp, "tg128", 128 / (now() - t))
  }
}
