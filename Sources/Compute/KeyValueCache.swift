import KernelCore

/// The keys and values of past positions, for every layer and key-value head of one sequence.
///
/// Keys lie as [layer, head, position / 16, headSize, 16], so that 16 scores form at once; values
/// as [layer, head, position, headSize].
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
  private let keys: AlignedMemory
  private let values: AlignedMemory
  private let headBytes: Int

  /// - Parameter capacity: positions; memory is reserved for all and used as positions are filled.
  public init(_ shape: Shape, capacity: Int, precision: Precision) {
    let lanes = PanelGeometry.rows
    self.shape = shape
    self.capacity = capacity
    self.precision = precision
    let padded = (capacity + lanes - 1) / lanes * lanes
    headBytes = padded * shape.headSize * precision.bytes
    keys = AlignedMemory(byteCount: shape.layers * shape.heads * headBytes)
    values = AlignedMemory(byteCount: shape.layers * shape.heads * headBytes)
  }

  /// Bytes that filled positions take.
  public var usedBytes: Int {
    2 * shape.layers * shape.heads * shape.headSize * precision.bytes * count
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

  func keyHead(_ layer: Int, _ head: Int) -> UnsafeMutableRawPointer {
    precondition(layer < shape.layers && head < shape.heads)
    return keys.base + (layer * shape.heads + head) * headBytes
  }

  func valueHead(_ layer: Int, _ head: Int) -> UnsafeMutableRawPointer {
    precondition(layer < shape.layers && head < shape.heads)
    return values.base + (layer * shape.heads + head) * headBytes
  }

  /// Stores one head's key and value, [headSize] each, at `position`.
  func store(
    key: UnsafePointer<Float>, value: UnsafePointer<Float>, layer: Int, head: Int, position: Int,
    kernels: KernelTable
  ) {
    precondition(position < capacity)
    let lanes = PanelGeometry.rows
    let panel =
      keyHead(layer, head) + position / lanes * (lanes * shape.headSize * precision.bytes)
    let lane = position % lanes
    let row = valueHead(layer, head) + position * shape.headSize * precision.bytes
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
