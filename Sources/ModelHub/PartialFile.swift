import Crypto

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A download in progress on disk, hashed as it grows.
final class PartialFile {
  let path: String
  private let descriptor: Int32
  private var hash = SHA256()
  private(set) var count = 0

  /// Opens or creates the file; what is there already is hashed and kept.
  ///
  /// - Parameter limit: the size of the whole file. A partial that is longer is emptied.
  init(path: String, limit: Int) throws(HubError) {
    self.path = path
    // O_NOFOLLOW: a link left here must not make us write elsewhere.
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw .system(path) }
    try rehash(limit: limit)
  }

  deinit { close(descriptor) }

  private func rehash(limit: Int) throws(HubError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let got = read(descriptor, &buffer, buffer.count)
      if got < 0 {
        if errno == EINTR { continue }
        throw .system(path)
      }
      if got == 0 { break }
      count += got
      if count > limit { return try empty() }
      buffer.withUnsafeBytes { hash.update(bufferPointer: .init(rebasing: $0[..<got])) }
    }
  }

  /// Starts over.
  func empty() throws(HubError) {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw .system(path)
    }
    hash = SHA256()
    count = 0
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
    var rest = bytes
    while let base = rest.baseAddress, !rest.isEmpty {
      let written = write(descriptor, base, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw .system(path)
      }
      let done = UnsafeRawBufferPointer(rebasing: rest[..<written])
      hash.update(bufferPointer: done)
      count += written
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// SHA-256 of all bytes, in lower-case hexadecimal.
  var sha256: String {
    hash.finalize().map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  /// Waits until the bytes are on the disk.
  func synchronize() throws(HubError) {
    guard fsync(descriptor) == 0 else { throw .system(path) }
  }
}
