import Crypto
import Foundation
import Swiftlet
import TestSupport
import Testing

/// Sessions on the real model: the library's own way in.
@Suite(.enabled(if: RealModel.isPresent)) struct SessionTests {
  private static let language = Result {
    try LanguageModel(path: RealModel.path("Q4_0"))
  }
  private let greedy = GenerationOptions(sampling: .greedy, maximumResponseTokens: 24)

  private func session(_ instructions: String? = "Answer in one sentence.") throws
    -> LanguageModelSession
  {
    LanguageModelSession(model: try Self.language.get(), instructions: instructions)
  }

  /// What the blocking generator makes of the same conversation, computed from its start.
  private func expected(_ messages: [ChatMessage], _ options: GenerationOptions, tokens: Int)
    throws -> String
  {
    let language = try Self.language.get()
    var decoding = DecodingOptions()
    decoding.sampling = .greedy
    decoding.maximumResponseTokens = tokens
    var text = ""
    _ = try language.makeGenerator().generate(
      try language.promptTokens(messages), options: decoding
    ) { text += $0.text }
    return text
  }

  @Test("two turns say what the generator says from the start, and compute only what is new")
  func turns() async throws {
    let session = try session()
    let first = try await session.respond(to: "What is the capital of France?", options: greedy)
    #expect(first.content.contains("Paris"))
    #expect(!session.isResponding)
    let second = try await session.respond(to: "And of Italy?", options: greedy)
    let messages = [
      ChatMessage(.system, "Answer in one sentence."),
      ChatMessage(.user, "What is the capital of France?"),
      ChatMessage(.assistant, first.content), ChatMessage(.user, "And of Italy?"),
    ]
    #expect(try second.content == expected(messages, greedy, tokens: 24))
    // All but the last words of the template and the new prompt.
    #expect(second.summary.reusedTokens > first.summary.promptTokens)
    #expect(session.transcript.map(\.text) == messages.map(\.content) + [second.content])
    let data = try JSONEncoder().encode(session.transcript)
    #expect(try JSONDecoder().decode(Transcript.self, from: data) == session.transcript)
    // A session that goes on from a transcript says the same.
    let resumed = LanguageModelSession(
      model: try Self.language.get(),
      transcript: Transcript(entries: session.transcript.dropLast(2)))
    #expect(
      try await resumed.respond(to: "And of Italy?", options: greedy).content == second.content)
  }

  @Test("snapshots grow by their deltas to the whole response")
  func stream() async throws {
    let session = try session()
    session.prewarm()
    let stream = session.streamResponse(to: "Name three colors.", options: greedy)
    #expect(session.isResponding)
    await #expect(throws: LanguageModelSession.GenerationError.concurrentRequests) {
      try await session.respond(to: "Meanwhile?", options: greedy)
    }
    var (content, count) = ("", 0)
    for try await snapshot in stream {
      content += snapshot.delta
      count += 1
      #expect(snapshot.content == content)
    }
    #expect(count > 3)
    #expect(
      try content
        == expected(
          [
            ChatMessage(.system, "Answer in one sentence."),
            ChatMessage(.user, "Name three colors."),
          ], greedy, tokens: 24))
  }

  @Test("sessions that respond together say what each says alone, with random sampling too")
  func together() async throws {
    let prompts = (1...12).map { "Write a sentence about the number \($0)." }
    @Sendable func options(_ index: Int) -> GenerationOptions {
      GenerationOptions(
        sampling: .random(top: 20, seed: UInt64(index)), maximumResponseTokens: 10 + index)
    }
    var alone: [String] = []
    for (index, prompt) in prompts.enumerated() {
      alone.append(try await session().respond(to: prompt, options: options(index)).content)
    }
    #expect(Set(alone).count > 8)
    let together = try await withThrowingTaskGroup(of: (Int, String).self) { group in
      for (index, prompt) in prompts.enumerated() {
        let session = try session()
        group.addTask {
          (index, try await session.respond(to: prompt, options: options(index)).content)
        }
      }
      return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
    }
    for (index, text) in alone.enumerated() { #expect(together[index] == text) }
  }

  @Test("a cancelled response throws, frees the session, and leaves what was said")
  func cancelled() async throws {
    let session = try session()
    let started = session.streamResponse(
      to: "Write a very long story.",
      options: GenerationOptions(sampling: .greedy, maximumResponseTokens: 400))
    var count = 0
    for try await _ in started {
      count += 1
      if count == 3 { break }
    }
    // At once: the next does not wait for a thousand tokens, nor is it refused.
    let next = try await session.respond(to: "What is the capital of France?", options: greedy)
    #expect(!next.content.isEmpty)
    #expect(session.transcript.count == 5)

    // Cancelled before anything was said: as if it had not been asked.
    let long = String(repeating: "word ", count: 1000)
    let task = Task { try await session.respond(to: long, options: greedy) }
    while !session.isResponding { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    session.prewarm()
    _ = try await session.branch()
    #expect(session.transcript.count == 5)
  }

  @Test(
    "a conversation beyond the context is an error with both numbers, or loses its oldest turns")
  func overflow() async throws {
    var options = LoadingOptions()
    options.contextLength = 128
    let small = try LanguageModel(path: RealModel.path("Q4_0"), options: options)
    let session = LanguageModelSession(model: small)
    let long = String(repeating: "word ", count: 200)
    do {
      _ = try await session.respond(to: long, options: greedy)
      Issue.record("there is no room for this")
    } catch LanguageModelSession.GenerationError.exceededContextWindowSize(let context) {
      #expect(context.contextSize == 128 && context.tokens > 200)
    }
    #expect(session.transcript.isEmpty)

    let dropping = LanguageModelSession(
      model: small, instructions: "Be brief.", contextOverflow: .dropOldestTurns)
    for index in 0..<6 {
      let prompt = "This is message \(index): " + String(repeating: "word ", count: 20)
      _ = try await dropping.respond(to: prompt, options: greedy)
    }
    #expect(dropping.transcript.count == 13)
    // A single prompt that is too long is an error all the same.
    await #expect(throws: LanguageModelSession.GenerationError.self) {
      try await dropping.respond(to: long, options: greedy)
    }
  }
}

extension SessionTests {
  @Test("a session that is saved and restored, or branched, responds as it would have, bit for bit")
  func saving() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("talk.session").path
    let session = try session()
    // More than a span of 256 positions.
    let story = "Here is a list: " + (1...120).map { "item \($0)" }.joined(separator: ", ")
    _ = try await session.respond(to: story, options: greedy)
    try await session.save(to: path)
    let branch = try await session.branch()
    let model = session.model
    let restored = try await LanguageModelSession.restore(from: path, model: model)
    #expect(restored.transcript == session.transcript)
    let expected = try await session.respond(to: "What was the last item?", options: greedy)
    for other in [branch, restored] {
      let response = try await other.respond(to: "What was the last item?", options: greedy)
      #expect(response.content == expected.content)
      #expect(response.summary.reusedTokens == expected.summary.reusedTokens)
      #expect(response.summary.reusedTokens > 400)
    }
    // What was computed, bit for bit: saved again, the files are the same but for ids of entries.
    let again = [folder.appendingPathComponent("a").path, folder.appendingPathComponent("b").path]
    try await session.branch().save(to: again[0])
    try await session.save(to: again[1])
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: again[0]))
        == Data(contentsOf: URL(fileURLWithPath: again[1])))

    // Damaged anywhere, or of another model: refused.
    let sound = try Data(contentsOf: URL(fileURLWithPath: path))
    for place in [0, 9, 13, 20, sound.count / 2, sound.count - 1] {
      var bytes = sound
      bytes[place] ^= 1
      try bytes.write(to: URL(fileURLWithPath: path))
      await #expect(throws: SessionFileError.self, "byte \(place)") {
        try await LanguageModelSession.restore(from: path, model: model)
      }
    }
    for length in [1, 15, 79, 80, 1000, sound.count - 1] {
      try sound.prefix(length).write(to: URL(fileURLWithPath: path))
      await #expect(throws: SessionFileError.self, "cut at \(length)") {
        try await LanguageModelSession.restore(from: path, model: model)
      }
    }
    try sound.write(to: URL(fileURLWithPath: path))
    let other = try LanguageModel(path: RealModel.path("Q4_1"))
    await #expect(throws: SessionFileError.self) {
      try await LanguageModelSession.restore(from: path, model: other)
    }
  }
}

extension SessionTests {
  @Test(
    "a session of an older version, whose keys and values lay otherwise, is computed again",
    arguments: [1, 2] as [UInt8])
  func olderVersion(version: UInt8) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("talk.session")
    let session = try session()
    _ = try await session.respond(to: "What is the capital of France?", options: greedy)
    try await session.save(to: path.path)
    var bytes = try Data(contentsOf: path).dropLast(64)
    bytes[8] = version
    let digest = SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
    try (bytes + Data(digest.utf8)).write(to: path)
    let restored = try await LanguageModelSession.restore(from: path.path, model: session.model)
    #expect(restored.transcript == session.transcript)
    let expected = try await session.respond(to: "And of Italy?", options: greedy)
    let response = try await restored.respond(to: "And of Italy?", options: greedy)
    #expect(response.content == expected.content)
    #expect(response.summary.reusedTokens == 0)
  }
}
