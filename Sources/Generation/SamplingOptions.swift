/// How the next token is chosen, with llama.cpp's meanings, defaults and order:
/// biases, penalties, top-k, typical, top-p, min-p, temperature.
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
  /// Added to the logits of tokens, before all else; minus infinity forbids one.
  public var logitBias: [Int: Float] = [:]
  /// nil takes a new one each time.
  public var seed: UInt32?

  /// llama.cpp's defaults.
  public init() {}

  /// Temperature 0, the rest as by default.
  public static var greedy: SamplingOptions {
    var options = SamplingOptions()
    options.temperature = 0
    return options
  }
}
