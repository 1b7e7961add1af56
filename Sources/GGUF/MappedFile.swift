#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

import Synchronization

/// A whole file mapped read-only; unmapped when the last reference goes.
///
/// The mapping is private: other processes' pages are shared, and nothing is ever written. A file
/// that another process truncates while it is mapped cannot be defended against by reading alone;
/// the cache never rewrites a published file in place.
package final class MappedFile: Sendable {
  package let path: String
  // Safe to share: read-only from init to deinit.
  package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  /// - Throws: `GGUFError.Reason.unreadable` unless `path` is a regular, readable file.
  package init(path: String) throws(GGUFError) {
    func refuse(_ why: String) -> GGUFError {
      GGUFError(file: path, field: "file", reason: .unreadable(why))
    }
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw refuse(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw refuse(String(cString: strerror(errno))) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw refuse("is a directory")
    default: throw refuse("is not a regular file")
    }
    let size = Int(status.st_size)
    guard size > 0 else { throw refuse("is empty") }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
      address != MAP_FAILED
    else { throw refuse("cannot be mapped: \(String(cString: strerror(errno)))") }
    self.path = path
    self.bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

  /// Reads a byte of each 64 KiB of `range`, for which the system maps all of them, until `isEnough`.
  ///
  /// (`MADV_POPULATE_READ` is slower, and whoever needs memory waits for it.)
  package func readAhead(_ range: Range<Int>, until isEnough: () -> Bool) {
    for place in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 16) {
      if isEnough() { return }
      lastRead.store(bytes[place], ordering: .relaxed)
    }
  }

  /// So that the compiler does not leave out reading.
  private let lastRead = Atomic<UInt8>(0)

  /// Gives back the memory of `range`; reading it again maps it again.
  package func isDone(with range: Range<Int>) {
    let page = Int(sysconf(CInt(_SC_PAGESIZE)))
    let start = range.lowerBound / page * page
    let end = range.isEmpty ? start : min(range.upperBound, bytes.count)
    guard let base = bytes.baseAddress, start < end else { return }
    _ = madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
  }
}
