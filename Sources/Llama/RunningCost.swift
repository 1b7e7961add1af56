import Compute
import GGUF

/// What running a model takes, as its header tells: bytes read for each token, and memory.
public struct RunningCost: Equatable, Sendable {
  /// Bytes of weights that computing one token reads: every matrix once, of an embedding that is not also
  /// the output only a row.
  public let weightBytes: Int
  /// Bytes of memory that the weights take once they are interleaved for the kernels; nil where the file
  /// has matrices of types without kernels.
  public let residentBytes: Int?
  /// Bytes of keys and values that each position takes.
  public let cacheBytesPerPosition: Int
  /// Bytes of them that each later token reads, or more where it is near.
  public let cacheBytesReadPerPosition: Int

  /// - Parameters:
  ///   - shape: the model's.
  ///   - file: the file that holds its weights.
  ///   - precision: how keys and values are kept; nil is the default of `file`.
  public init(
    _ file: GGUFFile, _ shape: Hyperparameters, precision: KeyValueCache.Precision? = nil
  ) {
    let isTied = file.tensor("output.weight") == nil
    weightBytes = file.tensors.reduce(0) { sum, tensor in
      let isLookup = tensor.name == "token_embd.weight" && !isTied
      return sum + (isLookup ? tensor.byteCount / max(1, tensor.rows) : tensor.byteCount)
    }
    residentBytes = file.tensors.reduce(0) { sum, tensor in
      guard let sum, let bytes = WeightMatrix.packedByteCount(tensor) else { return nil }
      return sum + bytes
    }
    let precision = precision ?? LlamaModel.defaultCachePrecision(file)
    cacheBytesPerPosition = shape.cacheShape.bytesPerPosition(precision)
    cacheBytesReadPerPosition = shape.cacheShape.bytesReadPerPosition(precision)
  }

  /// Bytes that a token reads with `depth` positions before it.
  public func bytesPerToken(depth: Int) -> Int { weightBytes + depth * cacheBytesReadPerPosition }

  /// Bytes of weights, and of keys and values of `contextLength` positions; nil as `residentBytes`.
  public func memory(contextLength: Int) -> Int? {
    residentBytes.map { $0 + contextLength * cacheBytesPerPosition }
  }

  /// Tokens a second that reading alone would allow: no step is shorter than reading its weights, keys
  /// and values once.
  ///
  /// - Parameters:
  ///   - depth: positions that are filled.
  ///   - bandwidth: bytes a second (`ComputeTeam.readBandwidth`).
  public func mostTokensPerSecond(bandwidth: Double, depth: Int = 0) -> Double {
    bandwidth / Double(max(1, bytesPerToken(depth: depth)))
  }

  /// The share of `mostTokensPerSecond` that decoding reaches (docs/performance.md).
  public static let expectedShare = 0.9
}
