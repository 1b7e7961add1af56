#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Settings that were measured to be the fastest, by machine and model. What is lost with the file is a
/// minute's measuring: a file that cannot be read counts as empty.
public struct Tuning: Codable, Equatable, Sendable {
  /// What was found to be best.
  public struct Settings: Codable, Equatable, Sendable {
    /// Threads that compute.
    public var threads: Int
    /// Prompt tokens computed together.
    public var batchSize: Int

    /// The settings that were found to be best.
    public init(threads: Int, batchSize: Int) {
      self.threads = threads
      self.batchSize = batchSize
    }

    var isAllowed: Bool {
      PerformanceSettings.threadRange.contains(threads)
        && PerformanceSettings.batchRange.contains(batchSize)
    }
  }

  /// By machine, then by model: an id of the configuration, or the path of a file.
  private var machines: [String: [String: Settings]] = [:]

  /// No settings yet.
  public init() {}

  /// Reads the user's measurements.
  public init(_ environment: HubEnvironment) {
    let bytes = try? Data(contentsOf: URL(fileURLWithPath: environment.tuningFile))
    if let bytes, bytes.count < 1 << 20,
      let tuning = try? JSONDecoder().decode(Tuning.self, from: bytes)
    {
      self = tuning
    }
  }

  /// Of this machine; nil where nothing was measured.
  public subscript(model: String) -> Settings? {
    get {
      // A start asks for this: without measurements nothing is read of the machine.
      guard !machines.isEmpty else { return nil }
      return machines[Self.machine]?[model].flatMap { $0.isAllowed ? $0 : nil }
    }
    set { machines[Self.machine, default: [:]][model] = newValue }
  }

  /// - Throws: `HubError.fileSystem`.
  public func save(_ environment: HubEnvironment) throws(HubError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else {
      throw .fileSystem(path: environment.tuningFile, reason: "cannot be written as JSON")
    }
    try makeFolder(parentFolder(environment.tuningFile))
    try replaceFile(environment.tuningFile, with: Array(data))
  }

  /// What makes measurements comparable: the kind of processor, and how many there are.
  static let machine: String = {
    let count = sysconf(CInt(_SC_NPROCESSORS_ONLN))
    let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = lines.split(separator: "\n").first { $0.hasPrefix("model name") }
      .flatMap { $0.split(separator: ":").dropFirst().first }
    var name = model.map(String.init) ?? "processor"
    while name.first == " " { name.removeFirst() }
    return "\(count) x \(name)"
  }()
}
