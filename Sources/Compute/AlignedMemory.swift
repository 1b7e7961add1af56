#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Bytes aligned to cache lines, zero at first, freed with their owner.
///
/// Large blocks come from the system in zeroed pages, huge ones where it has them; a page costs
/// nothing until it is touched.
final class AlignedMemory: @unchecked Sendable {
  // @unchecked Sendable: plain memory; whoever shares it keeps writers apart (ComputeTeam's steps).

  let base: UnsafeMutableRawPointer
  let byteCount: Int
  private let mapped: Bool

  init(byteCount: Int) {
    self.byteCount = byteCount
    let hugePage = 2 << 20
    if byteCount >= hugePage,
      let address = mmap(
        nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | mapAnonymous, -1, 0),
      address != MAP_FAILED
    {
      #if canImport(Glibc)
        madvise(address, byteCount, 14 /* MADV_HUGEPAGE, not imported */)
      #endif
      base = address
      mapped = true
    } else {
      base = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 64), alignment: 64)
      base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      mapped = false
    }
  }

  deinit {
    if mapped { munmap(base, byteCount) } else { base.deallocate() }
  }
}

#if canImport(Glibc)
  private let mapAnonymous = MAP_ANONYMOUS
#else
  private let mapAnonymous = MAP_ANON
#endif
