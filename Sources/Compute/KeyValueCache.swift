import KernelCore

/// The keys and values of past positions, for every layer and key-value head of one sequence.
///
/// Positions are kept in spans of 256 (`AttentionSpan.positions`), each [layer, head, `HeadSpan`]: memory is touched as
/// positions are filled, not all over the capacity. `AttentionSpan` says how keys and values lie in a span.
public final class KeyValueCache: @unchecked Sendable {
  // @unchecked Sendable: written by the workers of one team, disjoint positions or heads a step.

  /// How keys and values are kept.
  public enum Precision: String, CaseIterable, Sendable {
    /// IEEE 754 half precision, 2 bytes a value.
    case half = "f16"
    /// Keys as int16 and values as int8, with a float32 scale for each; and keys as int8 as well, which the tokens of
    /// later spans read (docs/accuracy.md). About the bytes of `half`, as close to exact, and attention is twice as
    /// fast.
    case fixed = "int16"
    /// int8 with a float32 scale for each key and each value, and the key's norm: about half the bytes, and
    /// attention is as fast as that of `fixed` at depth. Keys are mixed, so that eight bits do for them (`ByteKeys`).
    case byte = "int8"
    /// float32.
    case single = "f32"

    /// How the keys lie that the tokens of their own span read.
    var keys: KeyEncoding {
      switch self {
      case .byte: .byte
      case .half: .half
      case .fixed: .short
      case .single: .single
      }
    }
    /// How those lie that the tokens of later spans read; nil where they are the same. Most of what a token attends to
    /// is near: of keys that are far eight bits are enough.
    var distantKeys: KeyEncoding? { self == .fixed ? .byte : nil }
    /// Bytes of one of a value's columns.
    var valueBytes: Int {
      switch self {
      case .fixed, .byte: 1
      case .half: 2
      case .single: 4
      }
    }
    /// Float32 numbers that are kept of each value: its scale.
    var valueNumbers: Int { self == .fixed || self == .byte ? 1 : 0 }

    /// Bytes of one head's key and value, of `headSize` columns.
    func bytes(headSize: Int) -> Int {
      keys.bytes(headSize: headSize) + headSize * valueBytes + 4 * valueNumbers
        + (distantKeys?.bytes(headSize: headSize) ?? 0)
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
      layers * heads * precision.bytes(headSize: headSize)
    }

    /// Bytes of them that each token of later spans reads.
    public func bytesReadPerPosition(_ precision: Precision) -> Int {
      let own = precision.distantKeys == nil ? 0 : precision.keys.bytes(headSize: headSize)
      return bytesPerPosition(precision) - layers * heads * own
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
  /// Bytes of one head's part of a span.
  private let headBytes: Int

  /// - Parameter capacity: positions; memory is reserved for all and used as positions are filled.
  /// - Throws: `ComputeError.memory` where the system has no room for it.
  public init(_ shape: Shape, capacity: Int, precision: Precision) throws(ComputeError) {
    self.shape = shape
    self.capacity = capacity
    self.precision = precision
    let spans = (capacity + AttentionSpan.positions - 1) / AttentionSpan.positions
    headBytes = AttentionSpan.positions * precision.bytes(headSize: shape.headSize)
    memory = try AlignedMemory(
      reserving: spans * shape.layers * shape.heads * headBytes, pages: .huge)
  }

  /// Bytes of one span of all layers and heads.
  var spanBytes: Int { shape.layers * shape.heads * headBytes }

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

  /// One head's part of the span that holds `position`.
  func span(_ layer: Int, _ head: Int, of position: Int) -> HeadSpan {
    precondition(layer < shape.layers && head < shape.heads && position < capacity)
    let span = position / AttentionSpan.positions
    return HeadSpan(
      memory.base + ((span * shape.layers + layer) * shape.heads + head) * headBytes,
      headSize: shape.headSize, precision)
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
    let span = span(layer, head, of: position)
    let target = span.keys.key(place)
    switch precision {
    case .single:
      for i in 0..<size {
        target.storeBytes(of: key[i], toByteOffset: i * lanes * 4, as: Float.self)
      }
      (span.values + place * size * 4).copyMemory(from: value, byteCount: size * 4)
    case .half:
      let row = span.values + place * size * 2
      withUnsafeTemporaryAllocation(of: UInt16.self, capacity: lanes) { halves in
        guard let base = halves.baseAddress else { return }
        for i in stride(from: 0, to: size, by: lanes) {
          kernels.storeHalf(key + i, UnsafeMutableRawPointer(base))
          for j in 0..<lanes {
            target.storeBytes(of: base[j], toByteOffset: (i + j) * lanes * 2, as: UInt16.self)
          }
          kernels.storeHalf(value + i, row + 2 * i)
        }
      }
    case .fixed, .byte:
      // Between those of the positions that share its lanes.
      let scale = kernels.storeByteValue(
        value, size, span.values + (place / 4 * size * 4 + place % 4))
      span.valueScales[place] = scale
      span.keys.store(key, at: place, valueScale: scale, kernels)
      span.distantKeys?.store(key, at: place, valueScale: scale, kernels)
    }
  }
}
