#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What is to be fetched, what it must be, and where it goes.
struct DownloadTarget: Sendable {
  let url: String
  /// nil where nobody knows it beforehand; the server's word is taken then.
  let byteCount: Int?
  let sha256: String?
  /// The unfinished file, in the folder that the finished one goes to.
  let partial: String
  let lock: String
  /// Gives the checked file its final name, in one step, and returns that; (partial's path, SHA-256).
  let publish: @Sendable (String, String) throws(HubError) -> String
}

/// Fetches files. Whatever happens, one is published only when its size and SHA-256 are right, as far
/// as they are known, and a broken-off try is taken up where it stopped.
public struct Downloader: Sendable {
  let environment: HubEnvironment
  /// Tries of one file before giving up; one that brought a fair part starts the count anew.
  public var tries = 5
  /// Seconds before the second try; doubled for each later one, up to `longestPause`.
  public var firstPause = 1.0
  /// Seconds; also the most that a server's Retry-After is obeyed.
  public var longestPause = 30.0
  /// How long transfers wait, and how slow they may be.
  public var limits = TransferLimits()
  var calls = FileCalls()

  /// Downloads as `environment` says.
  public init(_ environment: HubEnvironment = .current) {
    self.environment = environment
    if let seconds = environment.stallSeconds { limits.stallSeconds = seconds }
  }

  /// Fetches `target`, unless `existing` finds it when this process's turn has come. Blocks.
  ///
  /// - Parameters:
  ///   - existing: where the finished file is; asked again once other processes are done.
  ///   - observer: told of every step, several times a second; false cancels.
  /// - Returns: what `publish` returned, or `existing`.
  func fetch(
    _ target: DownloadTarget, existing: () throws(HubError) -> String?,
    observer: @escaping (DownloadState) -> Bool
  ) throws(HubError) -> String {
    let lock = try FileLock(path: target.lock, calls: calls) { observer(DownloadState(.waiting)) }
    // Another process may have fetched it while this one waited.
    if let path = try existing() { return path }
    // Where locks do nothing, two processes must not write to one file.
    let partial =
      lock.isReal
      ? target.partial : "\(target.partial).\(getpid()).\(UInt32.random(in: .min ... .max))"
    let run = DownloadRun(target, partial: partial, self, observer)
    defer { if !lock.isReal { unlink(partial) } }
    return try run.run()
  }

  /// The body of `url`, which is text of at most `limit` bytes.
  ///
  /// - Throws: as `fetch`; `.malformedAnswer` where it is longer.
  func text(
    of url: String, limit: Int, isCancelled: @escaping () -> Bool
  ) throws(HubError) -> [UInt8] {
    var left = tries
    var pause = firstPause
    let deadline = limits.totalSeconds.map { seconds() + $0 }
    while true {
      var body: [UInt8] = []
      let transfer = HTTPTransfer(
        url: url, environment: environment, limits: limits, isCancelled: isCancelled
      ) { (_, bytes) throws(HubError) in
        guard body.count + bytes.count <= limit else {
          throw .malformedAnswer(url: url, reason: "more than \(limit) bytes")
        }
        body += bytes
      }
      let end = try transfer.run()
      guard case .retry(let reason, let cost) = try verdict(end, url) else { return body }
      left -= cost
      guard left > 0, deadline.map({ seconds() < $0 }) ?? true else {
        throw .unreachable(url: url, reason: reason)
      }
      try wait(&pause, transfer.response.retryAfter, isCancelled)
    }
  }

  enum Verdict {
    case complete
    case retry(String, cost: Int)
  }

  /// What an end means; 416 is for the caller to understand.
  func verdict(_ end: HTTPTransfer.End, _ url: String) throws(HubError) -> Verdict {
    switch end {
    case .complete, .refused(416): return .complete
    case .interrupted(let reason): return .retry(reason, cost: 1)
    case .unconnected(let reason): return .retry(reason, cost: 2)
    case .refused(let status):
      guard [408, 429, 500, 502, 503, 504, 522, 524].contains(status) else {
        throw .refused(url: url, status: status)
      }
      return .retry("HTTP status \(status)", cost: 1)
    }
  }

  /// Sleeps before another try, as long as the server says or twice as long as the last time.
  func wait(
    _ pause: inout Double, _ retryAfter: Double?, _ isCancelled: () -> Bool
  ) throws(HubError) {
    let until = seconds() + min(max(retryAfter ?? pause, 0), longestPause)
    pause = min(pause * 2, longestPause)
    while true {
      guard !isCancelled() else { throw .cancelled }
      let left = until - seconds()
      guard left > 0 else { return }
      usleep(UInt32(min(left, 0.1) * 1e6))
    }
  }
}

/// One file's way from nothing to its place.
private final class DownloadRun {
  private let target: DownloadTarget
  private let partial: String
  private let downloader: Downloader
  private let observer: (DownloadState) -> Bool
  private var rate = RateMeter()
  /// Bytes of the whole file, once it is known.
  private var total: Int?
  private var isAnswerChecked = false
  /// What makes the bytes that come useless.
  private var fault: String?
  /// Whether the server confirmed that what is there is the whole file.
  private var isConfirmed = false
  /// The most bytes that were ever there.
  private var furthest = 0

  init(
    _ target: DownloadTarget, partial: String, _ downloader: Downloader,
    _ observer: @escaping (DownloadState) -> Bool
  ) {
    self.target = target
    self.partial = partial
    self.downloader = downloader
    self.observer = observer
    total = target.byteCount
  }

  func run() throws(HubError) -> String {
    let file = try PartialFile(
      path: partial, limit: target.byteCount ?? HubFile.largest, calls: downloader.calls
    ) { count in
      var state = DownloadState(.verifying)
      state.receivedBytes = count
      return !self.observer(state)
    }
    furthest = file.count
    let limits = downloader.limits
    let deadline = limits.totalSeconds.map { seconds() + $0 }
    var left = downloader.tries
    var pause = downloader.firstPause
    var mayRestart = true
    try checkSpace(have: file.count)
    while true {
      // Without a hash nothing but its entity tag says that a partial is of the file of today.
      if target.sha256 == nil, file.count > 0, file.etag == nil { try file.empty() }
      // A partial that is whole already only has to be checked.
      if target.sha256 == nil || file.count < total ?? 0 {
        let transfer = transfer(into: file)
        let end: HTTPTransfer.End
        do throws(HubError) {
          end = try transfer.run(from: file.count, ifRange: file.etag)
        } catch .wrongContent where fault != nil {
          end = .complete
        }
        // One that breaks off ever earlier or later, from the start each time, is not getting on.
        if file.count - furthest >= limits.stallSeconds * limits.slowestBytesPerSecond
          || file.count == total
        {
          left = downloader.tries
          pause = downloader.firstPause
        }
        furthest = max(furthest, file.count)
        if case .retry(let reason, let cost) = try verdict(end, file) {
          left -= cost
          guard left > 0, deadline.map({ seconds() < $0 }) ?? true else {
            throw .unreachable(url: target.url, reason: reason)
          }
          try downloader.wait(&pause, transfer.response.retryAfter) { !report(.downloading, file) }
          continue
        }
        if case .refused = end {
          isConfirmed = transfer.response.rangeTotal == file.count
          if !isConfirmed, target.sha256 == nil { fault = "HTTP status 416" }
        }
      }
      guard report(.verifying, file) else { throw .cancelled }
      guard let found = fault ?? mismatch(file) else { break }
      // Wrong bytes, kept from before or newly come: once more from the start, then no more.
      guard mayRestart else {
        file.remove()
        throw .wrongContent(url: target.url, found: found, expected: expectation)
      }
      mayRestart = false
      fault = nil
      isConfirmed = false
      total = target.byteCount
      try file.empty()
    }
    try file.synchronize()
    guard file.isInPlace else {
      throw .fileSystem(path: partial, reason: "removed or replaced while it was being fetched")
    }
    file.forgetTag()
    return try target.publish(partial, file.sha256)
  }

  /// What an end means: one that is clean and short is a break, too.
  private func verdict(
    _ end: HTTPTransfer.End, _ file: PartialFile
  ) throws(HubError) -> Downloader.Verdict {
    let verdict = try downloader.verdict(end, target.url)
    guard case .complete = end, fault == nil, let total, file.count < total else { return verdict }
    return .retry("\(file.count) of \(total) bytes", cost: 1)
  }

  private func transfer(into file: PartialFile) -> HTTPTransfer {
    let start = file.count
    isAnswerChecked = false
    return HTTPTransfer(
      url: target.url, environment: downloader.environment, limits: downloader.limits,
      isCancelled: { [self] in !report(.downloading, file) }
    ) { [self] (response, bytes) throws(HubError) in
      if !isAnswerChecked {
        isAnswerChecked = true
        try check(response, start: start, file)
      }
      guard file.count + bytes.count <= total ?? HubFile.largest else {
        throw stop("more than \(total ?? HubFile.largest) bytes")
      }
      try file.append(bytes)
      if file.beginning.count >= 4, !looksRight(file) { throw stop(firstLine(of: file)) }
    }
  }

  /// Looks at what the server says of the bytes that are about to come.
  private func check(_ response: HTTPResponse, start: Int, _ file: PartialFile) throws(HubError) {
    if response.status == 206 {
      guard let from = response.rangeStart, from == start else {
        throw stop("bytes from \(response.rangeStart.map(String.init) ?? "nowhere"), not \(start)")
      }
      if let length = response.rangeTotal {
        guard length == total ?? length else { throw stop("a file of \(length) bytes") }
        total = length
      }
      if start == 0 {
        file.remember(etag: response.etag)
      } else if target.sha256 == nil, response.etag != file.etag {
        throw stop("bytes of a file that has changed")
      }
      isConfirmed = true
      return
    }
    guard response.status == 200 else { throw stop("HTTP status \(response.status)") }
    // The whole file, whether asked for or because the range or its condition was not accepted.
    if start > 0 { try file.empty() }
    if target.byteCount == nil { total = response.isEncoded ? nil : response.contentLength }
    isConfirmed = true
    file.remember(etag: response.etag)
    try checkSpace(have: 0)
  }

  /// Marks what came as useless.
  private func stop(_ found: String) -> HubError {
    fault = found
    return .wrongContent(url: target.url, found: found, expected: expectation)
  }

  private func looksRight(_ file: PartialFile) -> Bool {
    file.beginning.starts(with: Array("GGUF".utf8))
  }

  /// What a server sent in place of a GGUF file: often a page that says why.
  private func firstLine(of file: PartialFile) -> String {
    let line = file.beginning.prefix { $0 != 0x0A && $0 != 0x0D }.prefix(100)
    let isText = line.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    return isText
      ? "\"\(String(decoding: line, as: UTF8.self))\"" : "bytes that do not begin with GGUF"
  }

  /// What is wrong with the finished file; nil where all is as it has to be.
  private func mismatch(_ file: PartialFile) -> String? {
    guard file.count > 0, file.count == total ?? file.count else { return "\(file.count) bytes" }
    guard looksRight(file) else { return firstLine(of: file) }
    guard target.sha256 != nil || isConfirmed else { return "no bytes" }
    guard let wanted = target.sha256, wanted != file.sha256 else { return nil }
    return "SHA-256 \(file.sha256)"
  }

  private var expectation: String {
    var text = total.map { "\($0) bytes" } ?? "a GGUF file"
    if let sha256 = target.sha256 { text += " of SHA-256 \(sha256)" }
    return text
  }

  private func checkSpace(have: Int) throws(HubError) {
    guard let total, let free = downloader.calls.freeBytes(target.partial) else { return }
    let needed = total - have
    guard needed <= free else { throw .noSpace(path: target.partial, needed: needed, free: free) }
  }

  /// False where the observer has had enough.
  private func report(_ phase: DownloadState.Phase, _ file: PartialFile) -> Bool {
    rate.add(file.count, at: seconds())
    var state = DownloadState(phase)
    state.receivedBytes = file.count
    state.totalBytes = total ?? 0
    state.bytesPerSecond = rate.bytesPerSecond
    return observer(state)
  }
}

private let processStart = ContinuousClock.now

/// Seconds on a clock that only goes forward.
private func seconds() -> Double { (ContinuousClock.now - processStart) / .seconds(1) }
