#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How well a model foretells a text, measured as llama.cpp's `llama-perplexity` does: the tokens are cut
/// into chunks of a context's length, each starts anew, and the tokens of its second half are scored.
///
/// With a reference model, also how far the model's probabilities lie from that model's: the mean of
/// KL(reference || model) over the same positions (Kullback & Leibler 1951).
public struct Perplexity: Sendable {
  /// Tokens of a chunk, at least 4.
  public var contextLength = 512
  /// Chunks at most; nil takes all that the text fills.
  public var chunks: Int?

  /// llama-perplexity's chunks of 512 tokens.
  public init() {}

  /// What was measured.
  public struct Result: Sendable {
    /// Tokens that were scored.
    public let tokens: Int
    /// Chunks that were computed.
    public let chunks: Int
    /// Mean of -log p, and the standard error of that mean.
    public let negativeLogLikelihood: Double
    /// The standard error of the perplexity.
    public let standardError: Double
    /// e^negativeLogLikelihood.
    public var value: Double { exp(negativeLogLikelihood) }
    /// Only with a reference.
    public let divergence: Divergence?
  }

  /// How far the probabilities are from another model's: Kullback and Leibler's divergence, in nats
  /// a token.
  public struct Divergence: Sendable {
    /// Of all tokens.
    public let mean: Double
    /// Standard error of the mean.
    public let standardError: Double
    /// Of the token where it is largest.
    public let largest: Double
    /// Share of positions at which both find the same token the likeliest.
    public let sameTop: Double
    /// The reference's own perplexity on the same tokens.
    public let referencePerplexity: Double
  }

  /// What can be wrong with the text.
  public enum Fault: Error, Equatable, CustomStringConvertible {
    /// The text has fewer tokens than a chunk and its context need.
    case tooShort(tokens: Int, needed: Int)
    /// The two models have vocabularies of different sizes.
    case vocabularies(Int, Int)
    /// A chunk is longer than the model's context.
    case tooLong(chunk: Int, context: Int)

    public var description: String {
      switch self {
      case .tooShort(let tokens, let needed):
        "the text has \(tokens) tokens; \(needed) are needed, two chunks of the context"
      case .tooLong(let chunk, let context):
        "chunks of \(chunk) tokens, and the model's context holds \(context)"
      case .vocabularies(let a, let b):
        "the models' vocabularies have \(a) and \(b) tokens, and cannot be compared"
      }
    }
  }

  /// Rows of logits that are held of the reference.
  private static let rowsOfPart = 64

  /// Scores `tokens`.
  ///
  /// - Parameters:
  ///   - language: the model that is measured.
  ///   - tokens: of the text.
  ///   - reference: the model that its probabilities are compared with; nil compares with none.
  ///   - progress: told the chunks that are done, of how many, and the result so far; false cancels.
  /// - Throws: `Fault`; `ComputeError.memory`; `CancellationError`.
  public func run(
    _ language: LanguageModel, _ tokens: [Int], reference: LanguageModel? = nil,
    progress: (Int, Int, Result) -> Bool = { _, _, _ in true }
  ) throws -> Result {
    let length = max(4, contextLength)
    for model in [language, reference].compactMap(\.self)
    where length > model.model.hyperparameters.contextLength {
      throw Fault.tooLong(chunk: length, context: model.model.hyperparameters.contextLength)
    }
    guard tokens.count >= 2 * length else {
      throw Fault.tooShort(tokens: tokens.count, needed: 2 * length)
    }
    if let reference, reference.tokenizer.vocabularySize != language.tokenizer.vocabularySize {
      throw Fault.vocabularies(
        language.tokenizer.vocabularySize, reference.tokenizer.vocabularySize)
    }
    let count = min(tokens.count / length, chunks ?? .max)
    let scorer = try Scorer(language, length)
    let other = try reference.map { try Scorer($0, length) }
    var sums = Sums(hasReference: reference != nil)
    for index in 0..<count {
      var chunk = Array(tokens[index * length..<(index + 1) * length])
      if language.tokenizer.addsBeginOfSequence, let begin = language.tokenizer.beginOfSequence {
        chunk[0] = begin
      }
      score(chunk, scorer, other, &sums)
      guard progress(index + 1, count, sums.result(chunks: index + 1)) else {
        throw CancellationError()
      }
    }
    return sums.result(chunks: count)
  }

  private func score(_ chunk: [Int], _ scorer: Scorer, _ other: Scorer?, _ sums: inout Sums) {
    let first = chunk.count / 2
    scorer.restart(chunk[..<first])
    other?.restart(chunk[..<first])
    // The last token's logits foretell what lies in the next chunk.
    for start in stride(from: first, to: chunk.count - 1, by: Self.rowsOfPart) {
      let end = min(start + Self.rowsOfPart, chunk.count - 1)
      var references: [[Float]] = []
      other?.pass(chunk[start..<end], cache: other?.cache) { references.append(Array($0)) }
      var row = 0
      scorer.pass(chunk[start..<end], cache: scorer.cache) { logits in
        sums.add(
          logits, references.isEmpty ? nil : references[row], actual: chunk[start + row + 1])
        row += 1
      }
    }
  }

  /// A model and the buffers to run it with.
  private final class Scorer {
    private let forward: ForwardPass
    let cache: KeyValueCache

    init(_ language: LanguageModel, _ length: Int) throws {
      forward = ForwardPass(language.model, batchSize: min(length, language.options.batchSize))
      cache = try language.model.makeCache(capacity: length)
    }

    func restart(_ tokens: ArraySlice<Int>) {
      cache.truncate(to: 0)
      forward(tokens, cache: cache) { _, _ in }
    }

    func pass(
      _ tokens: ArraySlice<Int>, cache: KeyValueCache?,
      _ body: (UnsafeMutableBufferPointer<Float>) -> Void
    ) {
      guard let cache else { return }
      forward(tokens, cache: cache, wanted: .all) { body($1) }
    }
  }
}

/// What is added up over the positions, in float64.
private struct Sums {
  private let hasReference: Bool
  private var count = 0
  private var likelihood = Moments()
  private var reference = Moments()
  private var divergence = Moments()
  private var largest = 0.0
  private var sameTop = 0

  init(hasReference: Bool) { self.hasReference = hasReference }

  /// Sums of values and of their squares.
  private struct Moments {
    var sum = 0.0
    var squares = 0.0

    mutating func add(_ value: Double) {
      sum += value
      squares += value * value
    }

    func mean(_ count: Int) -> Double { sum / Double(max(1, count)) }

    func standardError(_ count: Int) -> Double {
      guard count > 1 else { return 0 }
      let variance = squares / Double(count) - mean(count) * mean(count)
      return (max(0, variance) / Double(count - 1)).squareRoot()
    }
  }

  mutating func add(_ logits: UnsafeMutableBufferPointer<Float>, _ other: [Float]?, actual: Int) {
    count += 1
    let normalizer = Double(logits.logSumExp)
    likelihood.add(normalizer - Double(logits[actual]))
    guard var other else { return }
    let otherNormalizer = other.withUnsafeMutableBufferPointer { Double($0.logSumExp) }
    reference.add(otherNormalizer - Double(other[actual]))
    var sum = 0.0
    var (top, otherTop) = (0, 0)
    for index in logits.indices {
      if logits[index] > logits[top] { top = index }
      if other[index] > other[otherTop] { otherTop = index }
      let logP = Double(other[index]) - otherNormalizer
      // What is less likely than e^-30 adds nothing that float64 would show.
      guard logP > -30 else { continue }
      sum += exp(logP) * (logP - (Double(logits[index]) - normalizer))
    }
    divergence.add(sum)
    largest = max(largest, sum)
    if top == otherTop { sameTop += 1 }
  }

  func result(chunks: Int) -> Perplexity.Result {
    Perplexity.Result(
      tokens: count, chunks: chunks, negativeLogLikelihood: likelihood.mean(count),
      standardError: likelihood.standardError(count),
      divergence: !hasReference
        ? nil
        : Perplexity.Divergence(
          mean: divergence.mean(count), standardError: divergence.standardError(count),
          largest: largest, sameTop: Double(sameTop) / Double(max(1, count)),
          referencePerplexity: exp(reference.mean(count))))
  }
}
