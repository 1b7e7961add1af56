#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The hub's cache folder, laid out as huggingface_hub does: in `models--OWNER--NAME` files named by
/// their hash under `blobs`, `snapshots/COMMIT/PATH` linking to them, and `refs/BRANCH` holding the
/// commit that a branch was last seen at.
public struct HubCache: Sendable, Equatable {
  /// The folder, as in `HF_HUB_CACHE`.
  public let folder: String

  /// The cache in `folder`, which need not be there.
  public init(folder: String) { self.folder = folder }

  static func repositoryFolderName(_ repository: String) -> String {
    "models--" + repository.split(separator: "/").joined(separator: "--")
  }

  func repositoryFolder(_ repository: String) -> String {
    "\(folder)/\(Self.repositoryFolderName(repository))"
  }

  func blob(_ file: HubFile) -> String {
    "\(repositoryFolder(file.repository))/blobs/\(file.sha256)"
  }

  func partial(_ file: HubFile) -> String { blob(file) + ".incomplete" }

  /// The lock that huggingface_hub takes for the same blob.
  func lock(repository: String, blob: String) -> String {
    "\(folder)/.locks/\(Self.repositoryFolderName(repository))/\(blob).lock"
  }

  func lock(_ file: HubFile) -> String { lock(repository: file.repository, blob: file.sha256) }

  /// Where the file is found once it is there.
  public func snapshot(_ file: HubFile) -> String {
    "\(repositoryFolder(file.repository))/snapshots/\(file.commit)/\(file.path)"
  }

  /// The file, where the cache has it whole: by size, since only checked files are ever published.
  public func path(_ file: HubFile) -> String? {
    fileSize(snapshot(file)) == file.byteCount ? snapshot(file) : nil
  }

  // MARK: Finding

  /// The file that `reference` means by what is here; nil where that is not clear or not whole.
  public func path(_ reference: RepositoryReference) -> String? {
    let scan = CacheScan(self)
    func file(_ files: [CacheScan.File]) -> String? {
      guard let path = try? reference.pick(from: files.map(\.path)) else { return nil }
      return files.first { $0.path == path && $0.isWhole }?.location
    }
    if let commit = commit(reference.repository, reference.revision),
      let path = file(scan.files(of: reference.repository, commit: commit))
    {
      return path
    }
    // The branch has moved on with another file; what is here of this one is as good as before.
    guard reference.revision == RepositoryReference.defaultRevision else { return nil }
    let files = scan.files(of: reference.repository)
    var commits: [String] = []
    for file in files where commits.last != file.commit { commits.append(file.commit) }
    for commit in commits {
      if let path = file(files.filter { $0.commit == commit }) { return path }
    }
    return nil
  }

  /// The commit of a branch, tag or commit, as far as the cache knows.
  func commit(_ repository: String, _ revision: String) -> String? {
    if HubName.isHexadecimal(revision, digits: 40) { return revision }
    let bytes = firstBytes(of: "\(repositoryFolder(repository))/refs/\(revision)", atMost: 64)
    let text = String(decoding: (bytes ?? []).filter { $0 > 0x20 }, as: UTF8.self)
    return HubName.isHexadecimal(text, digits: 40) ? text : nil
  }

  // MARK: Writing

  /// Makes the folders of `file`.
  ///
  /// - Throws: `.fileSystem` where one cannot be made, leads elsewhere by a link, or may be written by
  ///   anybody.
  func prepare(_ file: HubFile) throws(HubError) {
    for path in [blob(file), snapshot(file), lock(file)] { try makeFolder(parentFolder(path)) }
    let repository = repositoryFolder(file.repository)
    for path in ["", "/blobs", "/snapshots", "/snapshots/\(file.commit)"] {
      var status = stat()
      guard lstat(repository + path, &status) == 0 else { throw .system(repository + path) }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw .fileSystem(path: repository + path, reason: "a link, where a folder has to be")
      }
      guard status.st_mode & S_IWOTH == 0 else {
        throw .fileSystem(path: repository + path, reason: "anybody may write to this folder")
      }
    }
  }

  /// Gives the checked partial file its final name and links the snapshot to it, each in one step.
  func publish(_ file: HubFile, partial: String) throws(HubError) -> String {
    guard rename(partial, blob(file)) == 0 else { throw .system(blob(file)) }
    try synchronizeFolder(of: blob(file))
    return try link(file)
  }

  /// Links the snapshot to a blob that is there.
  func link(_ file: HubFile) throws(HubError) -> String {
    let path = snapshot(file)
    let temporary = "\(path).\(getpid()).link"
    let up = String(repeating: "../", count: file.path.split(separator: "/").count + 1)
    unlink(temporary)
    let source: String
    if symlink("\(up)blobs/\(file.sha256)", temporary) == 0 {
      source = temporary
    } else {
      // No links here: the file itself takes the place, as huggingface_hub does it.
      guard errno == EPERM || errno == ENOTSUP else { throw .system(path) }
      source = blob(file)
    }
    guard rename(source, path) == 0 else {
      let error = HubError.system(path)
      unlink(temporary)
      throw error
    }
    try synchronizeFolder(of: path)
    return path
  }

  /// Remembers the commit of a branch.
  func setCommit(_ commit: String, of revision: String, _ repository: String) throws(HubError) {
    guard !HubName.isHexadecimal(revision, digits: 40), self.commit(repository, revision) != commit
    else { return }
    let path = "\(repositoryFolder(repository))/refs/\(revision)"
    try makeFolder(parentFolder(path))
    try replaceFile(path, with: Array(commit.utf8))
  }
}

extension HubCache {
  /// After files were removed: removes references to commits that have no snapshot any more, and
  /// folders that hold nothing. huggingface_hub calls a cache with such references corrupt.
  func tidy(_ repository: String) {
    let folder = repositoryFolder(repository)
    tidyReferences(repository, "")
    for path in ["/refs", "/snapshots", "/blobs", ""] { rmdir(folder + path) }
  }

  /// - Parameter path: of a folder under `refs`, with a slash at its end, or nothing.
  private func tidyReferences(_ repository: String, _ path: String) {
    let folder = repositoryFolder(repository)
    for name in fileNames(in: "\(folder)/refs/\(path)") ?? [] {
      let revision = path + name
      if let commit = commit(repository, revision) {
        var status = stat()
        if stat("\(folder)/snapshots/\(commit)", &status) != 0 {
          unlink("\(folder)/refs/\(revision)")
        }
      } else if path.utf8.count < 200 {
        tidyReferences(repository, revision + "/")
        rmdir("\(folder)/refs/\(revision)")
      }
    }
  }
}

/// Writes a small file under another name and renames it: readers see the old one or the new one.
func replaceFile(_ path: String, with bytes: [UInt8]) throws(HubError) {
  let temporary = "\(path).\(getpid()).new"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
  guard descriptor >= 0 else { throw .system(path) }
  let written = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
  close(descriptor)
  guard written, rename(temporary, path) == 0 else {
    let error = HubError.system(path)
    unlink(temporary)
    throw error
  }
}
