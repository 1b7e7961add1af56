import KernelCore

/// The keys and values of past positions, for every layer and key-value head of one sequence.
///
/// Positions are kept in spans of 256 (`AttentionSpan.positions`), each [layer, head, keys then
/// values, then their scales and norms]: memory is touched as positions are filled, not all over the capacity.
/// `AttentionSpan` says how they lie in a span.
public final class KeyValueCache: @unchecked Sendable {
  // @unchecked Sendable: written by the workers of one team, disjoint positions or heads a step.

  /// How keys and values are kept.
  public enum Precision: String, CaseIterable, Sendable {
    /// IEEE 754 half precision, 2 bytes a value.
    case half = "f16"
    /// Keys as int16 and values as int8, with a float32 scale for each: three quarters of the bytes of `half`, as close
    /// to exact, and attention is faster.
    case fixed = "int16"
    /// int8 with a float32 scale for each key and each value, and the key's norm: about half the bytes, and
    /// attention is twice as fast. Keys are mixed, so that eight bits do for them (`ByteQuads`).
    case byte = "int8"
    /// float32.
    case single = "f32"

    /// Bytes of one of a key's columns.
    var keyBytes: Int {
      switch self {
      case .byte: 1
      case .half, .fixed: 2
      case .single: 4
      }
    }
    /// Bytes of one of a value's columns.
    var valueBytes: Int {
      switch self {
      case .fixed, .byte: 1
      case .half: 2
      case .single: 4
      }
    }
    var isFixedPoint: Bool { self == .fixed || self == .byte }
    /// Float32 numbers that are kept of a position beside its key and value: their scales, and the key's norm.
    var numbers: Int {
      switch self {
      case .byte: 3
      case .fixed: 2
      case .half, .single: 0
      }
    }
  }

  /// What is kept of each position.
  public struct Shape: Equatable, Sendable {
    /// Transformer blocks.
    public var layers: Int
    /// Heads of keys and values in a block.
    public var heads: Int
    /// A multiple of 16.
    public var headSize: Int

    /// Keys and values of `layers` blocks with `heads` heads of `headSize` values.
    public init(layers: Int, heads: Int, headSize: Int) {
      self.layers = layers
      self.heads = heads
      self.headSize = headSize
    }

    /// Bytes of keys and values that one position takes.
    public func bytesPerPosition(_ precision: Precision) -> Int {
      layers * heads
        * (headSize * (precision.keyBytes + precision.valueBytes) + 4 * precision.numbers)
    }
  }

  /// What is kept of each position.
  public let shape: Shape
  /// Positions that fit.
  public let capacity: Int
  /// How it is kept.
  public let precision: Precision
  /// Positions that are filled.
  public private(set) var count = 0
  private let memory: AlignedMemory
  /// Bytes of one head's keys, and of its values, in a span.
  private let keyBytes, valueBytes: Int
  /// Bytes of one head's keys, values and what is kept beside them in a span.
  private let pairBytes: Int

  /// - Parameter capacity: positions; memory is reserved for all and used as positions are filled.
  /// - Throws: `ComputeError.memory` where the system has no room for it.
  public init(_ shape: Shape, capacity: Int, precision: Precision) throws(ComputeError) {
    self.shape = shape
    self.capacity = capacity
    self.precision = precision
    let spans = (capacity + AttentionSpan.positions - 1) / AttentionSpan.positions
    keyBytes = AttentionSpan.positions * shape.headSize * precision.keyBytes
    valueBytes = AttentionSpan.positions * shape.headSize * precision.valueBytes
    pairBytes = keyBytes + valueBytes + 4 * AttentionSpan.positions * precision.numbers
    memory = try AlignedMemory(
      reserving: spans * shape.layers * shape.heads * pairBytes, pages: .huge)
  }

  /// Bytes of one span of all layers and heads.
  var spanBytes: Int { shape.layers * shape.heads * pairBytes }

  /// Where the spans begin.
  var contents: UnsafeMutableRawPointer { memory.base }

  /// Bytes of keys and values that one position takes.
  public var bytesPerPosition: Int { shape.bytesPerPosition(precision) }

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
      + ((span * shape.layers + layer) * shape.heads + head) * pairBytes
  }

  /// One head's values of the span that holds `position`.
  func values(_ layer: Int, _ head: Int, spanOf position: Int) -> UnsafeMutableRawPointer {
    keys(layer, head, spanOf: position) + keyBytes
  }

  /// The scales of one head's keys, then of its values, [positions] each; as int8 the norms of its keys follow. Only in
  /// fixed point.
  func scales(_ layer: Int, _ head: Int, spanOf position: Int) -> UnsafeMutablePointer<Float> {
    precondition(precision.isFixedPoint)
    return (values(layer, head, spanOf: position) + valueBytes)
      .assumingMemoryBound(to: Float.self)
  }

  /// Stores one head's key and value, [headSize] each, at `position`. What is at `key` changes.
  func store(
    key: UnsafeMutablePointer<Float>, value: UnsafePointer<Float>, layer: Int, head: Int,
    position: Int,
    kernels: KernelTable
  ) {
    let lanes = PanelGeometry.rows
    let size = shape.headSize
    let place = position % AttentionSpan.positions
    let panel =
      keys(layer, head, spanOf: position) + place / lanes * (lanes * size * precision.keyBytes)
    let lane = place % lanes
    let rows = values(layer, head, spanOf: position)
    switch precision {
    case .single:
      for i in 0..<size {
        panel.storeBytes(of: key[i], toByteOffset: (i * lanes + lane) * 4, as: Float.self)
      }
      (rows + place * size * 4).copyMemory(from: value, byteCount: size * 4)
    case .half:
      let row = rows + place * size * 2
      withUnsafeTemporaryAllocation(of: UInt16.self, capacity: lanes) { halves in
        guard let base = halves.baseAddress else { return }
        for i in stride(from: 0, to: size, by: lanes) {
          kernels.storeHalf(key + i, UnsafeMutableRawPointer(base))
          for j in 0..<lanes {
            panel.storeBytes(
              of: base[j], toByteOffset: ((i + j) * lanes + lane) * 2, as: UInt16.self)
          }
          kernels.storeHalf(value + i, row + 2 * i)
        }
      }
    case .fixed, .byte:
      // A lane of a vector is four bytes.
      let numbers = scales(layer, head, spanOf: position) + place
      let target = FixedPlace(
        key: panel + lane * 4, value: rows + (place / 4 * size * 4 + place % 4),
        keyScale: numbers, valueScale: numbers + AttentionSpan.positions,
        keyNorm: precision == .byte ? numbers + 2 * AttentionSpan.positions : nil)
      let store = precision == .fixed ? kernels.storeFixed : kernels.storeBytes
      store(key, value, size, target)
    }
  }
}
