import KernelCore

/// What attention reads next of the caches of many sequences with a token each: what their thread's products ask for
/// meanwhile (`ReadAhead`).
///
/// Attention of a token reads as fast as memory gives, and computes little; a product of many tokens is the opposite.
/// Asking costs time as well: not more is asked for than was measured to pay (docs/performance.md, "Many replies").
public final class UpcomingReads: @unchecked Sendable {
  // @unchecked Sendable: one thread uses it.

  /// Bytes that a product asks for with a block of a panel, measured: with more the products themselves wait longer.
  private static let rate = 320
  /// Regions that there is room for; what would be in others is not asked for.
  private static let mostRegions = 1024

  /// Bytes, two cache lines.
  private static let regionsOffset = 128

  /// Blocks of the products between one attention and the next.
  private let blocks: Int
  /// First what kernels take from, then the regions. In cache lines of their own: with what another thread writes in
  /// one of them, more than half of the gain was gone.
  private let memory: AlignedMemory

  /// - Parameter projections: the products between one attention and the next.
  public convenience init(during projections: [Projection]) {
    self.init(
      blocks: projections.reduce(0) {
        $0 + $1.weights.panelCount * ($1.weights.columns / PanelGeometry.blockColumns)
      })
  }

  init(blocks: Int) {
    self.blocks = blocks
    memory = AlignedMemory(
      byteCount: Self.regionsOffset + Self.mostRegions
        * MemoryLayout<UnsafeRawBufferPointer>.stride)
    state.initialize(to: ReadAhead(UnsafeBufferPointer(start: nil, count: 0), rate: Self.rate))
  }

  /// What kernels take from.
  var state: UnsafeMutablePointer<ReadAhead> {
    memory.base.assumingMemoryBound(to: ReadAhead.self)
  }

  private var regions: UnsafeMutablePointer<UnsafeRawBufferPointer> {
    (memory.base + Self.regionsOffset).assumingMemoryBound(to: UnsafeRawBufferPointer.self)
  }

  /// Nothing.
  public func clear() { set(count: 0) }

  /// What attention reads of `layer`, in its order; the first part, where it is more than products can ask for.
  ///
  /// - Parameter slices: a row each.
  public func set(_ slices: [SequenceSlice], layer: Int) {
    var count = 0
    var bytes = 0
    let most = blocks * Self.rate
    func add(_ region: UnsafeRawBufferPointer) {
      bytes += region.count
      if count > 0, regions[count - 1].isFollowed(by: region) {
        let both = regions[count - 1].count + region.count
        regions[count - 1] = UnsafeRawBufferPointer(
          start: regions[count - 1].baseAddress, count: both)
      } else {
        (regions + count).initialize(to: region)
        count += 1
      }
    }
    guard let shape = slices.first?.cache.shape else { return clear() }
    for head in 0..<shape.heads {
      for slice in slices {
        for start in stride(from: 0, to: slice.end, by: AttentionSpan.positions) {
          guard count + 2 <= Self.mostRegions, bytes < most else {
            return set(count: count)
          }
          let span = slice.cache.span(layer, head, of: start)
          let seen = min(slice.end - start, AttentionSpan.positions)
          add(slice.keysRead(span, from: start))
          add(span.firstValues(seen))
        }
      }
    }
    set(count: count)
  }

  private func set(count: Int) {
    state.pointee = ReadAhead(UnsafeBufferPointer(start: regions, count: count), rate: Self.rate)
  }
}

extension Worker {
  /// Whether this thread's products ask for what it reads next of these sequences: it computes them alone, a token each,
  /// and so many that there is a tile of eight.
  public func asksAhead(for slices: [SequenceSlice]) -> Bool {
    count == 1 && slices.count >= RowParts.group && slices.allSatisfy { $0.rows.count == 1 }
  }
}

extension SequenceSlice {
  /// What the newest token reads of the keys of `span`, which begins at the position `start`.
  func keysRead(_ span: HeadSpan, from start: Int) -> UnsafeRawBufferPointer {
    let seen = end - start
    let isLast = seen <= AttentionSpan.positions
    return (isLast ? span.keys : span.distantKeys ?? span.keys)
      .first(min(seen, AttentionSpan.positions))
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func isFollowed(by other: UnsafeRawBufferPointer) -> Bool {
    baseAddress.map { $0 + count } == other.baseAddress
  }
}
