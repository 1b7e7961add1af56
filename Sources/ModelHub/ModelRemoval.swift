#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension ModelLibrary {
  /// What removing a model takes away, found before anything is removed.
  public struct Removal: Sendable, Equatable {
    /// Files and links, in the order in which they go.
    public let paths: [String]
    /// Bytes that become free.
    public let byteCount: Int
    /// The folder below which folders that became empty go too.
    let root: String
    /// OWNER/NAME, of the hub's files.
    let repository: String?
  }

  /// What belongs to `source` alone: its file, unless another revision links to the same bytes, and
  /// what a broken-off download left.
  ///
  /// - Throws: `HubError.fileSystem` for a file that is the user's own, or that is being fetched.
  public func removal(of source: Source) throws(HubError) -> Removal {
    let environment = configuration.environment
    let cache = environment.cache
    switch source.place {
    case .local(let path):
      throw .fileSystem(path: path, reason: "a file of your own, not one that was fetched")
    case .web(let url):
      return removal(of: try environment.webStore.paths(url), below: environment.webFolder, nil)
    case .pinned(let file):
      if FileLock.isHeld(cache.lock(file)) {
        throw .fileSystem(path: cache.partial(file), reason: "being fetched")
      }
      var paths = [cache.snapshot(file)]
      if !isShared(cache.blob(file), except: cache.snapshot(file), file.repository) {
        paths.append(cache.blob(file))
      }
      paths += [cache.partial(file), cache.partial(file) + ".etag"]
      return removal(
        of: paths, below: cache.repositoryFolder(file.repository) + "/snapshots", file.repository)
    case .repository(let reference):
      guard let path = cache.path(reference),
        let file = CacheScan(cache).files.first(where: { $0.location == path })
      else { return Removal(paths: [], byteCount: 0, root: cache.folder, repository: nil) }
      var paths = [path]
      if let blob = file.blob, blob != path, !isShared(blob, except: path, file.repository) {
        paths.append(blob)
      }
      return removal(
        of: paths, below: cache.repositoryFolder(file.repository) + "/snapshots", file.repository)
    }
  }

  /// Of `paths`, those that are there. A link's bytes count where the file that it leads to goes too.
  private func removal(of paths: [String], below root: String, _ repository: String?) -> Removal {
    var found: [String] = []
    var bytes = 0
    for path in paths {
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      found.append(path)
      if status.st_mode & S_IFMT == S_IFREG { bytes += Int(status.st_size) }
    }
    return Removal(paths: found, byteCount: bytes, root: root, repository: repository)
  }

  /// Whether another file of a snapshot leads to `blob`.
  private func isShared(_ blob: String, except location: String, _ repository: String) -> Bool {
    let name = blob.split(separator: "/").last
    return CacheScan(configuration.environment.cache).files.contains {
      $0.repository == repository && $0.location != location
        && $0.blob?.split(separator: "/").last == name
    }
  }

  /// Removes what `removal(of:)` found.
  ///
  /// - Throws: `HubError.fileSystem` at the first that cannot be removed.
  public func remove(_ removal: Removal) throws(HubError) {
    for path in removal.paths {
      guard unlink(path) == 0 || errno == ENOENT else { throw .system(path) }
      var folder = parentFolder(path)
      while folder.hasPrefix(removal.root + "/"), rmdir(folder) == 0 {
        folder = parentFolder(folder)
      }
    }
    if let repository = removal.repository { configuration.environment.cache.tidy(repository) }
  }
}
