import Compute
import GGUF

/// A Llama-architecture model, loaded and ready to compute.
///
/// Immutable: any number of sequences (`KeyValueCache`) may be run on it, one batch at a time.
public final class LlamaModel: Sendable {
  public let hyperparameters: Hyperparameters
  public let file: GGUFFile
  public let team: ComputeTeam
  let weights: Weights

  /// Reads the weights of `file`.
  ///
  /// - Throws: `GGUFError` where the file is not a sound Llama model, `ComputeError` where its
  ///   weights cannot be computed with.
  public init(_ file: GGUFFile, team: ComputeTeam) throws {
    hyperparameters = try Hyperparameters(file)
    self.file = file
    self.team = team
    weights = try Weights(file, hyperparameters, team: team)
  }

  /// An empty cache of `capacity` positions for one sequence.
  ///
  /// float16 on the native path; float32 on the exact one, where rounding keys and values would be
  /// the largest error left.
  public func makeCache(capacity: Int) -> KeyValueCache {
    KeyValueCache(
      .init(
        layers: hyperparameters.blockCount, heads: hyperparameters.keyValueHeadCount,
        headSize: hyperparameters.headSize),
      capacity: capacity, precision: team.matmulPath == .native ? .half : .single)
  }

  /// Bytes of weights that computing one token reads.
  public var bytesPerToken: Int { weights.bytesPerToken(file) }
}
