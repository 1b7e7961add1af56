#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What lies in the hub's cache folder.
public struct CacheScan: Sendable {
  public let cache: HubCache

  public init(_ cache: HubCache) { self.cache = cache }

  /// A GGUF file of a snapshot.
  public struct File: Sendable, Equatable {
    /// OWNER/NAME.
    public let repository: String
    public let commit: String
    /// In the repository.
    public let path: String
    /// The path of the snapshot's file.
    public let location: String
    /// Where the file's bytes are, links followed; nil where a link leads nowhere.
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
      guard let name = blob?.split(separator: "/").last.map(String.init),
        HubName.isHexadecimal(name, digits: 64)
      else { return nil }
      return name
    }
  }

  /// Something that `prune` may remove.
  public struct Leftover: Sendable, Equatable {
    public enum Kind: String, Sendable {
      /// The beginning of a file whose download was broken off.
      case partial
      /// A file that no snapshot links to any more.
      case unlinked
      /// A snapshot's link to a file that is not there.
      case brokenLink = "broken link"
    }
    public let kind: Kind
    public let path: String
    public let byteCount: Int
  }

  /// OWNER/NAME of each model repository, sorted.
  public var repositories: [String] {
    fileNames(in: cache.folder).compactMap { name in
      guard name.hasPrefix("models--") else { return nil }
      let parts = name.dropFirst("models--".count).split(
        separator: "-", omittingEmptySubsequences: false)
      // OWNER and NAME have no two hyphens in a row, so that the first empty part is between them.
      guard let middle = parts.firstIndex(of: "") else { return nil }
      return try? HubName.repository(
        parts[..<middle].joined(separator: "-") + "/"
          + parts[(middle + 1)...].joined(separator: "-"))
    }
  }

  /// The GGUF files of all snapshots.
  public var files: [File] {
    repositories.flatMap { repository in
      fileNames(in: cache.repositoryFolder(repository) + "/snapshots")
        .filter { HubName.isHexadecimal($0, digits: 40) }
        .flatMap { files(of: repository, commit: $0) }
    }
  }

  /// The GGUF files of one snapshot.
  public func files(of repository: String, commit: String) -> [File] {
    let folder = "\(cache.repositoryFolder(repository))/snapshots/\(commit)"
    return paths(in: folder).filter { $0.lowercased().hasSuffix(".gguf") }.map { path in
      let location = "\(folder)/\(path)"
      return File(
        repository: repository, commit: commit, path: path, location: location,
        blob: realPath(location), byteCount: fileSize(location) ?? 0)
    }
  }

  /// What no snapshot needs, in repositories that have or had GGUF files; what is being fetched now
  /// is left out.
  public var leftovers: [Leftover] { repositories.flatMap(leftovers(of:)) }

  private func leftovers(of repository: String) -> [Leftover] {
    let folder = cache.repositoryFolder(repository)
    var linked = Set<String>()
    var found: [Leftover] = []
    var hasModels = false
    for commit in fileNames(in: folder + "/snapshots") {
      for path in paths(in: "\(folder)/snapshots/\(commit)") {
        let location = "\(folder)/snapshots/\(commit)/\(path)"
        let isModel = path.lowercased().hasSuffix(".gguf")
        hasModels = hasModels || isModel
        if let blob = realPath(location) {
          linked.insert(blob)
        } else if isModel {
          found.append(Leftover(kind: .brokenLink, path: location, byteCount: 0))
        }
      }
    }
    for name in fileNames(in: folder + "/blobs") {
      let path = "\(folder)/blobs/\(name)"
      let owner = String(name.prefix { $0 != "." })
      guard let size = fileSize(path), let real = realPath(path), !linked.contains(real),
        !FileLock.isHeld(cache.lock(repository: repository, blob: owner))
      else { continue }
      if name.contains(".incomplete") {
        found.append(Leftover(kind: .partial, path: path, byteCount: size))
      } else if hasModels {
        found.append(Leftover(kind: .unlinked, path: path, byteCount: size))
      }
    }
    return found
  }

  /// Removes what `leftovers` found.
  public func remove(_ leftover: Leftover) throws(HubError) {
    guard unlink(leftover.path) == 0 || errno == ENOENT else { throw .system(leftover.path) }
  }

  // MARK: Folders

  /// Paths of the files below `folder`, relative to it; links are files.
  private func paths(in folder: String, depth: Int = 0) -> [String] {
    guard depth < 8 else { return [] }
    return fileNames(in: folder).flatMap { name -> [String] in
      var status = stat()
      guard lstat("\(folder)/\(name)", &status) == 0 else { return [] }
      guard status.st_mode & S_IFMT == S_IFDIR else { return [name] }
      return paths(in: "\(folder)/\(name)", depth: depth + 1).map { "\(name)/\($0)" }
    }
  }

  private func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
