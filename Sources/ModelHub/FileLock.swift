#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An exclusive lock between processes, freed by the system when its holder dies.
///
/// It lies where huggingface_hub puts its own, so that the two keep out of each other's way.
final class FileLock {
  private let descriptor: Int32
  /// Whether the file system keeps locks at all; some network file systems say yes and do nothing.
  let isReal: Bool

  /// Waits for the lock, asking again ten times a second.
  ///
  /// - Parameter whileWaiting: called before each pause; false gives up.
  /// - Throws: `.cancelled`; `.fileSystem` where the lock file cannot be made.
  init(path: String, calls: FileCalls, whileWaiting: () -> Bool) throws(HubError) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(path) }
    var isKept = true
    while calls.lock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      guard errno == EWOULDBLOCK else {
        // No locks here (ENOLCK, EOPNOTSUPP).
        isKept = false
        break
      }
      guard whileWaiting() else {
        close(descriptor)
        throw .cancelled
      }
      usleep(100_000)
    }
    isReal = isKept && Self.excludes(path, calls)
    self.descriptor = descriptor
  }

  /// Whether the lock on `path`, which is held, keeps a second one out.
  private static func excludes(_ path: String, _ calls: FileCalls) -> Bool {
    let second = open(path, O_RDWR | O_CLOEXEC)
    guard second >= 0 else { return false }
    defer { close(second) }
    return calls.lock(second, LOCK_EX | LOCK_NB) != 0
  }

  /// Whether somebody holds the lock at `path` now.
  static func isHeld(_ path: String) -> Bool {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// The lock at `path`, without waiting; nil where nobody ever made one.
  ///
  /// - Throws: `.cancelled` where somebody holds it.
  static func ofExisting(_ path: String) throws(HubError) -> FileLock? {
    guard fileSize(path) != nil else { return nil }
    return try FileLock(path: path, calls: FileCalls()) { false }
  }

  deinit { close(descriptor) }
}
