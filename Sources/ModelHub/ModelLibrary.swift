#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The models of a configuration on this machine: what a name stands for, what is here, and fetching
/// what is not, once.
public struct ModelLibrary: Sendable {
  /// Names, models and settings.
  public let configuration: Configuration
  /// Fetches what is not here.
  public var downloader: Downloader

  /// The library that `configuration` describes.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    downloader = Downloader(configuration.environment)
  }

  /// With the user's configuration file and the environment.
  ///
  /// - Throws: `HubError.configuration` where the file has a fault.
  public init() throws(HubError) { self.init(try Configuration.load()) }

  private var environment: HubEnvironment { configuration.environment }
  private var cache: HubCache { environment.cache }

  /// What a name stands for.
  public struct Source: Sendable, Hashable {
    /// Where a model is.
    public enum Place: Sendable, Hashable {
      /// A file of which commit, size and hash are known.
      case pinned(HubFile)
      /// In a repository of the hub.
      case repository(RepositoryReference)
      /// At a plain URL.
      case web(url: String)
      /// On this machine.
      case local(path: String)
    }
    /// As messages call it.
    public let title: String
    /// Where the model is.
    public let place: Place
    /// The id of the configuration's model; nil where it is none.
    public let id: String?

    /// What `Tuning` knows the model by.
    public var tuningKey: String {
      if let id { return id }
      guard case .local(let path) = place else { return title }
      guard let real = realpath(path, nil) else { return path }
      defer { free(real) }
      return String(cString: real)
    }
  }

  /// Whether a model is here.
  public enum Status: Sendable, Equatable {
    /// It would have to be fetched.
    case remote
    /// By this process or another one.
    case downloading
    /// It is here, and has the size that it should have.
    case local(path: String, byteCount: Int)
    /// It is here, and is not what it should be.
    case damaged(path: String, reason: String)
  }

  // MARK: Names

  /// What `name` stands for: an id or a short name, `hf:…`, a URL, or a path.
  ///
  /// - Throws: `HubError.unknownModel`, `.invalidName`, `.disabled`.
  public func source(of name: String) throws(HubError) -> Source {
    switch try ModelReference(name) {
    case .name(let name):
      if fileSize(name) != nil { return Source(title: name, place: .local(path: name), id: nil) }
      let model = try configuration.provider.model(named: name)
      let entry = Catalogue.entry(model.id)
      let title = entry?.shortName ?? model.id
      try checkEnabled(title)
      let from = configuration.provider.downloadURLs[model.id]
      if let entry, from == nil || from == entry.file.url(endpoint: environment.endpoint) {
        return Source(title: title, place: .pinned(entry.file), id: model.id)
      }
      guard let from else {
        throw .unknownModel(name: name, nearest: ["a downloadURLs entry for \(model.id)"])
      }
      return Source(title: title, place: try place(ModelReference(from), title), id: model.id)
    case let reference:
      return Source(title: name, place: try place(reference, name), id: nil)
    }
  }

  private func place(_ reference: ModelReference, _ title: String) throws(HubError)
    -> Source.Place
  {
    switch reference {
    case .repository(let reference):
      try checkEnabled(title)
      return .repository(reference)
    case .url(let url):
      if let reference = RepositoryReference(url: url, endpoint: environment.endpoint) {
        return .repository(reference)
      }
      _ = try environment.webStore.location(url)
      return .web(url: url)
    case .file(let path), .name(let path):
      return .local(
        path: path.hasPrefix("~/") ? environment.home + path.dropFirst() : path)
    }
  }

  private func checkEnabled(_ model: String) throws(HubError) {
    let provider = configuration.provider.provider
    guard provider.enabled else { throw .disabled(provider: provider.name, model: model) }
  }

  // MARK: What is here

  /// Where the file of `source` is; nil where it is not here, or not whole. Asks nobody.
  public func path(of source: Source) throws(HubError) -> String? {
    switch source.place {
    case .pinned(let file): cache.path(file)
    case .repository(let reference): cache.path(reference)
    case .web(let url): try environment.webStore.path(url)
    case .local(let path): access(path, F_OK) == 0 ? path : nil
    }
  }

  /// Whether the file of `source` is here. Asks nobody, and does not hash: see `verify`.
  public func status(of source: Source) throws(HubError) -> Status {
    if let path = try path(of: source) {
      guard let size = fileSize(path) else {
        return .damaged(path: path, reason: "there is no such file")
      }
      return .local(path: path, byteCount: size)
    }
    if case .local(let path) = source.place {
      return .damaged(path: path, reason: "there is no such file")
    }
    guard case .pinned(let file) = source.place else { return .remote }
    if FileLock.isHeld(cache.lock(file)) { return .downloading }
    if let size = fileSize(cache.snapshot(file)) {
      return .damaged(
        path: cache.snapshot(file), reason: "\(size) bytes, expected \(file.byteCount)")
    }
    return .remote
  }

  /// A file that is here, and what its bytes must be.
  public struct LocalFile: Sendable, Equatable {
    /// As a user names it.
    public let title: String
    /// Where the file is.
    public let path: String
    /// nil where nobody knows.
    public let sha256: String?
  }

  /// What hashing a file shows.
  public enum Verification: Sendable, Equatable {
    /// The file's bytes are what they should be.
    case matches
    /// No hash of the file is known.
    case unknown
    /// The file's bytes are others: how.
    case differs(String)
  }

  /// Every file that was fetched: of names, of the hub's other GGUF files, of web addresses.
  public var localFiles: [LocalFile] {
    var files: [LocalFile] = []
    for model in configuration.provider.provider.models {
      guard let source = try? source(of: model.id), let file = try? localFile(source) else {
        continue
      }
      files.append(file)
    }
    let named = files.map(\.path)
    files += CacheScan(cache).files.filter { !named.contains($0.location) }.map {
      LocalFile(title: $0.reference, path: $0.location, sha256: $0.sha256)
    }
    files += environment.webStore.files.map {
      LocalFile(title: $0.url, path: $0.location, sha256: $0.sha256)
    }
    return files
  }

  /// The file of `source`; nil where it is not here. A damaged one is.
  public func localFile(_ source: Source) throws(HubError) -> LocalFile? {
    let path: String
    switch try status(of: source) {
    case .local(let place, _): path = place
    case .damaged(let place, _):
      guard fileSize(place) != nil else { return nil }
      path = place
    case .remote, .downloading: return nil
    }
    let sha256: String? =
      switch source.place {
      case .pinned(let file): file.sha256
      case .repository(let reference):
        CacheScan(cache).files(of: reference.repository).first { $0.location == path }?.sha256
      case .web: environment.webStore.file(path)?.sha256
      case .local: nil
      }
    return LocalFile(title: source.title, path: path, sha256: sha256)
  }

  /// Hashes a file.
  ///
  /// - Throws: `HubError.fileSystem`, `.cancelled`.
  public func verify(
    _ file: LocalFile, isCancelled: () -> Bool = { false }
  ) throws(HubError) -> Verification {
    guard let wanted = file.sha256 else { return .unknown }
    let found = try ModelHub.sha256(ofFile: file.path, isCancelled: isCancelled)
    return found == wanted ? .matches : .differs("SHA-256 \(found), expected \(wanted)")
  }

  // MARK: Fetching

  /// The file of `source`, fetched where it is not here. Blocks; what is here costs no connection.
  ///
  /// - Parameters:
  ///   - refreshes: asks the hub which file a branch means now, even where one is here. Where the hub
  ///     cannot be asked, the one that is here is good enough.
  ///   - observer: told of every step; false cancels.
  /// - Throws: `HubError`.
  public func fetch(
    _ source: Source, refreshes: Bool = false,
    observer: @escaping (DownloadState) -> Bool = { _ in true }
  ) throws(HubError) -> String {
    let here = try path(of: source)
    switch source.place {
    case .local(let path):
      guard let here else { throw .system(path) }
      return here
    case .pinned(let file):
      if let here { return here }
      let path = try fetch(file, source, observer)
      // Python looks a file up by branch: without a network it finds this one so.
      if cache.commit(file.repository, RepositoryReference.defaultRevision) == nil {
        try cache.setCommit(
          file.commit, of: RepositoryReference.defaultRevision, file.repository)
      }
      return path
    case .web(let url):
      if let here { return here }
      try checkOnline(source)
      let store = environment.webStore
      return try downloader.fetch(
        try store.target(url), existing: { () throws(HubError) in try store.path(url) },
        observer: observer)
    case .repository(let reference):
      if let here, !refreshes || environment.isOffline { return here }
      try checkOnline(source)
      let file: HubFile
      do throws(HubError) {
        file = try HubIndex(environment: environment, downloader: downloader)
          .resolve(reference) { !observer(DownloadState(.resolving)) }
      } catch {
        guard let here else { throw error }
        switch error {
        case .unreachable, .malformedAnswer:
          _ = observer(DownloadState(.unrefreshed(error)))
          return here
        default: throw error
        }
      }
      let path =
        if let path = cache.path(file) { path } else { try fetch(file, source, observer) }
      // The branch points to the new commit only when its file is here.
      try cache.setCommit(file.commit, of: reference.revision, reference.repository)
      return path
    }
  }

  private func checkOnline(_ source: Source) throws(HubError) {
    guard !environment.isOffline else { throw .offline(model: source.title) }
  }

  private func fetch(
    _ file: HubFile, _ source: Source, _ observer: @escaping (DownloadState) -> Bool
  ) throws(HubError) -> String {
    if let path = try adopt(file, observer) { return path }
    try checkOnline(source)
    try cache.prepare(file)
    let cache = cache
    return try downloader.fetch(
      DownloadTarget(
        url: file.url(endpoint: environment.endpoint), byteCount: file.byteCount,
        sha256: file.sha256, partial: cache.partial(file), lock: cache.lock(file)
      ) { (partial, _) throws(HubError) in try cache.publish(file, partial: partial) },
      existing: { () throws(HubError) in cache.path(file) }, observer: observer)
  }

  /// Links to the bytes that another revision has already, once they are checked.
  private func adopt(
    _ file: HubFile, _ observer: (DownloadState) -> Bool
  ) throws(HubError) -> String? {
    guard fileSize(cache.blob(file)) == file.byteCount else { return nil }
    var state = DownloadState(.verifying)
    state.receivedBytes = file.byteCount
    state.totalBytes = file.byteCount
    guard
      try ModelHub.sha256(ofFile: cache.blob(file), isCancelled: { !observer(state) })
        == file.sha256
    else { return nil }
    try cache.prepare(file)
    return try cache.link(file)
  }
}
