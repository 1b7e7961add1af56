/// The tensor types of a file, and why there are several: what llama-quantize's rules did, as far as a
/// header shows it.
public struct TypeMixture: Sendable {
  /// Tensors of one type.
  public struct Share: Sendable {
    /// The element type.
    public let type: TensorType
    /// Tensors of it.
    public var tensors = 0
    /// Their bytes in the file.
    public var bytes = 0
    /// Why these tensors are not of the main type: none for the main type itself.
    public fileprivate(set) var reasons: [String] = []
  }

  /// Most bytes first.
  public let shares: [Share]
  /// The name of the whole, such as `Q4_K_M`: by `general.file_type`, else of the type that most matrix
  /// bytes have; nil where there are no matrices.
  public let name: String?
  /// What `general.file_type` says, where no tensor is of that type.
  public let wrongName: String?
  /// What was used to tell which weights matter, if the file says so.
  public let importanceMatrix: String?

  /// llama.cpp's names of `general.file_type` (`llama.h`, `enum llama_ftype`).
  private static let fileTypes: [UInt64: String] = [
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS",
    23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M",
    30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
  ]

  /// The mixture of `file`.
  public init(_ file: GGUFFile) {
    var shares: [TensorType: Share] = [:]
    for tensor in file.tensors {
      shares[tensor.type, default: Share(type: tensor.type)].tensors += 1
      shares[tensor.type]?.bytes += tensor.byteCount
    }
    let commonest = Self.commonestMatrixType(file)
    var declared: String?
    if case .unsigned(let number, _)? = file.entry("general.file_type")?.value {
      declared = Self.fileTypes[number]
    }
    // Q4_K_M is mostly Q4_K.
    let main = declared.flatMap { name in
      shares.keys.first { name == $0.name || name.hasPrefix($0.name + "_") }
    }
    for tensor in file.tensors {
      guard let main = main ?? commonest, tensor.type != main else { continue }
      let reason = Self.reason(tensor, main, in: file)
      if shares[tensor.type]?.reasons.contains(reason) == false {
        shares[tensor.type]?.reasons.append(reason)
      }
    }
    self.shares = shares.values.sorted {
      ($0.bytes, $1.type.rawValue) > ($1.bytes, $0.type.rawValue)
    }
    name = main == nil ? commonest?.name : declared
    wrongName = main == nil ? declared : nil
    importanceMatrix = Self.importanceMatrix(file)
  }

  private static func commonestMatrixType(_ file: GGUFFile) -> TensorType? {
    var bytes: [TensorType: Int] = [:]
    for tensor in file.tensors where tensor.dimensions.count > 1 {
      bytes[tensor.type, default: 0] += tensor.byteCount
    }
    return bytes.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key
  }

  private static func reason(
    _ tensor: TensorDescriptor, _ main: TensorType, in file: GGUFFile
  ) -> String {
    guard tensor.dimensions.count > 1 else {
      return "vectors, such as norms, stay as they are: they are small and every value counts"
    }
    let isEmbedding = tensor.name == "token_embd.weight"
    let isTied = isEmbedding && file.tensor("output.weight") == nil
    let isHead = isTied || tensor.name == "output.weight"
    var role = ""
    if isHead {
      role = isTied ? "the embedding, which is also the output head" : "the output head"
      if tensor.type == .q6_K { return role + ", decides every token" }
    }
    // llama-quantize wants Q6_K for the head, and these instead of what rows do not divide into.
    let wanted = isHead ? TensorType.q6_K : main
    if tensor.columns % 256 != 0, wanted.blockValues == 256,
      [TensorType.q4_0, .q5_0, .q5_1, .q8_0, .f16].contains(tensor.type)
        || tensor.type.name == "IQ4_NL"
    {
      let words =
        "rows of \(tensor.columns) values are no multiple of \(wanted.name)'s blocks of 256"
      return role.isEmpty ? words : role + ", would be Q6_K; " + words
    }
    if !role.isEmpty { return role + ", decides every token" }
    if isEmbedding { return "the embedding, of which a token reads one row" }
    if tensor.type.bitsPerWeight > main.bitsPerWeight {
      return "more bits for tensors that need them most, which llama-quantize gives to some"
    }
    return "whoever made the file chose so"
  }

  private static func importanceMatrix(_ file: GGUFFile) -> String? {
    func text(_ key: String) -> String? {
      switch file.entry("quantize.imatrix." + key)?.value {
      case .string(let text): text
      case .unsigned(let number, _): "\(number)"
      case .signed(let number, _): "\(number)"
      default: nil
      }
    }
    guard let name = text("file") ?? text("dataset") else { return nil }
    var parts = [name]
    if text("file") != nil, let dataset = text("dataset") { parts.append("made from \(dataset)") }
    if let chunks = text("chunks_count") { parts.append("\(chunks) chunks") }
    return parts.joined(separator: ", ")
  }
}
