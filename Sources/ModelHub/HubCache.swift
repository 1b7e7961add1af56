#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The hub's cache folder, laid out as huggingface_hub does: files named by their hash under `blobs`,
/// and `snapshots/REVISION/NAME` linking to them.
public struct HubCache: Sendable {
  public let folder: String

  public init(folder: String) { self.folder = folder }

  private func repository(_ entry: CatalogueEntry) -> String {
    "\(folder)/models--" + entry.repository.split(separator: "/").joined(separator: "--")
  }

  func blob(_ entry: CatalogueEntry) -> String { "\(repository(entry))/blobs/\(entry.sha256)" }

  func partial(_ entry: CatalogueEntry) -> String { blob(entry) + ".incomplete" }

  func lock(_ entry: CatalogueEntry) -> String {
    let name = "models--" + entry.repository.split(separator: "/").joined(separator: "--")
    return "\(folder)/.locks/\(name)/\(entry.sha256).lock"
  }

  /// Where the file is found once it is there.
  public func snapshot(_ entry: CatalogueEntry) -> String {
    "\(repository(entry))/snapshots/\(entry.revision)/\(entry.fileName)"
  }

  /// The file, where the cache has it whole: by size, since only checked files are ever published.
  public func path(_ entry: CatalogueEntry) -> String? {
    let path = snapshot(entry)
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      Int(status.st_size) == entry.byteCount
    else { return nil }
    return path
  }

  /// Bytes that this user may still write there; asked of the nearest folder that exists.
  public var freeBytes: Int? {
    var path = folder
    var status = statvfs()
    while statvfs(path, &status) != 0 {
      guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
      path = String(path[..<slash])
    }
    return Int(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
  }

  /// Makes the folders of `entry`.
  func prepare(_ entry: CatalogueEntry) throws(HubError) {
    for path in [blob(entry), snapshot(entry), lock(entry)] {
      guard let slash = path.lastIndex(of: "/") else { continue }
      try makeFolder(String(path[..<slash]))
    }
  }

  private func makeFolder(_ path: String) throws(HubError) {
    if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw .system(path)
    }
    try makeFolder(String(path[..<slash]))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system(path) }
  }

  /// Gives the checked partial file its final name and links the snapshot to it, each in one step.
  func publish(_ entry: CatalogueEntry) throws(HubError) {
    guard rename(partial(entry), blob(entry)) == 0 else { throw .system(blob(entry)) }
    try synchronizeFolder(of: blob(entry))
    try link(entry)
  }

  /// Links the snapshot to a blob that is there.
  func link(_ entry: CatalogueEntry) throws(HubError) {
    let path = snapshot(entry)
    let temporary = "\(path).\(getpid()).link"
    unlink(temporary)
    guard symlink("../../blobs/\(entry.sha256)", temporary) == 0, rename(temporary, path) == 0
    else {
      let error = HubError.system(path)
      unlink(temporary)
      throw error
    }
    try synchronizeFolder(of: path)
  }

  private func synchronizeFolder(of path: String) throws(HubError) {
    guard let slash = path.lastIndex(of: "/") else { return }
    let descriptor = open(String(path[..<slash]), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system(path) }
  }

  /// Removes the file of `entry`, a partial one included; false where there was none.
  public func remove(_ entry: CatalogueEntry) -> Bool {
    var removed = false
    for path in [snapshot(entry), blob(entry), partial(entry)] where unlink(path) == 0 {
      removed = true
    }
    return removed
  }
}

extension HubError {
  /// The last failed system call's reason, at `path`.
  static func system(_ path: String) -> HubError {
    .fileSystem(path: path, reason: String(cString: strerror(errno)))
  }
}
