import Compute
import GGUF
import Synchronization

/// A Llama-architecture model, loaded and ready to compute.
///
/// Immutable: any number of sequences (`KeyValueCache`) may be run on it, one batch at a time.
public final class LlamaModel: Sendable {
  /// The model's shape.
  public let hyperparameters: Hyperparameters
  /// The file that holds the weights.
  public let file: GGUFFile
  /// The threads that compute.
  public let team: ComputeTeam
  /// How caches keep keys and values.
  public let cachePrecision: KeyValueCache.Precision
  let weights: Weights
  let relocation: Relocation
  private let turn = Mutex<Void>(())

  /// Reads the weights of `file`.
  ///
  /// - Parameters:
  ///   - file: a model of the Llama architecture.
  ///   - team: the threads that compute.
  ///   - cachePrecision: nil: as `defaultCachePrecision`.
  /// - Throws: `GGUFError` where the file is not a sound Llama model, `ComputeError` where its
  ///   weights cannot be computed with.
  public init(
    _ file: GGUFFile, team: ComputeTeam, cachePrecision: KeyValueCache.Precision? = nil
  ) throws {
    guard team.matmulPath.isAvailable else { throw ComputeError.noOpenBLAS }
    hyperparameters = try Hyperparameters(file)
    self.file = file
    self.team = team
    self.cachePrecision =
      cachePrecision ?? Self.defaultCachePrecision(file, matmulPath: team.matmulPath)
    weights = try Weights(file, hyperparameters, team: team)
    relocation = Relocation(weights, team: team)
  }

  /// How keys and values of a model are kept where nobody says: float32 on the exact path (OpenBLAS for all matrices)
  /// and float16 beside weights that are floats, where rounding keys and values would be the largest error left;
  /// otherwise fixed point: int16 keys (int8 for tokens of later spans) and int8 values.
  static func defaultCachePrecision(_ file: GGUFFile, matmulPath: MatmulPath = .automatic)
    -> KeyValueCache.Precision
  {
    if matmulPath == .openblas { return .single }
    return file.tensors.contains { $0.type.blockValues > 1 } ? .fixed : .half
  }

  /// Calls `body` while nobody else computes with this model: its threads serve one pass at a time, and
  /// weights move between passes.
  func takeTurn(_ body: () -> Void) { turn.withLock { _ in body() } }

  /// An empty cache of `capacity` positions for one sequence.
  ///
  /// - Throws: `ComputeError.memory` where the system has no room for it.
  public func makeCache(capacity: Int) throws(ComputeError) -> KeyValueCache {
    try KeyValueCache(hyperparameters.cacheShape, capacity: capacity, precision: cachePrecision)
  }

  /// Looks at every weight, which takes a second; meant for when logits were not finite.
  ///
  /// - Throws: `ComputeError.notFinite` naming tensor and row.
  public func checkFinite() throws(ComputeError) {
    for matrix in weights.matrices { try matrix.checkFinite() }
  }

  /// Bytes of weights that computing one token reads.
  public var bytesPerToken: Int { RunningCost(file, hyperparameters).weightBytes }
}
