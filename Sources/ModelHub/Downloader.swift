import CCurl

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where a download stands.
public struct DownloadProgress: Sendable, Equatable {
  public let receivedBytes: Int
  public let totalBytes: Int
}

/// Fetches catalogue files into the hub's cache. Whatever happens, a file is published only when its
/// size and SHA-256 are the pinned ones.
public struct Downloader: Sendable {
  public let environment: HubEnvironment
  public let cache: HubCache
  /// Tries of one file before giving up; each that brought bytes starts the count anew.
  public var tries = 5
  /// Seconds before the second try; doubled for each later one.
  public var firstPause = 1.0

  public init(_ environment: HubEnvironment = .current) {
    self.environment = environment
    cache = HubCache(folder: environment.cacheFolder)
  }

  /// The file of `entry`, fetched where the cache does not have it. Blocks; a cached file costs no
  /// connection.
  ///
  /// - Parameter progress: called now and then with what has come; false cancels.
  public func fetch(_ entry: CatalogueEntry, progress: @escaping (DownloadProgress) -> Bool)
    throws(HubError) -> String
  {
    if let path = cache.path(entry) { return path }
    guard !environment.isOffline else { throw .offline(model: entry.shortName) }
    try cache.prepare(entry)
    let lock = try FileLock(path: cache.lock(entry))
    defer { lock.release() }
    // Another process may have fetched it while this one waited.
    if let path = cache.path(entry) { return path }
    try download(entry, progress)
    return cache.snapshot(entry)
  }

  private func download(
    _ entry: CatalogueEntry, _ progress: @escaping (DownloadProgress) -> Bool
  ) throws(HubError) {
    let url = entry.url(endpoint: environment.endpoint)
    let file = try PartialFile(path: cache.partial(entry), limit: entry.byteCount)
    try checkSpace(entry, have: file.count)
    var left = tries
    var pause = firstPause
    var restarted = false
    while true {
      let before = file.count
      if file.count < entry.byteCount {
        let transfer = Transfer(
          url: url, file: file, size: entry.byteCount, environment: environment
        ) { progress(DownloadProgress(receivedBytes: $0, totalBytes: entry.byteCount)) }
        let outcome = try transfer.run()
        if file.count > before { left = tries }
        let failure: String?
        switch outcome {
        case .complete: failure = nil
        case .interrupted(let reason):
          left -= 1
          failure = reason
        case .unconnected(let reason):
          left -= 2
          failure = reason
        }
        if let failure {
          guard left > 0 else { throw .unreachable(url: url, reason: failure) }
          usleep(UInt32(min(pause, 30) * 1e6))
          pause *= 2
          continue
        }
      }
      if file.count == entry.byteCount, file.sha256 == entry.sha256 { break }
      // Wrong bytes, kept from before or newly come: once more from the start, then give up.
      let found =
        file.count == entry.byteCount ? "SHA-256 \(file.sha256)" : "\(file.count) bytes"
      try file.empty()
      guard !restarted else {
        unlink(file.path)
        throw .wrongContent(
          url: url, found: found, expected: "\(entry.byteCount) bytes of SHA-256 \(entry.sha256)")
      }
      restarted = true
    }
    try file.synchronize()
    try cache.publish(entry)
  }

  private func checkSpace(_ entry: CatalogueEntry, have: Int) throws(HubError) {
    guard let free = cache.freeBytes else { return }
    let needed = entry.byteCount - have
    guard needed <= free else {
      throw .noSpace(path: environment.cacheFolder, needed: needed, free: free)
    }
  }
}

/// An exclusive lock between processes, freed by the system when its holder dies.
private struct FileLock {
  private let descriptor: Int32

  /// Waits for the lock.
  init(path: String) throws(HubError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(path) }
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else {
        let error = HubError.system(path)
        close(descriptor)
        throw error
      }
    }
  }

  func release() { close(descriptor) }
}
