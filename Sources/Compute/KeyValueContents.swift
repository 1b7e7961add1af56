import KernelCore

// What a cache holds, as bytes: to keep it on disk, and to go on from it twice.
extension KeyValueCache {
  /// Bytes of the spans that are filled, wholly or in part.
  public var contentByteCount: Int { contentByteCount(of: count) }

  /// Bytes that `withContents` has where `positions` are filled.
  public func contentByteCount(of positions: Int) -> Int {
    (positions + AttentionSpan.positions - 1) / AttentionSpan.positions * spanBytes
  }

  /// Calls `body` with the filled spans' bytes, which are valid during the call, in this machine's byte order.
  public func withContents<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(UnsafeRawBufferPointer(start: contents, count: contentByteCount))
  }

  /// Replaces what the cache holds by `bytes`, as `withContents` gave them to one of the same shape and
  /// precision with `positions` filled.
  ///
  /// - Returns: false, and nothing changed, where they do not fit.
  public func replaceContents(positions: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard positions >= 0, positions <= capacity, bytes.count == contentByteCount(of: positions)
    else { return false }
    truncate(to: 0)
    if let source = bytes.baseAddress {
      contents.copyMemory(from: source, byteCount: bytes.count)
    }
    extend(by: positions)
    return true
  }
}
