import GGUF

/// A byte-level BPE tokenizer read from a GGUF file.
///
/// Ids are those of Hugging Face's `tokenizers` for the same vocabulary, bytes without a token
/// (21 of 256 in SmolLM2) included: they are dropped, and their neighbours may join.
public struct Tokenizer: Sendable {
  enum Key {
    static let tokens = "tokenizer.ggml.tokens"
    static let types = "tokenizer.ggml.token_type"
    static let merges = "tokenizer.ggml.merges"
  }

  /// Token types (ggml `docs/gguf.md`, `tokenizer.ggml.token_type`).
  private enum TokenType {
    static let control: Int64 = 3
    static let userDefined: Int64 = 4
  }

  /// Whether texts like `<|im_end|>` inside the input become control tokens.
  public enum ControlTokens: Sendable {
    /// They are ordinary text: for everything that a user or a file says.
    case asText
    /// They are control tokens: for text that a chat template wrote.
    case parsed
  }

  /// How text is cut into pieces before pairs are merged.
  public let preTokenizer: PreTokenizer
  /// Tokens, the control tokens included.
  public let vocabularySize: Int
  /// Ids that the file names; nil where it names none.
  public let beginOfSequence: Int?
  /// The id that ends a sequence; nil where the file names none.
  public let endOfSequence: Int?
  /// Whether the model expects `beginOfSequence` before every text.
  public let addsBeginOfSequence: Bool
  /// Ids after which generation stops.
  public let endOfGeneration: Set<Int>
  /// Ids of control tokens, ascending.
  public let controlTokens: [Int]

  private let vocabulary: Vocabulary
  private let merges: MergeTable
  /// Token of each single byte, -1 where there is none.
  private let byteTokens: [Int32]
  private let parsedTexts: TextMatcher
  private let alwaysParsedTexts: TextMatcher
  private let isControl: [Bool]

  /// - Throws: `GGUFError` naming the key where a table is missing or damaged, or the tokenizer is
  ///   of a kind that is not supported.
  public init(_ file: GGUFFile) throws(GGUFError) {
    let metadata = MetadataReader(file)
    let model = try metadata.requiredString("tokenizer.ggml.model")
    guard model == "gpt2" else {
      throw metadata.unsupported(
        "tokenizer.ggml.model", found: "\"\(printable(model))\"", allowed: "gpt2")
    }
    let name = try metadata.requiredString("tokenizer.ggml.pre")
    guard let preTokenizer = PreTokenizer(name: name) else {
      throw metadata.unsupported(
        "tokenizer.ggml.pre", found: "\"\(printable(name))\"",
        allowed: PreTokenizer.allCases.map(\.rawValue).joined(separator: ", ") + ", default")
    }
    let tokens = try metadata.requiredStrings(Key.tokens)
    guard tokens.count > 0, tokens.count < 1 << 24 else {
      throw metadata.refuse(Key.tokens, found: "\(tokens.count) tokens", allowed: "1 to 2^24")
    }
    // Places in the vocabulary's text, and ranks, are 32-bit numbers.
    guard tokens.byteCount < 1 << 31 else {
      throw metadata.refuse(
        Key.tokens, found: "\(tokens.byteCount) bytes", allowed: "less than 2^31")
    }
    let mergeList = try metadata.requiredStrings(Key.merges)
    guard mergeList.count < 1 << 31 else {
      throw metadata.refuse(
        Key.merges, found: "\(mergeList.count) merges", allowed: "less than 2^31")
    }
    if let embedding = file.tensor("token_embd.weight"), embedding.rows != tokens.count {
      throw metadata.refuse(
        Key.tokens, found: "\(tokens.count) tokens",
        allowed: "the \(embedding.rows) rows of token_embd.weight")
    }
    let types = try metadata.integers(Key.types, count: tokens.count) ?? []
    try metadata.requireFloats("tokenizer.ggml.scores", count: tokens.count)
    let vocabulary = Vocabulary(tokens)
    guard vocabulary.count == tokens.count else {
      throw metadata.refuse(
        Key.tokens, found: "texts that changed while they were read", allowed: "a file at rest")
    }
    let isControl = types.map { $0 == TokenType.control }
    merges = try MergeTable(mergeList, vocabulary, isControl: isControl, metadata)

    func special(_ key: String) throws(GGUFError) -> Int? {
      try metadata.integer("tokenizer.ggml.\(key)_token_id", in: 0...tokens.count - 1)
    }
    beginOfSequence = try special("bos")
    endOfSequence = try special("eos")
    addsBeginOfSequence = try metadata.bool("tokenizer.ggml.add_bos_token") ?? false
    if addsBeginOfSequence, beginOfSequence == nil {
      throw metadata.refuse(
        "tokenizer.ggml.add_bos_token", found: "true", allowed: "false without a bos_token_id")
    }
    var ends = Set<Int>()
    for key in ["eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep"] {
      if let id = try special(key) { ends.insert(id) }
    }
    for text in Self.endOfGenerationTexts {
      if let id = vocabulary.id(of: Array(text.utf8)) { ends.insert(id) }
    }
    endOfGeneration = ends
    // Not used, and a file that is wrong about them is not to be trusted.
    for key in ["unknown", "padding", "seperator", "separator", "cls", "mask"] {
      _ = try special(key)
    }

    self.isControl = isControl
    let control = types.indices.filter { types[$0] == TokenType.control }
    let userDefined = types.indices.filter { types[$0] == TokenType.userDefined }
    controlTokens = control
    alwaysParsedTexts = TextMatcher(userDefined.map { ($0, Array(vocabulary.bytes($0))) })
    parsedTexts = TextMatcher((userDefined + control).map { ($0, Array(vocabulary.bytes($0))) })
    byteTokens = ByteAlphabet.scalars.map { scalar in
      guard let id = vocabulary.id(of: Array(String(scalar).utf8)), !control.contains(id) else {
        return -1
      }
      return Int32(id)
    }
    self.preTokenizer = preTokenizer
    vocabularySize = tokens.count
    self.vocabulary = vocabulary
  }

  /// Texts whose tokens end generation in llama.cpp, whatever the file's ids say.
  private static let endOfGenerationTexts = [
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>",
    "<|endoftext|>", "<|eom_id|>", "<EOT>", "_<EOT>", "<|end_of_text|>", "<end_of_utterance>",
    "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>",
    "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
  ]

  /// Bytes that no token stands for, ascending; characters that need them are dropped.
  public var missingBytes: [UInt8] {
    byteTokens.indices.filter { byteTokens[$0] < 0 }.map { UInt8($0) }
  }

  // MARK: Encoding

  /// A stretch of a prompt, and who wrote it.
  public struct Segment: Equatable, Sendable {
    /// The text.
    public var text: String
    /// What texts of control tokens in it are.
    public var controlTokens: ControlTokens

    /// A stretch of text, and who wrote it.
    public init(_ text: String, _ controlTokens: ControlTokens) {
      self.text = text
      self.controlTokens = controlTokens
    }
  }

  /// The ids of `text`. Takes time in proportion to the text (times a logarithm).
  public func encode(_ text: String, controlTokens: ControlTokens = .asText) -> [Int] {
    encode([Segment(text, controlTokens)])
  }

  /// The ids of the segments' texts put together: where no control token lies between two segments,
  /// pieces may span both, as if the text had been written in one go.
  public func encode(_ segments: [Segment]) -> [Int] {
    var output: [Int] = []
    var encoder = BytePairEncoder(merges: merges)
    var plain: [Unicode.Scalar] = []
    for segment in segments {
      let matcher = segment.controlTokens == .parsed ? parsedTexts : alwaysParsedTexts
      guard !matcher.isEmpty else {
        plain.append(contentsOf: segment.text.unicodeScalars)
        continue
      }
      matcher.split(Array(segment.text.utf8)) { part in
        switch part {
        case .text(let bytes):
          plain.append(contentsOf: String(decoding: bytes, as: UTF8.self).unicodeScalars)
        case .token(let id):
          encodePlain(plain, &encoder, into: &output)
          plain.removeAll()
          output.append(id)
        }
      }
    }
    encodePlain(plain, &encoder, into: &output)
    return output
  }

  private func encodePlain(
    _ scalars: [Unicode.Scalar], _ encoder: inout BytePairEncoder, into output: inout [Int]
  ) {
    var symbols: [Int32] = []
    preTokenizer.forEachPiece(scalars) { range in
      symbols.removeAll(keepingCapacity: true)
      for scalar in scalars[range] {
        for byte in UTF8.encode(scalar).unsafelyUnwrapped {
          let token = byteTokens[Int(byte)]
          if token >= 0 { symbols.append(token) }
        }
      }
      if preTokenizer.takesWholePieces, let id = wholePiece(scalars[range]) {
        output.append(id)
      } else {
        encoder.encode(symbols, into: &output)
      }
    }
  }

  private func wholePiece(_ scalars: ArraySlice<Unicode.Scalar>) -> Int? {
    var spelled = String.UnicodeScalarView()
    for scalar in scalars {
      for byte in UTF8.encode(scalar).unsafelyUnwrapped {
        spelled.append(ByteAlphabet.scalars[Int(byte)])
      }
    }
    let id = vocabulary.id(of: Array(String(spelled).utf8))
    return id.flatMap { isControlToken($0) ? nil : $0 }
  }

  // MARK: Decoding

  /// Whether `id` is a control token, such as `<|im_end|>`.
  public func isControlToken(_ id: Int) -> Bool { isControl.indices.contains(id) && isControl[id] }

  /// The token's text as the file spells it; empty where `id` is not a token.
  public func spelling(of id: Int) -> String {
    String(decoding: vocabulary.bytes(id), as: UTF8.self)
  }

  /// The bytes that the token stands for, which may be part of a character; of a control token its
  /// spelling. Empty where `id` is not a token.
  public func bytes(of id: Int) -> [UInt8] {
    let text = vocabulary.bytes(id)
    return isControlToken(id) ? Array(text) : ByteAlphabet.decode(text)
  }

  /// The text of `ids`; bytes that are no character become U+FFFD.
  public func decode(_ ids: some Sequence<Int>) -> String {
    String(decoding: ids.flatMap { bytes(of: $0) }, as: UTF8.self)
  }

  /// The id of the token that is spelled `text`.
  public func id(spelled text: String) -> Int? { vocabulary.id(of: Array(text.utf8)) }
}
