import Foundation

/// Where test data lies.
public enum Fixtures {
  /// The root of the package.
  public static let root: URL = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()

  public static func path(_ name: String) -> String {
    root.appendingPathComponent("Fixtures").appendingPathComponent(name).path
  }

  public static func data(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path(name)))
  }

  public static func decode<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
    try JSONDecoder().decode(type, from: data(name))
  }

  /// The element types that there is a tiny model of.
  public static let tinyTypes = [
    "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k", "f32", "f16", "bf16",
  ]
}

/// The real SmolLM2-135M-Instruct, as `scripts/model` leaves it.
public enum RealModel {
  public static let folder =
    ProcessInfo.processInfo.environment["SWIFTLET_MODELS"]
    ?? (ProcessInfo.processInfo.environment["XDG_CACHE_HOME"]
      ?? NSHomeDirectory() + "/.cache") + "/swiftlet/models"

  public static func path(_ type: String) -> String {
    "\(folder)/SmolLM2-135M-Instruct-\(type).gguf"
  }

  /// Random weights in the shape of SmolLM2-360M (`scripts/shape.py`).
  public static let shape360M = "\(folder)/random-360M-Q4_0.gguf"

  /// Tests of the real model run where it is. `.ci/run` checks beforehand that it is.
  public static let isPresent = [path("Q4_1"), path("Q4_0"), shape360M].allSatisfy {
    FileManager.default.fileExists(atPath: $0)
  }
}

/// Random numbers that are the same in every run (SplitMix64, Steele et al. 2014).
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// sum((a - b)^2) / sum(b^2).
public func normalizedError(_ a: [Float], _ b: [Float]) -> Double {
  let error = zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
  return error / b.reduce(1e-300) { $0 + Double($1) * Double($1) }
}
