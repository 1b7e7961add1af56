/// Memory that is read after a product, and that its kernel asks for while it computes.
///
/// A product of many tokens leaves memory idle, and what follows it may leave the processor idle: attention of many
/// sequences with a token each (docs/performance.md, "Many replies"). Asking changes no result.
public struct ReadAhead {
  /// What is left of the region that is being asked for.
  @usableFromInline var region: UnsafeRawBufferPointer
  /// The regions after it.
  @usableFromInline var others: UnsafeBufferPointer<UnsafeRawBufferPointer>.SubSequence
  /// Bytes to ask for with each block of a panel.
  @usableFromInline let rate: Int

  /// - Parameters:
  ///   - regions: in the order in which they are read; they outlive this.
  ///   - rate: bytes to ask for with each block of a panel, whole lines of 64.
  public init(_ regions: UnsafeBufferPointer<UnsafeRawBufferPointer>, rate: Int) {
    region = UnsafeRawBufferPointer(start: nil, count: 0)
    others = regions[...]
    self.rate = rate
  }

  /// What to ask for with the blocks of one panel, part of one region: where it begins, and bytes for each block.
  @inlinable @inline(__always)
  public mutating func take(blocks: Int) -> (start: UnsafeRawPointer, rate: Int)? {
    if region.isEmpty {
      guard let next = others.popFirst() else { return nil }
      region = next
    }
    guard let start = region.baseAddress else { return nil }
    let most = blocks &* rate
    guard region.count < most else {
      region = UnsafeRawBufferPointer(start: start + most, count: region.count &- most)
      return (start, rate)
    }
    let lines = blocks &* 64
    let rest = (region.count &+ lines &- 1) / lines &* 64
    region = UnsafeRawBufferPointer(start: nil, count: 0)
    return (start, rest)
  }
}
