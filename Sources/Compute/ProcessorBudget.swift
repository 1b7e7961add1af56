import CIntrinsics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How many threads of computation a process may usefully run: cores, not their hardware threads, that
/// its affinity and the quota of its control groups leave to it.
///
/// More threads than that wait for each other in turns: in a container of two processors on a large
/// host, threads by the host's cores are tens of times as slow.
struct ProcessorBudget {
  /// The folder that `/proc` and `/sys` are in; another one in tests.
  var root = ""

  /// At least 1.
  var threads: Int {
    max(1, [physicalCores, quota].compactMap { $0 }.min() ?? online)
  }

  private var online: Int { max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN)))) }

  // MARK: Cores

  /// Cores that have a processor in this process's affinity; nil where the system does not say.
  private var physicalCores: Int? {
    var mask = [UInt8](repeating: 0, count: 1024)
    swiftlet_affinity(&mask, CInt(mask.count))
    let allowed = (0..<8 * mask.count).filter { mask[$0 / 8] >> ($0 % 8) & 1 != 0 }
    guard !allowed.isEmpty else { return nil }
    return cores(of: allowed)
  }

  /// Cores of the processors `allowed`; processors whose core is not known count as one each.
  func cores(of allowed: [Int]) -> Int {
    var cores = Set<String>()
    for processor in allowed {
      let folder = "\(root)/sys/devices/system/cpu/cpu\(processor)/topology"
      cores.insert(
        read("\(folder)/core_cpus_list") ?? read("\(folder)/thread_siblings_list")
          ?? "\(processor)")
    }
    return cores.count
  }

  // MARK: Quota

  /// Whole processors that the control groups allow, rounded down, at least 1; nil without a limit.
  ///
  /// Of version 2 the process's own group and those above it are asked (`cpu.max`), of version 1 the
  /// group of the `cpu` controller (kernel `Documentation/admin-guide/cgroup-v2.rst`, `scheduler/
  /// sched-bwc.rst`).
  var quota: Int? {
    guard let groups = read("\(root)/proc/self/cgroup") else { return nil }
    var least: Double?
    func consider(_ limit: Double?) {
      if let limit { least = min(least ?? limit, limit) }
    }
    for line in groups.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      if fields[0] == "0" {
        for folder in ancestors(String(fields[2])) {
          consider(read("\(root)/sys/fs/cgroup\(folder)/cpu.max").flatMap(Self.limit))
        }
      } else if fields[1].split(separator: ",").contains("cpu") {
        for mount in ["cpu", "cpu,cpuacct"] {
          for folder in ancestors(String(fields[2])) {
            let path = "\(root)/sys/fs/cgroup/\(mount)\(folder)/cpu.cfs_"
            if let quota = read("\(path)quota_us"), let period = read("\(path)period_us") {
              consider(Self.limit("\(quota) \(period)"))
            }
          }
        }
      }
    }
    return least.map { max(1, Int($0)) }
  }

  /// Processors of "quota period" in microseconds; nil for "max", -1 and what is no limit.
  static func limit(_ text: String) -> Double? {
    let numbers = text.split { $0 == " " || $0 == "\n" }.map { Double($0) ?? -1 }
    guard numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else { return nil }
    let limit = numbers[0] / numbers[1]
    return limit < 1e6 ? limit : nil
  }

  /// "/a/b" gives "/a/b", "/a" and "".
  private func ancestors(_ path: String) -> [String] {
    var result: [String] = []
    var parts = path.split(separator: "/")
    while !parts.isEmpty {
      result.append("/" + parts.joined(separator: "/"))
      parts.removeLast()
    }
    return result + [""]
  }

  /// The text of a small file, without its last line break; nil where it cannot be read.
  private func read(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let size = buffer.count
    let count = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, size) }
    guard count > 0 else { return nil }
    var text = String(decoding: buffer[..<count], as: UTF8.self)
    while text.hasSuffix("\n") { text.removeLast() }
    return text
  }
}

/// `read(2)`, under a name that a method called `read` does not hide.
private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int
{
  read(descriptor, bytes, count)
}
