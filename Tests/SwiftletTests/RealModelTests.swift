import Foundation
import Swiftlet
import TestSupport
import Testing

/// What exact arithmetic says of the real model (`Fixtures/make_real.py`).
private struct Golden: Decodable {
  struct Prompt: Decodable {
    let prompt: String
    let ids: [Int]
    let greedy: [Int]
  }
  struct Text: Decodable {
    let ids: [Int]
    let top: [[Int]]
    let logprobs: [[Double]]
  }
  let prompts: [Prompt]
  let text: Text
}

@Suite(.enabled(if: RealModel.isPresent), .serialized)
struct RealModelTests {
  private static func load(
    _ type: String, set: InstructionSet = .best, path: MatmulPath = .native, threads: Int = 2,
    batch: Int = 512
  ) throws -> LanguageModel {
    var options = LoadingOptions()
    options.instructionSet = set
    options.matmulPath = path
    options.threads = threads
    options.batchSize = batch
    return try LanguageModel(path: RealModel.path(type), options: options)
  }

  private static func golden(_ type: String) throws -> Golden {
    try #require(try Fixtures.decode([String: Golden].self, "greedy.json")[type])
  }

  @Test("chat prompts have the reference's ids", arguments: ["Q4_1", "Q4_0"])
  func promptIDs(type: String) throws {
    let language = try Self.load(type)
    for golden in try Self.golden(type).prompts {
      let ids = try language.promptTokens([ChatMessage(.user, golden.prompt)])
      #expect(ids == golden.ids, "\(golden.prompt)")
    }
  }

  @Test(
    "greedy text is that of exact arithmetic up to the first near tie, on every path",
    arguments: ["Q4_1", "Q4_0"])
  func greedyText(type: String) throws {
    var paths: [(InstructionSet, MatmulPath)] = InstructionSet.allCases.filter(\.isAvailable)
      .map { ($0, .native) }
    paths.append((.best, .openblas))
    for (set, path) in paths {
      let generator = try Self.load(type, set: set, path: path).makeGenerator()
      for golden in try Self.golden(type).prompts where !golden.greedy.isEmpty {
        var options = DecodingOptions()
        options.sampling = .greedy
        options.maximumResponseTokens = golden.greedy.count
        var ids: [Int] = []
        let summary = try generator.generate(golden.ids, options: options) { token in
          if let id = token.id { ids.append(id) }
        }
        // The reference lists the end token; a reply does not.
        let expected = golden.greedy.filter { ![0, 2, 4].contains($0) }
        #expect(ids == expected, "\(golden.prompt) on \(set) \(path)")
        #expect(summary.promptTokens == golden.ids.count)
      }
    }
  }

  /// KL divergence over the reference's 128 likeliest tokens and the rest as one.
  private func meanDivergence(_ language: LanguageModel, _ golden: Golden.Text) throws -> Double {
    var sum = 0.0
    let cache = try language.model.makeCache(capacity: golden.ids.count)
    let pass = ForwardPass(language.model, batchSize: 512)
    pass(golden.ids, cache: cache, wanted: .all) { position, logits in
      let peak = Double(logits.max() ?? 0)
      let normalizer = peak + log(logits.reduce(0.0) { $0 + exp(Double($1) - peak) })
      var restOurs = 1.0
      var restExact = 1.0
      for (id, exact) in zip(golden.top[position], golden.logprobs[position]) {
        let ours = Double(logits[id]) - normalizer
        sum += exp(exact) * (exact - ours)
        restOurs -= exp(ours)
        restExact -= exp(exact)
      }
      if restExact > 1e-9 { sum += restExact * log(restExact / max(restOurs, 1e-12)) }
    }
    return sum / Double(golden.ids.count)
  }

  @Test(
    "mean KL divergence from exact logits: native below 1e-3, OpenBLAS below 1e-5",
    arguments: ["Q4_1", "Q4_0"])
  func divergence(type: String) throws {
    let text = try Self.golden(type).text
    for set in InstructionSet.allCases where set.isAvailable {
      let divergence = try meanDivergence(Self.load(type, set: set), text)
      #expect(divergence < 1e-3, "\(set): \(divergence)")
    }
    let exact = try meanDivergence(Self.load(type, path: .openblas), text)
    #expect(exact < 1e-5, "\(exact)")
  }

  @Test("logits have the same bits for threads 1, 2, 3 and batches 1, 7, 32, 512")
  func sameBits() throws {
    let ids = try Self.golden("Q4_0").text.ids
    var reference: [UInt32] = []
    for (threads, batch) in [(1, 512), (1, 1), (2, 7), (3, 32), (2, 512), (3, 1)] {
      let language = try Self.load("Q4_0", threads: threads, batch: batch)
      var bits: [UInt32] = []
      let cache = try language.model.makeCache(capacity: ids.count)
      ForwardPass(language.model, batchSize: batch)(ids, cache: cache, wanted: .all) {
        bits += $1.map(\.bitPattern)
      }
      // Over more than two spans of positions, of which the last token's logits tell.
      let long = (0..<9).flatMap { _ in ids }
      let second = try language.model.makeCache(capacity: long.count)
      ForwardPass(language.model, batchSize: batch)(long, cache: second) {
        bits += $1.map(\.bitPattern)
      }
      if reference.isEmpty { reference = bits }
      #expect(bits == reference, "\(threads) threads, batch \(batch)")
    }
  }

  @Test("guessing ahead changes no token, greedy or sampled, and no finish reason")
  func speculation() throws {
    let language = try Self.load("Q4_0")
    let text = "Repeat word for word: The cat sat on the mat. The dog sat on the log. The end."
    let ids = try language.promptTokens([ChatMessage(.user, text)])
    func reply(_ options: DecodingOptions, _ context: Int) throws -> ([Int], GenerationSummary) {
      let generator = try TextGenerator(
        language.model, language.tokenizer, contextLength: context, batchSize: 512)
      var tokens: [Int] = []
      let summary = try generator.generate(ids, options: options) { token in
        if let id = token.id { tokens.append(id) }
      }
      return (tokens, summary)
    }
    var guesses = 0
    for (seed, limit, context) in [
      (nil, 80, 512), (3, 60, 512), (4, 33, 512), (nil, 80, ids.count + 9),
    ]
      as [(UInt32?, Int, Int)]
    {
      var options = DecodingOptions()
      options.sampling = seed == nil ? .greedy : SamplingOptions()
      options.sampling.seed = seed
      options.sampling.repeatPenalty = seed == 4 ? 1.1 : 1
      options.maximumResponseTokens = limit
      options.speculation = .off
      let plain = try reply(options, context)
      options.speculation = .automatic
      let fast = try reply(options, context)
      #expect(fast.0 == plain.0)
      #expect(fast.1.finishReason == plain.1.finishReason)
      #expect(plain.1.guessedTokens == 0)
      guesses += fast.1.rightGuesses
    }
    #expect(guesses > 10)
  }

  @Test("sequences decoded together get the logits that each gets alone, bit for bit")
  func batchedDecoding() throws {
    let language = try Self.load("Q4_0")
    let model = language.model
    // So many that threads have sequences of their own, and one of them more than others.
    var prompts = [[1, 520, 9531, 198], Array(100..<400), [5], Array(700..<711)]
    var next = [28, 905, 1000, 40_000]
    for number in 0..<17 {
      prompts.append(Array(900 + 100 * number..<905 + 101 * number))
      next.append(700 + number)
    }
    var alone: [[UInt32]] = []
    var caches: [KeyValueCache] = []
    let pass = ForwardPass(model, batchSize: 64)
    for (prompt, token) in zip(prompts, next) {
      let cache = try model.makeCache(capacity: 512)
      pass(prompt, cache: cache) { _, _ in }
      pass([token], cache: cache) { alone.append($1.map(\.bitPattern)) }
      cache.truncate(to: prompt.count)
      caches.append(cache)
    }
    let parts = zip(next, caches).map { ForwardPass.Part([$0], cache: $1) }
    // 16 are as much work for each thread, which computes its own alone; not so all of them.
    for range in [0..<21, 5..<21, 4..<12, 0..<16] {
      pass.step(Array(parts[range])) { part, _, logits in
        #expect(
          logits.map(\.bitPattern) == alone[range.lowerBound + part], "part \(part) of \(range)")
      }
      for index in range { caches[index].truncate(to: prompts[index].count) }
    }
    // Nor does it matter whose logits are wanted.
    let unwanted = (5..<15).map {
      ForwardPass.Part([next[$0]], cache: caches[$0], wanted: .none)
    }
    pass.step(unwanted + parts[15...]) { part, _, logits in
      #expect(logits.map(\.bitPattern) == alone[5 + part], "part \(part)")
    }
    for index in 5..<21 { caches[index].truncate(to: prompts[index].count) }
    // A prompt in front of them, of which the last token is wanted, changes nothing.
    let other = try model.makeCache(capacity: 64)
    let prompt = Array(300..<330)
    pass(prompt, cache: try model.makeCache(capacity: 64)) { alone.append($1.map(\.bitPattern)) }
    pass.step([ForwardPass.Part(prompt, cache: other)] + parts) { part, index, logits in
      #expect(index == (part == 0 ? prompt.count - 1 : 0))
      let expected = part == 0 ? alone[next.count] : alone[part - 1]
      #expect(logits.map(\.bitPattern) == expected, "part \(part)")
    }
    #expect(caches.map(\.count) == prompts.map { $0.count + 1 })
  }

  @Test("a reply ends for its reason: limit, stop string, context, cancel")
  func finishReasons() throws {
    let language = try Self.load("Q4_0")
    let ids = try language.promptTokens([ChatMessage(.user, "Count from 1 to 100.")])
    func reason(_ change: (inout DecodingOptions) -> Void, cancelled: Bool = false) throws
      -> FinishReason
    {
      var options = DecodingOptions()
      options.sampling = .greedy
      options.maximumResponseTokens = 40
      change(&options)
      return try language.makeGenerator().generate(
        ids, options: options, isCancelled: { cancelled }
      ) { _ in }.finishReason
    }
    #expect(try reason { $0.maximumResponseTokens = 3 } == .length)
    #expect(try reason { $0.stopStrings = ["2"] } == .stopString)
    #expect(try reason({ _ in }, cancelled: true) == .cancelled)
    let small = try TextGenerator(
      language.model, language.tokenizer, contextLength: ids.count + 4, batchSize: 16)
    var options = DecodingOptions()
    options.sampling = .greedy
    #expect(try small.generate(ids, options: options) { _ in }.finishReason == .context)
    let tooSmall = try TextGenerator(
      language.model, language.tokenizer, contextLength: 8, batchSize: 16)
    #expect(throws: GenerationError.promptTooLong(tokens: ids.count, context: 8)) {
      try tooSmall.generate(ids, options: options) { _ in }
    }
  }
}
