/// How a session's response is made. Shaped like FoundationModels' `GenerationOptions`; what is below
/// `maximumResponseTokens` is Swiftlet's own.
public struct GenerationOptions: Equatable, Sendable {
  /// How the next token is chosen.
  public struct SamplingMode: Equatable, Sendable {
    enum Kind: Equatable {
      case greedy
      case top(Int, seed: UInt64?)
      case probability(Double, seed: UInt64?)
    }
    let kind: Kind

    /// Always the likeliest token.
    public static var greedy: SamplingMode { SamplingMode(kind: .greedy) }

    /// One of the `k` likeliest tokens.
    ///
    /// - Parameters:
    ///   - k: 1 and more.
    ///   - seed: equal seeds give equal responses; nil takes a new one each time.
    public static func random(top k: Int, seed: UInt64? = nil) -> SamplingMode {
      SamplingMode(kind: .top(k, seed: seed))
    }

    /// One of the likeliest tokens whose probabilities together reach `probabilityThreshold`, 0 to 1.
    ///
    /// - Parameters:
    ///   - probabilityThreshold: 0 to 1.
    ///   - seed: equal seeds give equal responses; nil takes a new one each time.
    public static func random(probabilityThreshold: Double, seed: UInt64? = nil) -> SamplingMode {
      SamplingMode(kind: .probability(probabilityThreshold, seed: seed))
    }
  }

  /// nil is as `SamplingOptions` are by default.
  public var sampling: SamplingMode?
  /// Divides logits, 0 and more; nil is 0.8. 0 is greedy.
  public var temperature: Double?
  /// nil is as many as the context holds.
  public var maximumResponseTokens: Int?
  /// Texts that end the response; they are not part of it.
  public var stopStrings: [String]
  /// Divides logits of recent tokens (Keskar et al. 2019); 1 is off.
  public var repeatPenalty: Double

  /// Options; those that are not given are the model's usual ones.
  public init(
    sampling: SamplingMode? = nil, temperature: Double? = nil, maximumResponseTokens: Int? = nil,
    stopStrings: [String] = [], repeatPenalty: Double = 1
  ) {
    self.sampling = sampling
    self.temperature = temperature
    self.maximumResponseTokens = maximumResponseTokens
    self.stopStrings = stopStrings
    self.repeatPenalty = repeatPenalty
  }

  /// The same for the layer below.
  var decoding: DecodingOptions {
    var options = DecodingOptions()
    if let temperature { options.sampling.temperature = max(0, Float(temperature)) }
    func alone(_ seed: UInt64?) {
      (options.sampling.topK, options.sampling.topP, options.sampling.minP) = (0, 1, 0)
      options.sampling.seed = seed.map { UInt32(truncatingIfNeeded: $0 ^ $0 >> 32) }
    }
    switch sampling?.kind {
    case .greedy: options.sampling.temperature = 0
    case .top(let count, let seed):
      alone(seed)
      options.sampling.topK = max(1, count)
    case .probability(let threshold, let seed):
      alone(seed)
      options.sampling.topP = min(1, max(0, Float(threshold)))
    case nil: break
    }
    options.sampling.repeatPenalty = Float(repeatPenalty)
    options.maximumResponseTokens = maximumResponseTokens
    options.stopStrings = stopStrings
    return options
  }
}
