import Compute
import GGUF

/// The shape of a Llama-architecture model, read from GGUF metadata and validated: a value of this
/// type has no zero, no indivisible and no absurd size.
public struct Hyperparameters: Equatable, Sendable {
  /// Transformer blocks.
  public let blockCount: Int
  /// Positions the model was trained for.
  public let contextLength: Int
  /// Values of a token between blocks.
  public let embeddingLength: Int
  /// Values of a token inside the feed-forward part.
  public let feedForwardLength: Int
  /// Attention heads of queries.
  public let headCount: Int
  /// Attention heads of keys and values; `headCount` is a multiple of it.
  public let keyValueHeadCount: Int
  /// Values of a head.
  public let headSize: Int
  /// Tokens of the vocabulary.
  public let vocabularySize: Int
  /// Theta of the rotary position embedding (Su et al. 2021).
  public let ropeFrequencyBase: Double
  /// What positions are multiplied with: 1 / the linear scaling factor.
  public let ropePositionScale: Double
  /// Values of a head that are rotated.
  public let ropeDimensionCount: Int
  /// Epsilon of the RMS norms.
  public let rmsNormEpsilon: Float

  /// Query heads that share a key-value head.
  public var groupSize: Int { headCount / keyValueHeadCount }
  /// Values of a token's keys, and of its values.
  public var keyValueLength: Int { keyValueHeadCount * headSize }
  /// Values of a token's queries.
  public var queryLength: Int { headCount * headSize }
  /// Of a sequence's keys and values.
  public var cacheShape: KeyValueCache.Shape {
    KeyValueCache.Shape(layers: blockCount, heads: keyValueHeadCount, headSize: headSize)
  }

  /// The architecture that this module computes.
  public static let architecture = "llama"

  /// - Throws: `GGUFError` naming the key, what was found and what is allowed.
  public init(_ file: GGUFFile) throws(GGUFError) {
    let metadata = MetadataReader(file)
    let architecture = try metadata.requiredString("general.architecture")
    guard architecture == Self.architecture else {
      throw metadata.unsupported(
        "general.architecture", found: "\"\(printable(architecture))\"",
        allowed: "\"\(Self.architecture)\"")
    }
    func integer(_ key: String, _ range: ClosedRange<Int>) throws(GGUFError) -> Int {
      try metadata.requiredInteger("llama.\(key)", in: range)
    }
    blockCount = try integer("block_count", 1...512)
    contextLength = try integer("context_length", 1...(1 << 32))
    embeddingLength = try integer("embedding_length", 16...65_536)
    feedForwardLength = try integer("feed_forward_length", 16...(1 << 18))
    headCount = try integer("attention.head_count", 1...1024)
    keyValueHeadCount =
      try metadata.integer("llama.attention.head_count_kv", in: 1...headCount) ?? headCount
    guard headCount % keyValueHeadCount == 0 else {
      throw metadata.refuse(
        "llama.attention.head_count_kv", found: "\(keyValueHeadCount)",
        allowed: "a divisor of the \(headCount) heads")
    }
    let keyLength = try metadata.integer("llama.attention.key_length", in: 16...1024)
    if keyLength == nil, embeddingLength % headCount != 0 {
      throw metadata.refuse(
        "llama.attention.head_count", found: "\(headCount)",
        allowed: "a divisor of the embedding length \(embeddingLength)")
    }
    headSize = keyLength ?? embeddingLength / headCount
    guard headSize % 16 == 0 else {
      throw metadata.unsupported(
        "llama.attention.head_count", found: "head size \(headSize)", allowed: "multiples of 16")
    }
    if let valueLength = try metadata.integer("llama.attention.value_length", in: 1...1024),
      valueLength != headSize
    {
      throw metadata.unsupported(
        "llama.attention.value_length", found: "\(valueLength)",
        allowed: "the key length \(headSize)")
    }
    ropeDimensionCount =
      try metadata.integer("llama.rope.dimension_count", in: 1...headSize) ?? headSize
    guard ropeDimensionCount % 16 == 0 else {
      throw metadata.unsupported(
        "llama.rope.dimension_count", found: "\(ropeDimensionCount)", allowed: "multiples of 16")
    }
    ropeFrequencyBase = try metadata.float("llama.rope.freq_base", in: 1...1e12) ?? 10_000
    ropePositionScale = try Self.positionScale(metadata)
    rmsNormEpsilon = Float(
      try metadata.requiredFloat("llama.attention.layer_norm_rms_epsilon", in: 1e-12...1))

    guard let embedding = file.tensor("token_embd.weight") else {
      throw GGUFError(file: file.name, field: "tensor token_embd.weight", reason: .missing)
    }
    vocabularySize = embedding.rows
    if let declared = try metadata.integer("llama.vocab_size", in: 1...(1 << 24)),
      declared != vocabularySize
    {
      throw metadata.refuse(
        "llama.vocab_size", found: "\(declared)",
        allowed: "the \(vocabularySize) rows of token_embd.weight")
    }
    try Self.refuseOtherModels(metadata, file)
  }

  private static func positionScale(_ metadata: MetadataReader) throws(GGUFError) -> Double {
    let type = try metadata.string("llama.rope.scaling.type") ?? "none"
    switch type {
    case "none": return 1
    case "linear":
      return 1 / (try metadata.requiredFloat("llama.rope.scaling.factor", in: 1e-3...1e6))
    default:
      throw metadata.unsupported(
        "llama.rope.scaling.type", found: "\"\(printable(type))\"", allowed: "none, linear")
    }
  }

  /// Files that say `llama` and need more than the plain architecture.
  private static func refuseOtherModels(_ metadata: MetadataReader, _ file: GGUFFile)
    throws(GGUFError)
  {
    if let experts = try metadata.integer("llama.expert_count", in: 0...65_536), experts > 0 {
      throw metadata.unsupported(
        "llama.expert_count", found: "\(experts) experts", allowed: "dense models")
    }
    if let version = try metadata.integer("general.quantization_version", in: 0...65_536),
      version != 2
    {
      throw metadata.refuse("general.quantization_version", found: "\(version)", allowed: "2")
    }
    if let shards = try metadata.integer("split.count", in: 0...65_536), shards > 1 {
      throw metadata.unsupported(
        "split.count", found: "a model split over \(shards) files", allowed: "a single file")
    }
    if let tensor = file.tensor("rope_freqs.weight") {
      throw metadata.unsupported(
        "tensor \(tensor.name)", found: "per-dimension RoPE factors", allowed: "plain RoPE")
    }
  }
}
