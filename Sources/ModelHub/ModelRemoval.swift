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
    /// Who fetches the file holds this lock.
    let lock: String?
  }

  /// What belongs to `source` alone: its file, unless another revision links to the same bytes, and
  /// what a broken-off download left. Only names in the cache go: what a link leads to outside of the
  /// repository's folder stays.
  ///
  /// - Throws: `HubError.fileSystem` for a file that is the user's own.
  public func removal(of source: Source) throws(HubError) -> Removal {
    let environment = configuration.environment
    let cache = environment.cache
    switch source.place {
    case .local(let path):
      throw .fileSystem(path: path, reason: "a file of your own, not one that was fetched")
    case .web(let url):
      let store = environment.webStore
      return removal(
        of: try store.paths(url), below: environment.webFolder, nil, lock: try store.lock(url))
    case .pinned(let file):
      var paths = [cache.snapshot(file)]
      if !isShared(file.sha256, except: cache.snapshot(file), file.repository) {
        paths.append(cache.blob(file))
      }
      paths += [cache.partial(file), cache.partial(file) + ".etag"]
      return removal(of: paths, in: file.repository, lock: cache.lock(file))
    case .repository(let reference):
      guard let path = cache.path(reference),
        let file = CacheScan(cache).files(of: reference.repository).first(where: {
          $0.location == path
        })
      else {
        return Removal(paths: [], byteCount: 0, root: cache.folder, repository: nil, lock: nil)
      }
      var paths = [path]
      if let blob = file.blob, !isShared(blob, except: path, file.repository) {
        paths.append("\(cache.repositoryFolder(file.repository))/blobs/\(blob)")
      }
      let lock = file.blob.map { cache.lock(repository: file.repository, blob: $0) }
      return removal(of: paths, in: file.repository, lock: lock)
    }
  }

  private func removal(of paths: [String], in repository: String, lock: String?) -> Removal {
    let root = configuration.environment.cache.repositoryFolder(repository) + "/snapshots"
    return removal(of: paths, below: root, repository, lock: lock)
  }

  /// Of `paths`, those that are there. A link's bytes count where the file that it leads to goes too.
  private func removal(
    of paths: [String], below root: String, _ repository: String?, lock: String?
  ) -> Removal {
    var found: [String] = []
    var bytes = 0
    for path in paths {
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      found.append(path)
      if status.st_mode & S_IFMT == S_IFREG { bytes += Int(status.st_size) }
    }
    return Removal(
      paths: found, byteCount: bytes, root: root, repository: repository, lock: lock)
  }

  /// Whether another file of a snapshot links to `blob`.
  private func isShared(_ blob: String, except location: String, _ repository: String) -> Bool {
    CacheScan(configuration.environment.cache).files(of: repository).contains {
      $0.location != location && $0.blob == blob
    }
  }

  /// Removes what `removal(of:)` found.
  ///
  /// - Throws: `HubError.fileSystem` at the first that cannot be removed, or where the file is being
  ///   fetched.
  public func remove(_ removal: Removal) throws(HubError) {
    let lock: FileLock?
    do throws(HubError) {
      lock = try removal.lock.flatMap { (path) throws(HubError) in
        try FileLock.ofExisting(path)
      }
    } catch .cancelled {
      throw .fileSystem(path: removal.paths.first ?? removal.root, reason: "being fetched")
    }
    for path in removal.paths {
      guard unlink(path) == 0 || errno == ENOENT else { throw .system(path) }
      var folder = parentFolder(path)
      while folder.hasPrefix(removal.root + "/"), rmdir(folder) == 0 {
        folder = parentFolder(folder)
      }
    }
    if let repository = removal.repository { configuration.environment.cache.tidy(repository) }
    _ = lock
  }
}
