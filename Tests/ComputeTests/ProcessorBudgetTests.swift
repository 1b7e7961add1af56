import Foundation
import Testing

@testable import Compute

@Suite struct ProcessorBudgetTests {
  /// A folder with the given files, as `/proc` and `/sys` would hold them.
  private func budget(_ files: [String: String], _ body: (ProcessorBudget) throws -> Void) throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in files {
      let url = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    try body(ProcessorBudget(root: root.path))
  }

  @Test("a quota of version 2 is rounded down, and the tightest of the groups above counts")
  func versionTwo() throws {
    try budget([
      "proc/self/cgroup": "0::/pod/app\n", "sys/fs/cgroup/pod/app/cpu.max": "max 100000\n",
      "sys/fs/cgroup/pod/cpu.max": "350000 100000\n",
    ]) { #expect($0.quota == 3) }
    try budget([
      "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n",
    ]) { #expect($0.quota == 1) }
    try budget(["proc/self/cgroup": "0::/\n"]) { #expect($0.quota == nil) }
    try budget([:]) { #expect($0.quota == nil) }
  }

  @Test("a quota of version 1 counts, -1 is none")
  func versionOne() throws {
    let path = "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_"
    let group = "5:devices:/\n4:cpu,cpuacct:/docker/x\n"
    try budget([
      "proc/self/cgroup": group, path + "quota_us": "250000\n", path + "period_us": "100000\n",
    ]) { #expect($0.quota == 2) }
    try budget([
      "proc/self/cgroup": group, path + "quota_us": "-1\n", path + "period_us": "100000\n",
    ]) { #expect($0.quota == nil) }
  }

  @Test("two hardware threads of a core are one core")
  func cores() throws {
    let folder = "sys/devices/system/cpu/cpu"
    try budget([
      folder + "0/topology/core_cpus_list": "0,4\n", folder + "4/topology/core_cpus_list": "0,4\n",
      folder + "1/topology/thread_siblings_list": "1,5\n",
    ]) {
      #expect($0.cores(of: [0, 4]) == 1)
      #expect($0.cores(of: [0, 1, 4, 7]) == 3)
    }
  }

  @Test("nonsense in a limit is no limit")
  func nonsense() {
    for text in ["", "max", "1", "a b", "0 100000", "100000 0", "-5 100", "1e300 1"] {
      #expect(ProcessorBudget.limit(text) == nil, "\(text)")
    }
  }
}
