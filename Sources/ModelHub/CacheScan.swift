#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What lies in the hub's cache folder.
public struct CacheScan: Sendable {
  /// The cache that is looked at.
  public let cache: HubCache

  /// Looks at `cache`; reads nothing yet.
  public init(_ cache: HubCache) { self.cache = cache }

  /// A GGUF file of a snapshot.
  public struct File: Sendable, Equatable {
    /// OWNER/NAME.
    public let repository: String
    /// The commit that the file is from.
    public let commit: String
    /// In the repository.
    public let path: String
    /// The path of the snapshot's file.
    public let location: String
    /// The name under the repository's `blobs` that the snapshot links to; nil where it holds the file
    /// itself, or a link to somewhere else, which is not ours to look behind.
    public let blob: String?
    /// 0 where a link leads nowhere.
    public let byteCount: Int

    /// Whether there is a file of any bytes.
    public var isWhole: Bool { byteCount > 0 }
    /// As a user names it.
    public var reference: String { "hf:\(repository)/\(path)" }

    /// The SHA-256 that the bytes must have: the blob's name, where the hub keeps large files; nil
    /// where it is named by another kind of hash.
    public var sha256: String? {
      blob.flatMap { HubName.isHexadecimal($0, digits: 64) ? $0 : nil }
    }
  }

  /// Something that `prune` may remove.
  public struct Leftover: Sendable, Equatable {
    /// What was left over.
    public enum Kind: String, Sendable {
      /// The beginning of a file whose download was broken off.
      case partial
      /// A file that no snapshot links to any more.
      case unlinked
      /// A snapshot's link to a file that is not there.
      case brokenLink = "broken link"
    }
    /// What was left over.
    public let kind: Kind
    /// Where it is.
    public let path: String
    /// Bytes on disk.
    public let byteCount: Int
    /// Who fetches that file holds this lock.
    let lock: String
  }

  /// OWNER/NAME of each model repository, sorted.
  public var repositories: [String] {
    (fileNames(in: cache.folder) ?? []).compactMap { name in
      guard name.hasPrefix("models--") else { return nil }
      let parts = name.dropFirst("models--".count)
        .split(separator: "-", omittingEmptySubsequences: false)
      // OWNER and NAME have no two hyphens in a row, so that the first empty part is between them.
      guard let middle = parts.firstIndex(of: "") else { return nil }
      return try? HubName.repository(
        parts[..<middle].joined(separator: "-") + "/"
          + parts[(middle + 1)...].joined(separator: "-"))
    }
  }

  /// The GGUF files of all snapshots.
  public var files: [File] { repositories.flatMap(files(of:)) }

  /// The GGUF files of all snapshots of a repository, of the newest snapshot first.
  public func files(of repository: String) -> [File] {
    let folder = cache.repositoryFolder(repository) + "/snapshots"
    return (fileNames(in: folder) ?? []).filter { HubName.isHexadecimal($0, digits: 40) }
      .map { (commit: $0, time: modificationTime("\(folder)/\($0)")) }
      .sorted { $0.time > $1.time }
      .flatMap { files(of: repository, commit: $0.commit) }
  }

  /// The GGUF files of one snapshot.
  public func files(of repository: String, commit: String) -> [File] {
    let folder = "\(cache.repositoryFolder(repository))/snapshots/\(commit)"
    return (paths(in: folder) ?? []).filter { $0.lowercased().hasSuffix(".gguf") }.map { path in
      let location = "\(folder)/\(path)"
      return File(
        repository: repository, commit: commit, path: path, location: location,
        blob: blobName(location, repository), byteCount: fileSize(location) ?? 0)
    }
  }

  /// What no snapshot needs, in repositories with GGUF files, and broken-off downloads of such files;
  /// what is being fetched now is left out. A repository that cannot be read whole has none: what
  /// cannot be seen may be needed.
  public var leftovers: [Leftover] { repositories.flatMap { leftovers(of: $0) ?? [] } }

  private func leftovers(of repository: String) -> [Leftover]? {
    let folder = cache.repositoryFolder(repository)
    guard let commits = fileNames(in: folder + "/snapshots"),
      let blobs = fileNames(in: folder + "/blobs")
    else { return nil }
    var linked = Set<String>()
    var found: [Leftover] = []
    var hasModels = false
    for commit in commits {
      guard let paths = paths(in: "\(folder)/snapshots/\(commit)") else { return nil }
      for path in paths {
        let location = "\(folder)/snapshots/\(commit)/\(path)"
        let isModel = path.lowercased().hasSuffix(".gguf")
        hasModels = hasModels || isModel
        let blob = blobName(location, repository)
        if let blob { linked.insert(blob) }
        if isModel, let blob, fileSize(location) == nil {
          found.append(
            Leftover(
              kind: .brokenLink, path: location, byteCount: 0,
              lock: cache.lock(repository: repository, blob: blob)))
        }
      }
    }
    for name in blobs where !linked.contains(name) {
      let path = "\(folder)/blobs/\(name)"
      let hash = String(name.prefix { $0 != "." })
      let lock = cache.lock(repository: repository, blob: hash)
      guard let size = fileSize(path), !FileLock.isHeld(lock) else { continue }
      if name.contains(".incomplete") {
        guard hasModels || isModel(path), isAbandoned(path, hash) else { continue }
        found.append(Leftover(kind: .partial, path: path, byteCount: size, lock: lock))
      } else if hasModels {
        found.append(Leftover(kind: .unlinked, path: path, byteCount: size, lock: lock))
      }
    }
    return found
  }

  /// Whether the file begins as GGUF files do; a note beside one counts as it.
  private func isModel(_ path: String) -> Bool {
    let path = path.hasSuffix(".etag") ? String(path.dropLast(".etag".count)) : path
    return firstBytes(of: path, atMost: 4, followsLinks: false) == Array("GGUF".utf8)
  }

  /// Whether nobody writes to the unfinished file at `path`. Ours have a lock; another program's name
  /// has a part of its own, and where that keeps no lock only time tells.
  private func isAbandoned(_ path: String, _ hash: String) -> Bool {
    if path.hasSuffix("/\(hash).incomplete") || path.hasSuffix("/\(hash).incomplete.etag") {
      return true
    }
    return modificationTime(path) < Int(time(nil)) - 3600
  }

  /// Removes what `leftovers` found, unless somebody has begun to fetch it since.
  ///
  /// - Returns: whether it was removed.
  public func remove(_ leftover: Leftover) throws(HubError) -> Bool {
    let lock: FileLock?
    do throws(HubError) {
      lock = try FileLock.ofExisting(leftover.lock)
    } catch .cancelled {
      return false
    }
    guard unlink(leftover.path) == 0 || errno == ENOENT else { throw .system(leftover.path) }
    _ = lock
    return true
  }

  // MARK: Folders

  /// The name under `blobs` of `repository` that the link at `location` names, as it is written; nil
  /// for anything else.
  private func blobName(_ location: String, _ repository: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink(location, &buffer, buffer.count)
    guard length > 0, length < buffer.count else { return nil }
    let target = String(
      decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let whole = target.hasPrefix("/") ? target : "\(parentFolder(location))/\(target)"
    var parts: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    let folder = (cache.repositoryFolder(repository) + "/blobs").split(separator: "/")
    guard parts.count == folder.count + 1, parts.starts(with: folder) else { return nil }
    return parts.last.map(String.init)
  }

  /// Paths of the files below `folder`, relative to it; links are files. nil where something cannot be
  /// read, or lies deeper than any repository's files.
  private func paths(in folder: String, depth: Int = 0) -> [String]? {
    guard depth < 16, let names = fileNames(in: folder) else { return nil }
    var found: [String] = []
    for name in names {
      var status = stat()
      guard lstat("\(folder)/\(name)", &status) == 0 else { return nil }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        found.append(name)
        continue
      }
      guard let inside = paths(in: "\(folder)/\(name)", depth: depth + 1) else { return nil }
      found += inside.map { "\(name)/\($0)" }
    }
    return found
  }

  /// Seconds since 1970; 0 where there is nothing.
  private func modificationTime(_ path: String) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else { return 0 }
    #if canImport(Glibc)
      return status.st_mtim.tv_sec
    #else
      return status.st_mtimespec.tv_sec
    #endif
  }
}
