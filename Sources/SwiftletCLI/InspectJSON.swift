import Swiftlet

/// The JSON of `inspect`; docs/inspect.md describes each field, and a test compares the two.
extension InspectReport: Encodable {
  private enum CodingKeys: String, CodingKey {
    case file, bytes, version, alignment, data_offset, parameters, bits_per_weight, quantization
    case wrong_file_type, importance_matrix, architecture, types, tokenizer, chat_template, cost,
      speed, runs
    case faults, metadata, tensors
  }

  private struct Architecture: Encodable {
    let name: String
    let blocks: Int
    let context: Int
    let embedding: Int
    let feed_forward: Int
    let heads: Int
    let key_value_heads: Int
    let head_size: Int
    let vocabulary: Int
    let rope_base: Double
    let tied_output: Bool
  }

  private struct TypeShare: Encodable {
    let type: String
    let tensors: Int
    let bytes: Int
    let reasons: [String]
  }

  private struct TokenizerFacts: Encodable {
    struct Token: Encodable {
      let id: Int
      let text: String
    }
    let pre_tokenizer: String
    let tokens: Int
    let begin: Int?
    let end: Int?
    let adds_begin: Bool
    let end_of_generation: [Int]
    let control_tokens: [Token]
    let missing_bytes: [UInt8]
  }

  private struct TemplateFacts: Encodable {
    let characters: Int
    let example: String?
    let error: String?
  }

  private struct Cost: Encodable {
    let bytes_per_token: Int
    let cache_bytes_per_position: Int
    let context: Int
    let weight_memory: Int?
    let memory: Int?
  }

  private struct Speed: Encodable {
    let threads: Int
    let read_bandwidth_gbs: Double
    let decode_tps: Double
    let decode_tps_full: Double
  }

  private struct MetadataEntry: Encodable {
    let type: String
    let offset: Int
    let value: String?
    let element_type: String?
    let count: Int?

    init(_ entry: GGUFFile.Entry) {
      type = "\(entry.value.type)"
      offset = entry.offset
      if case .array(let array) = entry.value {
        (value, element_type, count) = (nil, "\(array.elementType)", array.count)
      } else {
        (value, element_type, count) = (entry.value.text, nil, nil)
      }
    }
  }

  private struct TensorEntry: Encodable {
    let name: String
    let type: String
    let shape: [Int]
    let offset: Int
    let bytes: Int
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(file.name, forKey: .file)
    try container.encode(file.byteCount, forKey: .bytes)
    try container.encode(file.version, forKey: .version)
    try container.encode(file.alignment, forKey: .alignment)
    try container.encode(file.dataOffset, forKey: .data_offset)
    try container.encode(parameterCount, forKey: .parameters)
    try container.encode(bitsPerWeight, forKey: .bits_per_weight)
    try container.encode(mixture.name, forKey: .quantization)
    try container.encode(mixture.wrongName, forKey: .wrong_file_type)
    try container.encode(mixture.importanceMatrix, forKey: .importance_matrix)
    try container.encode(
      mixture.shares.map {
        TypeShare(type: $0.type.name, tensors: $0.tensors, bytes: $0.bytes, reasons: $0.reasons)
      }, forKey: .types)
    try container.encode(architecture, forKey: .architecture)
    try container.encode(tokenizerFacts, forKey: .tokenizer)
    try container.encode(templateFacts, forKey: .chat_template)
    try container.encode(costFacts, forKey: .cost)
    try container.encode(speedFacts, forKey: .speed)
    try container.encode(faults.isEmpty, forKey: .runs)
    try container.encode(faults, forKey: .faults)
    try container.encode(
      Dictionary(
        file.entries.map { ($0.key, MetadataEntry($0)) }, uniquingKeysWith: { first, _ in first }),
      forKey: .metadata)
    try container.encode(
      file.tensors.map {
        TensorEntry(
          name: $0.name, type: $0.type.name, shape: $0.dimensions,
          offset: file.byteRange(of: $0).lowerBound, bytes: $0.byteCount)
      }, forKey: .tensors)
  }

  private var architecture: Architecture? {
    shape.map { shape in
      Architecture(
        name: Hyperparameters.architecture, blocks: shape.blockCount,
        context: shape.contextLength, embedding: shape.embeddingLength,
        feed_forward: shape.feedForwardLength, heads: shape.headCount,
        key_value_heads: shape.keyValueHeadCount, head_size: shape.headSize,
        vocabulary: shape.vocabularySize, rope_base: shape.ropeFrequencyBase,
        tied_output: file.tensor("output.weight") == nil)
    }
  }

  private var tokenizerFacts: TokenizerFacts? {
    tokenizer.map { tokenizer in
      TokenizerFacts(
        pre_tokenizer: tokenizer.preTokenizer.rawValue, tokens: tokenizer.vocabularySize,
        begin: tokenizer.beginOfSequence, end: tokenizer.endOfSequence,
        adds_begin: tokenizer.addsBeginOfSequence,
        end_of_generation: tokenizer.endOfGeneration.sorted(),
        control_tokens: tokenizer.controlTokens.map {
          TokenizerFacts.Token(id: $0, text: tokenizer.spelling(of: $0))
        },
        missing_bytes: tokenizer.missingBytes)
    }
  }

  private var templateFacts: TemplateFacts? {
    template.map { template in
      switch template.result {
      case .success(let prompt):
        TemplateFacts(characters: template.characters, example: prompt, error: nil)
      case .failure(let error):
        TemplateFacts(characters: template.characters, example: nil, error: "\(error)")
      }
    }
  }

  private var costFacts: Cost? {
    cost.map { cost in
      Cost(
        bytes_per_token: cost.weightBytes, cache_bytes_per_position: cost.cacheBytesPerPosition,
        context: contextLength, weight_memory: cost.residentBytes,
        memory: cost.memory(contextLength: contextLength))
    }
  }

  private var speedFacts: Speed? {
    speed.map { speed in
      Speed(
        threads: speed.threads, read_bandwidth_gbs: speed.readBandwidth / 1e9,
        decode_tps: speed.tokensPerSecond.first, decode_tps_full: speed.tokensPerSecond.last)
    }
  }
}
