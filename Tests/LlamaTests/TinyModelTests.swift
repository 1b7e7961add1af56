import Compute
import Foundation
import GGUF
import TestSupport
import Testing

@testable import Llama

@Suite struct TinyModelTests {
  private struct Golden: Decodable {
    let tokens: [Int]
    let rows: [Int]
    let logits: [[Float]]
  }

  private static func logits(
    _ type: String, _ tokens: [Int], set: InstructionSet = .best, path: MatmulPath = .native,
    threads: Int = 2, batch: Int = 512, cache precision: KeyValueCache.Precision? = nil
  ) throws -> [[Float]] {
    let team = ComputeTeam(threads: threads, instructionSet: set, matmulPath: path)
    let model = try LlamaModel(
      GGUFFile(path: Fixtures.path("tiny-\(type).gguf")), team: team, cachePrecision: precision)
    let cache = try model.makeCache(capacity: tokens.count)
    var rows: [[Float]] = []
    ForwardPass(model, batchSize: batch)(tokens, cache: cache, wanted: .all) {
      rows.append(Array($1))
    }
    return rows
  }

  @Test("each type's logits are near the exact ones", arguments: Fixtures.tinyTypes)
  func native(type: String) throws {
    let golden = try Fixtures.decode(Golden.self, "tiny-\(type).json")
    for set in InstructionSet.allCases where set.isAvailable {
      let ours = try Self.logits(type, golden.tokens, set: set)
      let error = normalizedError(golden.rows.flatMap { ours[$0] }, golden.logits.flatMap { $0 })
      // Floats differ by the cache's 16 bits only; 8-bit activations cost more, and keys of 16 columns in 8 bits.
      #expect(error < (type.hasSuffix("f16") || type == "f32" ? 1e-6 : 7e-4), "\(set): \(error)")
    }
  }

  @Test(
    "the last token's logits have the same bits where nobody asks for the others'",
    arguments: Fixtures.tinyTypes)
  func lastAlone(type: String) throws {
    let golden = try Fixtures.decode(Golden.self, "tiny-\(type).json")
    for path in [MatmulPath.native, .openblas] {
      let all = try Self.logits(type, golden.tokens, path: path)
      for batch in [1, 2, 7, 512] {
        let team = ComputeTeam(threads: 2, matmulPath: path)
        let model = try LlamaModel(GGUFFile(path: Fixtures.path("tiny-\(type).gguf")), team: team)
        let cache = try model.makeCache(capacity: golden.tokens.count)
        var last: [[Float]] = []
        // Twice: keys and values of the first part serve the second.
        let half = golden.tokens.count / 2
        for part in [golden.tokens.prefix(half), golden.tokens.dropFirst(half)] {
          ForwardPass(model, batchSize: batch)(part, cache: cache) { last.append(Array($1)) }
        }
        let expected = [all[half - 1], all[golden.tokens.count - 1]]
        if path == .native {
          #expect(last == expected, "batch \(batch)")
        } else {
          #expect(normalizedError(last.flatMap { $0 }, expected.flatMap { $0 }) < 1e-10)
        }
      }
    }
  }

  @Test("each type's logits through OpenBLAS are exact to float32", arguments: Fixtures.tinyTypes)
  func exact(type: String) throws {
    let golden = try Fixtures.decode(Golden.self, "tiny-\(type).json")
    let ours = try Self.logits(type, golden.tokens, path: .openblas)
    let error = normalizedError(golden.rows.flatMap { ours[$0] }, golden.logits.flatMap { $0 })
    #expect(error < 1e-10, "\(error)")
  }

  @Test(
    "a cache in fixed point or in float16 is close to exact logits, with the same bits on any threads",
    arguments: ["f32", "q4_0"],
    [KeyValueCache.Precision.fixed, .half, .byte])
  func cachePrecision(type: String, precision: KeyValueCache.Precision) throws {
    let golden = try Fixtures.decode(Golden.self, "tiny-\(type).json")
    for set in InstructionSet.allCases where set.isAvailable {
      let ours = try Self.logits(type, golden.tokens, set: set, cache: precision)
      let error = normalizedError(golden.rows.flatMap { ours[$0] }, golden.logits.flatMap { $0 })
      let most = type == "f32" ? [.half: 1e-6, .fixed: 5e-5, .byte: 2e-4][precision] : 1e-3
      #expect(error < most ?? 0, "\(set): \(error)")
      for (threads, batch) in [(1, 1), (2, 7), (3, 300)] {
        let same = try Self.logits(
          type, golden.tokens, set: set, threads: threads, batch: batch, cache: precision)
        #expect(same == ours, "\(set), \(threads) threads, batch \(batch)")
      }
    }
  }

  @Test("threads and batch sizes do not change a bit", arguments: ["q4_0", "q5_k", "f16"])
  func sameBits(type: String) throws {
    let tokens = try Fixtures.decode(Golden.self, "tiny-\(type).json").tokens
    let reference = try Self.logits(type, tokens, threads: 1, batch: 512)
    for (threads, batch) in [(1, 1), (2, 1), (2, 7), (3, 32), (2, 512), (3, 300)] {
      let ours = try Self.logits(type, tokens, threads: threads, batch: batch)
      #expect(ours == reference, "\(threads) threads, batch \(batch)")
    }
  }

  /// Tokens and a model on two threads.
  private static func model(_ precision: KeyValueCache.Precision) throws -> ([Int], LlamaModel) {
    let model = try LlamaModel(
      GGUFFile(path: Fixtures.path("tiny-q4_0.gguf")), team: ComputeTeam(threads: 2),
      cachePrecision: precision)
    return (try Fixtures.decode(Golden.self, "tiny-q4_0.json").tokens, model)
  }

  @Test(
    "a cache that was cut and filled again is as new, and so beside a sequence of another length",
    arguments: [KeyValueCache.Precision.fixed, .byte, .half])
  func refilled(precision: KeyValueCache.Precision) throws {
    let (tokens, model) = try Self.model(precision)
    let pass = ForwardPass(model, batchSize: 64)
    func append(_ tokens: some Sequence<Int>, to cache: KeyValueCache) -> [[Float]] {
      var rows: [[Float]] = []
      pass(Array(tokens), cache: cache, wanted: .all) { rows.append(Array($1)) }
      return rows
    }
    // Three spans of 256 positions, cut in the second.
    let start = (tokens + tokens).prefix(300)
    let others = (tokens + tokens).reversed().prefix(250)
    let cut = try model.makeCache(capacity: 640)
    _ = append(start + tokens.prefix(300), to: cut)
    cut.truncate(to: start.count)
    let new = try model.makeCache(capacity: 640)
    let expected = append(start + others, to: new)
    #expect(append(others, to: cut) == Array(expected.suffix(others.count)))

    let short = try model.makeCache(capacity: 640)
    _ = append(tokens.prefix(20), to: short)
    var together: [[Float]] = []
    pass.step([ForwardPass.Part([7], cache: short), ForwardPass.Part([9], cache: cut)]) {
      together.append(Array($2))
    }
    short.truncate(to: 20)
    #expect(together == append([7], to: short) + append([9], to: new))
  }

  @Test(
    "16 sequences of different lengths get together what each gets alone",
    arguments: KeyValueCache.Precision.allCases)
  func together(precision: KeyValueCache.Precision) throws {
    let (tokens, model) = try Self.model(precision)
    let pass = ForwardPass(model, batchSize: 64)
    // Up to three spans of 256 positions. The threads' halves take about as long, so that each computes its own.
    let caches = try (0..<16).map { index in
      let cache = try model.makeCache(capacity: 640)
      pass((tokens + tokens).prefix(1 + index % 8 * 80), cache: cache) { _, _ in }
      return cache
    }
    func step(_ indices: Range<Int>) -> [[Float]] {
      var rows: [[Float]] = []
      pass.step(indices.map { ForwardPass.Part([tokens[$0]], cache: caches[$0]) }) {
        rows.append(Array($2))
      }
      for index in indices { caches[index].truncate(to: caches[index].count - 1) }
      return rows
    }
    #expect(step(0..<16) == (0..<16).flatMap { step($0..<$0 + 1) })
  }

  @Test("a wrong hyperparameter is refused by its key")
  func badHyperparameters() throws {
    let bytes = [UInt8](try Fixtures.data("tiny-q4_0.gguf"))
    func refusal(_ key: String, _ value: UInt32) throws -> String {
      var changed = bytes
      let offset = try #require(try GGUFFile(contents: bytes).entry(key)).offset
      withUnsafeBytes(of: value.littleEndian) {
        changed.replaceSubrange(offset..<offset + 4, with: $0)
      }
      do {
        _ = try LlamaModel(GGUFFile(contents: changed), team: ComputeTeam(threads: 1))
        return "accepted"
      } catch { return "\(error)" }
    }
    for (key, value): (String, UInt32) in [
      ("llama.block_count", 0), ("llama.block_count", 513), ("llama.block_count", 3),
      ("llama.attention.head_count", 0), ("llama.attention.head_count", 3),
      ("llama.attention.head_count_kv", 3), ("llama.attention.head_count_kv", 0),
      ("llama.embedding_length", 0), ("llama.feed_forward_length", 64),
      ("llama.context_length", 0), ("llama.rope.dimension_count", 17),
      ("llama.rope.freq_base", 0x7FC0_0000), ("llama.rope.freq_base", 0),
      ("llama.attention.layer_norm_rms_epsilon", 0x7F80_0000), ("llama.vocab_size", 40),
    ] {
      let message = try refusal(key, value)
      #expect(message != "accepted", "\(key) = \(value)")
      #expect(message.contains("llama.") || message.contains("tensor "), "\(message)")
    }
  }

  @Test("a block scale that is infinite is refused with tensor and row")
  func infiniteScale() throws {
    var bytes = [UInt8](try Fixtures.data("tiny-q4_0.gguf"))
    let file = try GGUFFile(contents: bytes)
    let tensor = try #require(file.tensor("blk.1.ffn_down.weight"))
    let at = file.byteRange(of: tensor).lowerBound + 5 * 8 * 18  // row 5, first scale
    bytes.replaceSubrange(at..<at + 2, with: [0x00, 0x7C])
    #expect(throws: ComputeError.notFinite(tensor: tensor.name, row: 5)) {
      try LlamaModel(GGUFFile(contents: bytes), team: ComputeTeam(threads: 2)).checkFinite()
    }
  }
}
