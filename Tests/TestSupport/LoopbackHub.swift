import Foundation

/// A hub on loopback (`hub_server.py`) with a folder of its own; gone when it is released.
public final class LoopbackHub {
  /// A request as the server noted it.
  public struct Request: Decodable, Sendable {
    public let method: String
    public let path: String
    public let range: String?
    public let if_range: String?
    public let auth: String?
    public let encoding: String?
    public let fault: String?

    public var isForFile: Bool { fault != nil }
  }

  public let folder: URL
  public let port: Int
  private let server = Process()
  /// The server ends when this is closed, at the latest with the test process.
  private let lifeline = Pipe()

  public static let commit = String(repeating: "c", count: 40)

  /// - Parameters:
  ///   - files: paths below the server's root, and their bytes.
  ///   - seed: draws faults.
  public init(
    _ files: [String: Data], seed: Int? = nil, host: String = "127.0.0.1"
  ) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    for (path, bytes) in files {
      let file = folder.appendingPathComponent("served").appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try bytes.write(to: file)
    }
    let output = Pipe()
    server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    server.arguments =
      [
        "python3", Fixtures.root.appendingPathComponent("Tests/TestSupport/hub_server.py").path,
        folder.appendingPathComponent("served").path,
      ] + (seed.map { [String($0)] } ?? [])
    server.standardOutput = output
    server.standardInput = lifeline
    server.standardError = FileHandle.nullDevice
    try server.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw CocoaError(.fileReadUnknown)
    }
    self.port = port
  }

  deinit {
    server.terminate()
    try? FileManager.default.removeItem(at: folder)
  }

  public var endpoint: String { "http://127.0.0.1:\(port)" }

  /// What a process needs to use this hub and nothing of the user's.
  public var variables: [String: String] {
    [
      "HF_ENDPOINT": endpoint, "HOME": folder.path,
      "HF_HOME": folder.appendingPathComponent("hf").path,
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
    ]
  }

  public func write(_ bytes: Data, to path: String) throws {
    try bytes.write(to: folder.appendingPathComponent("served").appendingPathComponent(path))
  }

  /// Faults for the requests of files that come next, one each; "none" after them.
  ///
  /// - Parameter repeats: every request gets the first.
  public func setFaults(_ faults: [(String, Any)], repeats: Bool = false) throws {
    let state: [String: Any] = ["faults": faults.map { [$0.0, $0.1] }, "repeat": repeats]
    try write(try JSONSerialization.data(withJSONObject: state), to: "faults.json")
  }

  public var requests: [Request] {
    let log = try? String(
      contentsOf: folder.appendingPathComponent("served/log"), encoding: .utf8)
    return (log ?? "").split(separator: "\n").compactMap {
      try? JSONDecoder().decode(Request.self, from: Data($0.utf8))
    }
  }

  public var fileRequests: [Request] { requests.filter(\.isForFile) }

  /// Where each answer with a file's bytes began, and how many of them went out; noted when it ends.
  public var answers: [(start: Int, sent: Int)] {
    let log = try? String(
      contentsOf: folder.appendingPathComponent("served/sent"), encoding: .utf8)
    return (log ?? "").split(separator: "\n").compactMap { line in
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
    }
  }

  public func forgetRequests() {
    try? FileManager.default.removeItem(at: folder.appendingPathComponent("served/log"))
  }

  /// Bytes that begin as a GGUF file does and go on at random.
  public static func content(_ count: Int, seed: UInt64 = 1) -> Data {
    var random = SeededGenerator(seed: seed)
    var bytes = Data("GGUF".utf8)
    bytes.reserveCapacity(count)
    while bytes.count < count {
      withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) }
    }
    return bytes.prefix(count)
  }
}
