/// Writes the tensors of a file in another type, by the rules of llama.cpp's `llama-quantize` without an
/// importance matrix.
public struct Quantization: Sendable {
  /// How to deviate from the rules.
  public struct Options: Sendable {
    /// All matrices get the type that was asked for, also the output head.
    public var isPure = false
    /// Of the output head, and of an embedding that is also the head; nil is by the rules.
    public var outputType: TensorType?
    /// Of the token embedding; nil is by the rules.
    public var embeddingType: TensorType?

    /// llama-quantize's rules.
    public init() {}
  }

  /// What becomes of a tensor.
  public struct Step: Sendable {
    /// The tensor as it is.
    public let source: TensorDescriptor
    /// The type that it will have.
    public let type: TensorType
    /// Why the type is another than the one that was asked for; nil where it is not.
    public let reason: String?
  }

  /// What is done with each tensor, in order.
  public let steps: [Step]
  private let file: GGUFFile
  private let type: TensorType

  /// llama.cpp's `general.file_type`, where it has one for files that are mostly of this type.
  private static let fileTypes: [TensorType: UInt64] = [
    .f32: 0, .f16: 1, .q4_0: 2, .q4_1: 3, .q8_0: 7, .q5_0: 8, .q5_1: 9, .q6_K: 18, .bf16: 32,
  ]

  /// Decides the type of each tensor.
  ///
  /// - Throws: `GGUFError` where `type` is not one of `TensorType.writable`, or a tensor that has to
  ///   change cannot be read.
  public init(_ file: GGUFFile, to type: TensorType, options: Options = Options()) throws(GGUFError)
  {
    for wanted in [type, options.outputType, options.embeddingType].compactMap(\.self)
    where !TensorType.writable.contains(wanted) {
      throw GGUFError(
        file: file.name, field: "type",
        reason: .unsupported(
          found: wanted.name,
          allowed: TensorType.writable.map(\.name).joined(separator: ", ")))
    }
    var steps: [Step] = []
    for tensor in file.tensors {
      let step = Self.step(tensor, type, options, in: file)
      if step.type != tensor.type { _ = try TensorValues(tensor, in: file) }
      steps.append(step)
    }
    try file.requireData()
    self.steps = steps
    self.file = file
    self.type = type
  }

  private static func step(
    _ tensor: TensorDescriptor, _ wanted: TensorType, _ options: Options, in file: GGUFFile
  ) -> Step {
    func keep(_ reason: String?) -> Step {
      Step(source: tensor, type: tensor.type, reason: reason)
    }
    // Vectors and norms are a thousandth of a file, and every value counts.
    guard tensor.name.hasSuffix("weight"), tensor.dimensions.count >= 2,
      !tensor.name.contains("_norm")
    else { return keep(nil) }
    guard TensorType.computable.contains(tensor.type) else {
      return keep("\(tensor.type) cannot be read")
    }

    let isEmbedding = tensor.name == "token_embd.weight"
    let isHead =
      tensor.name == "output.weight" || isEmbedding && file.tensor("output.weight") == nil
    var (type, reason): (TensorType, String?) = (wanted, nil)
    if isHead, let asked = options.outputType {
      (type, reason) = (asked, "as asked for")
    } else if isEmbedding, let asked = options.embeddingType {
      (type, reason) = (asked, "as asked for")
    } else if isHead, !options.isPure, wanted.blockValues > 1, wanted != .q8_0 {
      (type, reason) = (.q6_K, "the output head decides every token")
    }
    if tensor.columns % type.blockValues != 0 {
      // llama.cpp's `tensor_type_fallback`, then its last resort.
      let fallback: TensorType = tensor.columns % 32 == 0 ? .q8_0 : .f16
      let words = "rows of \(tensor.columns) are no multiple of \(type.blockValues)"
      reason = reason.map { "\($0), and \(words)" } ?? words
      type = fallback
    }
    return Step(source: tensor, type: type, reason: type == wanted ? nil : reason)
  }

  /// Bytes of all tensors as they will be.
  public var byteCount: Int {
    steps.reduce(0) { sum, step in
      sum + step.source.valueCount / step.type.blockValues * step.type.blockBytes
    }
  }

  /// Writes the file, which appears at `path` once it is whole.
  ///
  /// - Parameters:
  ///   - path: appears once the file is whole.
  ///   - team: whose threads quantize.
  ///   - progress: told the bytes of tensors that are written; false cancels.
  /// - Throws: `CancellationError`; `GGUFError` where the file cannot be written;
  ///   `ComputeError.notFinite` where a weight is NaN or infinite.
  public func write(to path: String, team: ComputeTeam, progress: (Int) -> Bool) throws {
    var writer = GGUFWriter(metadataOf: file)
    if let number = Self.fileTypes[type] {
      try writer.set("general.file_type", .unsigned(number, .uint32))
    }
    if steps.contains(where: { $0.type.blockValues > 1 }) {
      try writer.set("general.quantization_version", .unsigned(2, .uint32))
    }
    for step in steps {
      try writer.addTensor(
        step.source.name, dimensions: step.source.dimensions, type: step.type)
    }
    var done = 0
    var next = steps.makeIterator()
    try writer.write(to: path) { _, sink in
      guard let step = next.next() else { return }
      try forEachPart(of: step, team) { bytes in
        try bytes.withUnsafeBytes(sink)
        done += bytes.count
        guard progress(done) else { throw CancellationError() }
      }
      file.releasePages(of: step.source)
    }
  }

  /// The bytes of a step's tensor, some megabytes at a time.
  private func forEachPart(of step: Step, _ team: ComputeTeam, _ body: ([UInt8]) throws -> Void)
    throws
  {
    let tensor = step.source
    let rowBytes = tensor.columns / step.type.blockValues * step.type.blockBytes
    let values = step.type == tensor.type ? nil : try TensorValues(tensor, in: file)
    guard tensor.rows > 0, rowBytes > 0 else { return }
    let rowsOfPart = max(1, (4 << 20) / rowBytes)
    for start in stride(from: 0, to: tensor.rows, by: rowsOfPart) {
      let rows = start..<min(start + rowsOfPart, tensor.rows)
      if let values {
        try body(try values.quantize(rows, to: step.type, team: team))
      } else {
        let bytes = rows.lowerBound * rowBytes..<rows.upperBound * rowBytes
        try body(file.withBytes(of: tensor) { Array($0[bytes]) })
      }
    }
  }
}
