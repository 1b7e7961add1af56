import Foundation
import Swiftlet
import TestSupport
import Testing

/// Many sessions at once, for as long as `SWIFTLET_STRESS` says; under a sanitizer by scripts/sanitize.
@Suite(.enabled(if: RealModel.isPresent)) struct StressTests {
  private static let language = Result { try LanguageModel(path: RealModel.path("Q4_0")) }
  /// Seconds; `SWIFTLET_STRESS` asks for more.
  private static let seconds =
    ProcessInfo.processInfo.environment["SWIFTLET_STRESS"].flatMap { Double($0) } ?? 3

  /// A session's reply; every fourth is held to a schema, two schemas in turn.
  private static func reply(_ index: Int, _ session: LanguageModelSession) async throws -> String {
    let options = GenerationOptions(
      sampling: .random(top: 10, seed: UInt64(index)), maximumResponseTokens: 1 + index % 12)
    guard index % 4 == 0 else {
      let prompt = "Say something about the number \(index)."
      return try await session.respond(to: prompt, options: options).content
    }
    let schemas = [
      #"{"type": "array", "items": {"type": "integer", "minimum": \#(index)}, "maxItems": 3}"#,
      #"{"enum": ["red", "green", "dark green", "blue"]}"#,
    ]
    return try await session.respond(
      to: "Answer.", schema: GenerationSchema(json: schemas[index / 4 % 2]),
      options: GenerationOptions(
        sampling: .random(top: 10, seed: UInt64(index)), maximumResponseTokens: 20)
    ).content.jsonString
  }

  private static func session(_ model: LanguageModel) -> LanguageModelSession {
    LanguageModelSession(model: model, instructions: "Answer in one sentence.")
  }

  @Test("64 sessions at once, a third of them cancelled somewhere: each says what it says alone")
  func sessions() async throws {
    let model = try Self.language.get()
    var alone: [String] = []
    for index in 0..<64 { alone.append(try await Self.reply(index, Self.session(model))) }
    let expected = alone
    let start = ContinuousClock.now
    let end = start + .seconds(Self.seconds)
    let memory = Task {
      var samples: [Int] = []
      while !Task.isCancelled {
        if let pages = Self.residentBytes() { samples.append(pages) }
        try? await Task.sleep(for: .milliseconds(Int(Self.seconds * 5)))
      }
      return samples
    }
    let counts = try await withThrowingTaskGroup(of: (whole: Int, cancelled: Int).self) { group in
      for index in expected.indices {
        group.addTask {
          var random = SeededGenerator(seed: UInt64(index))
          var counts = (whole: 0, cancelled: 0)
          repeat {
            let isCancelled = Int.random(in: 0..<3, using: &random) == 0
            let task = Task { try await Self.reply(index, Self.session(model)) }
            if isCancelled {
              try await Task.sleep(for: .milliseconds(Int.random(in: 0..<300, using: &random)))
              task.cancel()
            }
            do {
              let text = try await task.value
              #expect(text == expected[index], "session \(index)")
              counts.whole += 1
            } catch is CancellationError {
              #expect(isCancelled)
              counts.cancelled += 1
            }
          } while ContinuousClock.now < end
          return counts
        }
      }
      return try await group.reduce(into: (whole: 0, cancelled: 0)) { sum, one in
        sum = (sum.whole + one.whole, sum.cancelled + one.cancelled)
      }
    }
    memory.cancel()
    #expect(counts.whole > 30 && counts.cancelled > 0, "\(counts)")

    // Fifths of the run: what grows from the second to the last is lost.
    let samples = await memory.value
    guard Self.seconds >= 60, samples.count >= 50 else { return }
    let fifths = (0..<5).map { fifth in
      samples[fifth * samples.count / 5..<(fifth + 1) * samples.count / 5].sorted()
    }.map { $0[$0.count / 2] >> 20 }
    print("stress: \(counts), MiB by fifths of the time: \(fifths)")
    #expect(Double(fifths[4]) <= 1.05 * Double(fifths[1]), "\(fifths)")
  }

  /// What this process has in memory; nil where the system does not say it so.
  private static func residentBytes() -> Int? {
    guard let line = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
      return nil
    }
    let fields = line.split(separator: " ")
    return fields.count > 1 ? Int(fields[1]).map { $0 * 4096 } : nil
  }
}
