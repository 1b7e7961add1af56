#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Bytes aligned to cache lines, zero at first, freed with their owner.
///
/// Large blocks come from the system as zeroed pages, which cost nothing until they are touched.
final class AlignedMemory: @unchecked Sendable {
  // @unchecked Sendable: plain memory; whoever shares it keeps writers apart (ComputeTeam's steps).

  enum Pages {
    /// For buffers of which often only a part is used.
    case ordinary
    /// Fewer faults and fewer address translations, for what will be filled.
    case huge
  }

  let base: UnsafeMutableRawPointer
  let byteCount: Int
  private let isMapped: Bool

  /// Blocks from this size on come from the system.
  static let smallestMapping = 64 << 10

  init(byteCount: Int, pages: Pages = .ordinary) {
    self.byteCount = byteCount
    if byteCount >= Self.smallestMapping, let address = Self.map(byteCount, pages) {
      base = address
      isMapped = true
    } else {
      base = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 64), alignment: 64)
      base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      isMapped = false
    }
  }

  /// As `init(byteCount:)`, for sizes that a file or a user names.
  ///
  /// - Throws: `ComputeError.memory` where the system has no room for them.
  init(reserving byteCount: Int, pages: Pages) throws(ComputeError) {
    guard let address = Self.map(max(byteCount, 1), pages) else {
      throw .memory(byteCount: byteCount)
    }
    self.byteCount = max(byteCount, 1)
    base = address
    isMapped = true
  }

  private static func map(_ byteCount: Int, _ pages: Pages) -> UnsafeMutableRawPointer? {
    // Not counted before it is touched, which may be never.
    let flags = MAP_PRIVATE | MAP_NORESERVE | mapAnonymous
    guard let address = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0),
      address != MAP_FAILED
    else { return nil }
    #if canImport(Glibc)
      if pages == .huge { madvise(address, byteCount, 14 /* MADV_HUGEPAGE, not imported */) }
    #endif
    return address
  }

  deinit {
    if isMapped { munmap(base, byteCount) } else { base.deallocate() }
  }
}

#if canImport(Glibc)
  private let mapAnonymous = MAP_ANONYMOUS
#else
  private let mapAnonymous = MAP_ANON
#endif
