import Compute
import GGUF

/// The weights of one transformer block. Shapes are [rows, columns] of y = W x.
final class BlockWeights: Sendable {
  let attentionNorm: WeightVector  // [embedding]
  let query: WeightMatrix  // [heads * headSize, embedding]
  let key: WeightMatrix  // [keyValueHeads * headSize, embedding]
  let value: WeightMatrix  // [keyValueHeads * headSize, embedding]
  let attentionOutput: WeightMatrix  // [embedding, heads * headSize]
  let feedForwardNorm: WeightVector  // [embedding]
  let gate: WeightMatrix  // [feedForward, embedding]
  let up: WeightMatrix  // [feedForward, embedding]
  let down: WeightMatrix  // [embedding, feedForward]

  // In which precisions the common inputs are read.
  let attentionReaders: InputReaders
  let attentionOutputReaders: InputReaders
  let feedForwardReaders: InputReaders
  let downReaders: InputReaders

  init(_ index: Int, _ loader: Weights.Loader) throws {
    func name(_ part: String) -> String { "blk.\(index).\(part).weight" }
    attentionNorm = try loader.vector(name("attn_norm"))
    query = try loader.matrix(name("attn_q"))
    key = try loader.matrix(name("attn_k"))
    value = try loader.matrix(name("attn_v"), wide: true)
    attentionOutput = try loader.matrix(name("attn_output"))
    feedForwardNorm = try loader.vector(name("ffn_norm"))
    gate = try loader.matrix(name("ffn_gate"))
    up = try loader.matrix(name("ffn_up"))
    down = try loader.matrix(name("ffn_down"))
    attentionReaders = InputReaders(query, key, value)
    attentionOutputReaders = InputReaders(attentionOutput)
    feedForwardReaders = InputReaders(gate, up)
    downReaders = InputReaders(down)
  }
}

/// All weights of a model, each checked against the hyperparameters' shapes.
struct Weights: Sendable {
  let tokenEmbedding: WeightMatrix  // [vocabulary, embedding]
  let blocks: [BlockWeights]
  let outputNorm: WeightVector  // [embedding]
  /// The embedding itself where the file has no matrix of its own (tied weights).
  let output: WeightMatrix  // [vocabulary, embedding]
  let outputReaders: InputReaders

  init(_ file: GGUFFile, _ shape: Hyperparameters, team: ComputeTeam) throws {
    let shapes = WeightShapes(shape, file)
    try shapes.refuseMoreBlocks(shape, in: file)
    let loader = Loader(
      file: file, shapes: shapes, team: team, arena: try WeightArena(file.tensors, team: team))
    // Values and logits take their input in two planes: a thirtieth of a prompt's work, and much of
    // the error that one plane would have (docs/accuracy.md).
    blocks = try (0..<shape.blockCount).map { try BlockWeights($0, loader) }
    outputNorm = try loader.vector("output_norm.weight")
    tokenEmbedding = try loader.matrix("token_embd.weight", wide: true)
    output =
      file.tensor("output.weight") == nil
      ? tokenEmbedding
      : try loader.matrix("output.weight", wide: true)
    outputReaders = InputReaders(output)
  }

  /// Every matrix once.
  var matrices: [WeightMatrix] {
    blocks.flatMap {
      [$0.query, $0.key, $0.value, $0.attentionOutput, $0.gate, $0.up, $0.down]
    } + (output === tokenEmbedding ? [output] : [output, tokenEmbedding])
  }

  struct Loader {
    let file: GGUFFile
    let shapes: WeightShapes
    let team: ComputeTeam
    let arena: WeightArena

    func vector(_ name: String) throws -> WeightVector {
      try WeightVector(try shapes.tensor(name, in: file), in: file)
    }

    func matrix(_ name: String, wide: Bool = false) throws -> WeightMatrix {
      try WeightMatrix(
        try shapes.tensor(name, in: file), in: file, wantsWideInput: wide, team: team, arena: arena)
    }
  }
}
