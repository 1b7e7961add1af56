/// How the next token is chosen, with llama.cpp's meanings, defaults and order:
/// biases, penalties, DRY, top-k, typical, top-p, min-p, temperature.
public struct SamplingOptions: Equatable, Sendable {
  /// Divides logits; 0 takes the most likely token, ties to the lowest id.
  public var temperature: Float = 0.8
  /// Keeps this many of the most likely tokens; 0 keeps all.
  public var topK = 40
  /// Locally typical sampling (Meister et al. 2022); 1 is off.
  public var typicalP: Float = 1
  /// Nucleus sampling (Holtzman et al. 2020): keeps the likeliest whose sum reaches this; 1 is off.
  public var topP: Float = 0.95
  /// Keeps tokens at least this likely, relative to the likeliest; 0 is off.
  public var minP: Float = 0.05
  /// Divides (or multiplies, where negative) logits of recent tokens (Keskar et al. 2019); 1 is off.
  public var repeatPenalty: Float = 1
  /// Subtracted once for each time a token occurred recently.
  public var frequencyPenalty: Float = 0
  /// Subtracted from tokens that occurred recently.
  public var presencePenalty: Float = 0
  /// How many tokens back penalties look, the prompt included; 0 looks at none.
  public var penaltyWindow = 64
  /// Against repeating what was said; off by default.
  public var dry = DRY()
  /// Added to the logits of tokens, before all else; minus infinity forbids one.
  public var logitBias: [Int: Float] = [:]
  /// nil takes a new one each time.
  public var seed: UInt32?

  /// llama.cpp's defaults.
  public init() {}

  /// "Don't repeat yourself": a token that would go on with a repetition of n tokens loses
  /// `multiplier * base^(n - allowedLength)` of its logit.
  public struct DRY: Equatable, Sendable {
    /// 0 is off; 0.8 is usual.
    public var multiplier: Float = 0
    /// How fast the penalty grows with the length, 1 and more.
    public var base: Float = 1.75
    /// Repetitions of fewer tokens cost nothing.
    public var allowedLength = 2
    /// How many tokens back repetitions are looked for, the prompt included, 0 and more; nil is all the way.
    public var window: Int?
    /// Texts that no repetition goes across, and that are never penalized.
    public var breakers = ["\n", ":", "\"", "*"]

    /// llama.cpp's defaults.
    public init() {}
  }

  /// Temperature 0, the rest as by default.
  public static var greedy: SamplingOptions {
    var options = SamplingOptions()
    options.temperature = 0
    return options
  }
}
