#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file that gets its name once it is whole: what was there before stays until then.
package final class OutputFile {
  /// Where the file will be; links are followed, so that they stay links.
  private let target: String
  private let temporary: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []

  private static let bufferBytes = 1 << 20

  /// - Throws: `GGUFError.Reason.unwritable`, also where `path` is there and not a regular file.
  package init(path: String) throws(GGUFError) {
    var status = stat()
    var target = path
    guard !path.isEmpty else { throw Self.unwritable("\"\"", "is no name of a file") }
    // What `open` would have given a new file.
    let mask = umask(0)
    umask(mask)
    var mode = 0o666 & ~mask
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw Self.unwritable(path, "is not a regular file")
      }
      if let resolved = realpath(path, nil) {
        target = String(cString: resolved)
        free(resolved)
      }
      mode = status.st_mode & 0o777
    } else if lstat(path, &status) == 0 {
      throw Self.unwritable(path, "is a link that leads to no file")
    }
    var template = Array("\(target).XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw Self.unwritable(path, String(cString: strerror(errno))) }
    self.target = target
    self.descriptor = descriptor
    temporary = template.withUnsafeBufferPointer {
      String(cString: $0.baseAddress.unsafelyUnwrapped)
    }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    fchmod(descriptor, mode)
  }

  /// A file that was not published leaves nothing behind.
  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  package func write(_ bytes: some Sequence<UInt8>) throws(GGUFError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Puts the file in its place, when its bytes are on the disk.
  package func publish() throws(GGUFError) {
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure() }
    guard rename(temporary, target) == 0 else { throw failure() }
    close(descriptor)
    descriptor = -1
  }

  private func flush() throws(GGUFError) {
    var start = 0
    while start < buffer.count {
      let written = buffer.withUnsafeBytes { bytes in
        writeBytes(descriptor, bytes.baseAddress.unsafelyUnwrapped + start, bytes.count - start)
      }
      if written < 0 {
        if errno == EINTR { continue }
        throw failure()
      }
      start += written
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private func failure() -> GGUFError {
    Self.unwritable(target, String(cString: strerror(errno)))
  }

  private static func unwritable(_ path: String, _ reason: String) -> GGUFError {
    GGUFError(file: path, field: "file", reason: .unwritable(reason))
  }
}

private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
