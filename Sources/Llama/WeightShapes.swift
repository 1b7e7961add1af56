import Compute
import GGUF

/// Names and shapes of the tensors that a Llama model needs, as its hyperparameters say. Shapes are as in
/// the file: the row length first.
struct WeightShapes {
  /// In the order of the computation.
  let all: [(name: String, dimensions: [Int])]
  private let places: [String: Int]

  init(_ shape: Hyperparameters, _ file: GGUFFile) {
    let embedding = shape.embeddingLength
    var all: [(name: String, dimensions: [Int])] = [
      ("token_embd.weight", [embedding, shape.vocabularySize])
    ]
    for index in 0..<shape.blockCount {
      for (part, dimensions) in [
        ("attn_norm", [embedding]), ("attn_q", [embedding, shape.queryLength]),
        ("attn_k", [embedding, shape.keyValueLength]),
        ("attn_v", [embedding, shape.keyValueLength]),
        ("attn_output", [shape.queryLength, embedding]), ("ffn_norm", [embedding]),
        ("ffn_gate", [embedding, shape.feedForwardLength]),
        ("ffn_up", [embedding, shape.feedForwardLength]),
        ("ffn_down", [shape.feedForwardLength, embedding]),
      ] {
        all.append(("blk.\(index).\(part).weight", dimensions))
      }
    }
    all.append(("output_norm.weight", [embedding]))
    // Without a head of its own a model uses its embedding (tied weights).
    if file.tensor("output.weight") != nil {
      all.append(("output.weight", [embedding, shape.vocabularySize]))
    }
    self.all = all
    places = Dictionary(
      uniqueKeysWithValues: all.enumerated().map { ($0.element.name, $0.offset) })
  }

  func dimensions(_ name: String) -> [Int]? { places[name].map { all[$0].dimensions } }

  /// The tensor called `name`, which has the shape and a type that it must have.
  ///
  /// - Throws: `GGUFError` naming the tensor.
  func tensor(_ name: String, in file: GGUFFile) throws(GGUFError) -> TensorDescriptor {
    func refuse(_ reason: GGUFError.Reason) -> GGUFError {
      GGUFError(file: file.name, field: "tensor \(name)", reason: reason)
    }
    guard let tensor = file.tensor(name), let dimensions = dimensions(name) else {
      throw refuse(.missing)
    }
    // Trailing dimensions of 1 say nothing.
    guard Self.significant(tensor.dimensions) == Self.significant(dimensions) else {
      throw refuse(
        .invalid(found: "shape \(tensor.dimensions)", allowed: "\(dimensions) by the metadata"))
    }
    let allowed: [TensorType] =
      dimensions.count == 1 ? [.f32, .f16, .bf16] : TensorType.computable
    guard allowed.contains(tensor.type) else {
      throw refuse(
        .unsupported(
          found: "type \(tensor.type)", allowed: allowed.map(\.name).joined(separator: ", ")))
    }
    return tensor
  }

  private static func significant(_ dimensions: [Int]) -> [Int] {
    dimensions.reversed().drop { $0 == 1 }.reversed()
  }

  /// - Throws: `GGUFError` where there are blocks beyond those that the metadata count.
  func refuseMoreBlocks(_ shape: Hyperparameters, in file: GGUFFile) throws(GGUFError) {
    for tensor in file.tensors {
      let parts = tensor.name.split(separator: ".")
      if parts.count > 2, parts[0] == "blk", let index = Int(parts[1]), index >= shape.blockCount {
        throw GGUFError(
          file: file.name, field: "tensor \(tensor.name)",
          reason: .invalid(
            found: "block \(index)", allowed: "0 to \(shape.blockCount - 1) by llama.block_count"))
      }
    }
  }
}

extension LlamaModel {
  /// What is wrong with the tensors' names, shapes and types, all of it, without reading them; empty where
  /// they can be loaded.
  package static func tensorFaults(_ file: GGUFFile, _ shape: Hyperparameters) -> [GGUFError] {
    let shapes = WeightShapes(shape, file)
    var faults: [GGUFError] = []
    func collect(_ check: () throws(GGUFError) -> Void) {
      do throws(GGUFError) { try check() } catch { faults.append(error) }
    }
    for weight in shapes.all {
      collect { () throws(GGUFError) in _ = try shapes.tensor(weight.name, in: file) }
    }
    collect { () throws(GGUFError) in try shapes.refuseMoreBlocks(shape, in: file) }
    return faults
  }

  /// Tensors that no part of the computation uses.
  package static func unusedTensors(_ file: GGUFFile, _ shape: Hyperparameters) -> [String] {
    let shapes = WeightShapes(shape, file)
    return file.tensors.map(\.name).filter { shapes.dimensions($0) == nil }
  }
}
