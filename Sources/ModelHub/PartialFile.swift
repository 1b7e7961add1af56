import Crypto

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A download in progress on disk, hashed as it grows.
///
/// Beside it, `PATH.etag` remembers the entity tag that its bytes came with. Whatever is in either
/// file, nothing is taken for true but the hash of the whole.
final class PartialFile {
  let path: String
  private let calls: FileCalls
  private let descriptor: Int32
  private let limit: Int
  private var hash = SHA256()
  private(set) var count = 0
  /// The first bytes: what kind of file this is.
  private(set) var beginning: [UInt8] = []
  /// The entity tag of the bytes that are there.
  private(set) var etag: String?

  private var etagPath: String { path + ".etag" }

  /// Opens or creates the file; what is there already is hashed and kept.
  ///
  /// - Parameters:
  ///   - limit: the size of the whole file. A partial that is longer is emptied.
  ///   - isCancelled: asked while what is there is hashed.
  /// - Throws: `.fileSystem`, `.cancelled`.
  init(
    path: String, limit: Int, calls: FileCalls, isCancelled: (Int) -> Bool = { _ in false }
  ) throws(HubError) {
    self.path = path
    self.limit = limit
    self.calls = calls
    // O_NOFOLLOW: a link left here must not make us write elsewhere.
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw .system(path) }
    try rehash(limit: limit, isCancelled)
    etag = count > 0 ? readTag() : nil
  }

  deinit { close(descriptor) }

  private func rehash(limit: Int, _ isCancelled: (Int) -> Bool) throws(HubError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      guard !isCancelled(count) else { throw .cancelled }
      let got = read(descriptor, &buffer, buffer.count)
      if got < 0 {
        if errno == EINTR { continue }
        throw .system(path)
      }
      if got == 0 { break }
      count += got
      if count > limit { return try empty() }
      buffer.withUnsafeBytes { digest(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
    }
  }

  private func digest(_ bytes: UnsafeRawBufferPointer) {
    if beginning.count < Self.beginningLength {
      beginning += bytes.prefix(Self.beginningLength - beginning.count)
    }
    hash.update(bufferPointer: bytes)
  }

  private static let beginningLength = 256

  /// Starts over.
  func empty() throws(HubError) {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw .system(path)
    }
    hash = SHA256()
    count = 0
    beginning = []
    forgetTag()
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
    var rest = bytes
    while let base = rest.baseAddress, !rest.isEmpty {
      let written = calls.write(descriptor, base, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        guard errno == ENOSPC || errno == EDQUOT else { throw .system(path) }
        throw .noSpace(
          path: path, needed: max(rest.count, limit - count), free: calls.freeBytes(path) ?? 0)
      }
      let done = UnsafeRawBufferPointer(rebasing: rest[..<written])
      digest(done)
      count += written
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// SHA-256 of all bytes, in lower-case hexadecimal.
  var sha256: String { hash.finalize().hexadecimal }

  /// Waits until the bytes are on the disk.
  func synchronize() throws(HubError) {
    guard calls.synchronize(descriptor) == 0 else { throw .system(path) }
  }

  /// Whether the file's name still stands for it, and not for nothing or another file.
  var isInPlace: Bool {
    var (mine, named) = (stat(), stat())
    return fstat(descriptor, &mine) == 0 && lstat(path, &named) == 0
      && mine.st_dev == named.st_dev && mine.st_ino == named.st_ino
  }

  /// Removes the file and its tag.
  func remove() {
    unlink(path)
    forgetTag()
  }

  // MARK: Entity tag

  /// Remembers a strong entity tag; a weak one says nothing of bytes (RFC 9110, section 8.8.1).
  func remember(etag new: String?) {
    guard let new, new.hasPrefix("\""), new.hasSuffix("\""), new.utf8.count <= 512 else {
      return forgetTag()
    }
    etag = new
    let file = open(etagPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard file >= 0 else { return }
    defer { close(file) }
    let bytes = Array(new.utf8)
    // Half a tag would only cost a restart.
    _ = write(file, bytes, bytes.count)
  }

  func forgetTag() {
    etag = nil
    unlink(etagPath)
  }

  private func readTag() -> String? {
    guard let tag = firstBytes(of: etagPath, atMost: 513, followsLinks: false),
      (2...512).contains(tag.count), tag.first == 0x22, tag.last == 0x22,
      tag.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    return String(decoding: tag, as: UTF8.self)
  }
}

extension Sequence<UInt8> {
  /// Two lower-case hexadecimal digits a byte.
  var hexadecimal: String {
    map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}

/// SHA-256 of `bytes`, in lower-case hexadecimal.
package func sha256(of bytes: UnsafeRawBufferPointer) -> String {
  var hash = SHA256()
  hash.update(bufferPointer: bytes)
  return hash.finalize().hexadecimal
}

/// SHA-256 of a file, in lower-case hexadecimal.
///
/// - Throws: `HubError.fileSystem` where it cannot be read, `.cancelled`.
package func sha256(ofFile path: String, isCancelled: () -> Bool = { false }) throws(HubError)
  -> String
{
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .system(path) }
  defer { close(descriptor) }
  var hash = SHA256()
  var buffer = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    guard !isCancelled() else { throw .cancelled }
    let got = read(descriptor, &buffer, buffer.count)
    if got < 0 {
      if errno == EINTR { continue }
      throw .system(path)
    }
    if got == 0 { return hash.finalize().hexadecimal }
    buffer.withUnsafeBytes { hash.update(bufferPointer: .init(rebasing: $0[..<got])) }
  }
}
