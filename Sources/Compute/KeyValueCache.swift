import KernelCore

/// The keys and values of past positions, for every layer and key-value head of one sequence.
///
/// Positions are kept in spans of 256 (`AttentionSpan.positions`), each [layer, head, keys then
/// values]: memory is touched as positions are filled, not all over the capacity. In a span keys lie
/// as [position / 16, headSize, 16], so that 16 scores form at once; values as [position, headSize].
public final class KeyValueCache: @unchecked Sendable {
  // @unchecked Sendable: written by the workers of one team, disjoint positions or heads a step.

  public enum Precision: Sendable {
    case half, single
    var bytes: Int { self == .half ? 2 : 4 }
  }

  public struct Shape: Equatable, Sendable {
    public var layers: Int
    public var heads: Int
    /// A multiple of 16.
    public var headSize: Int

    public init(layers: Int, heads: Int, headSize: Int) {
      self.layers = layers
      self.heads = heads
      self.headSize = headSize
    }
  }

  public let shape: Shape
  /// Positions that fit.
  public let capacity: Int
  public let precision: Precision
  /// Positions that are filled.
  public private(set) var count = 0
  private let memory: AlignedMemory
  /// Bytes of one head's keys, or values, in a span.
  private let headBytes: Int

  /// - Parameter capacity: positions; memory is reserved for all and used as positions are filled.
  /// - Throws: `ComputeError.memory` where the system has no room for it.
  public init(_ shape: Shape, capacity: Int, precision: Precision) throws(ComputeError) {
    self.shape = shape
    self.capacity = capacity
    self.precision = precision
    let spans = (capacity + AttentionSpan.positions - 1) / AttentionSpan.positions
    headBytes = AttentionSpan.positions * shape.headSize * precision.bytes
    memory = try AlignedMemory(
      reserving: spans * shape.layers * shape.heads * 2 * headBytes, pages: .huge)
  }

  /// Bytes of keys and values that one position takes.
  public var bytesPerPosition: Int {
    2 * shape.layers * shape.heads * shape.headSize * precision.bytes
  }

  /// Forgets positions from `position` on.
  public func truncate(to position: Int) {
    precondition(position >= 0 && position <= count, "truncate to \(position) of \(count)")
    count = position
  }

  /// Declares `positions` more positions filled; their keys and values are stored by the workers.
  public func extend(by positions: Int) {
    precondition(count + positions <= capacity, "\(count) + \(positions) positions of \(capacity)")
    count += positions
  }

  /// One head's keys of the span that holds `position`.
  func keys(_ layer: Int, _ head: Int, spanOf position: Int) -> UnsafeMutableRawPointer {
    precondition(layer < shape.layers && head < shape.heads && position < capacity)
    let span = position / AttentionSpan.positions
    return memory.base
      + ((span * shape.layers + layer) * shape.heads + head) * 2 * headBytes
  }

  /// One head's values of the span that holds `position`.
  func values(_ layer: Int, _ head: Int, spanOf position: Int) -> UnsafeMutableRawPointer {
    keys(layer, head, spanOf: position) + headBytes
  }

  /// Stores one head's key and value, [headSize] each, at `position`.
  func store(
    key: UnsafePointer<Float>, value: UnsafePointer<Float>, layer: Int, head: Int, position: Int,
    kernels: KernelTable
  ) {
    let lanes = PanelGeometry.rows
    let place = position % AttentionSpan.positions
    let panel =
      keys(layer, head, spanOf: position)
      + place / lanes * (lanes * shape.headSize * precision.bytes)
    let lane = place % lanes
    let row =
      values(layer, head, spanOf: position) + place * shape.headSize * precision.bytes
    switch precision {
    case .single:
      for i in 0..<shape.headSize {
        panel.storeBytes(of: key[i], toByteOffset: (i * lanes + lane) * 4, as: Float.self)
      }
      row.copyMemory(from: value, byteCount: shape.headSize * 4)
    case .half:
      withUnsafeTemporaryAllocation(of: UInt16.self, capacity: lanes) { halves in
        guard let base = halves.baseAddress else { return }
        for i in stride(from: 0, to: shape.headSize, by: lanes) {
          kernels.storeHalf(key + i, UnsafeMutableRawPointer(base))
          for j in 0..<lanes {
            panel.storeBytes(
              of: base[j], toByteOffset: ((i + j) * lanes + lane) * 2, as: UInt16.self)
          }
          kernels.storeHalf(value + i, row + 2 * i)
        }
      }
    }
  }
}
