extension ModelLibrary {
  /// Bytes of a file's beginning at most.
  private static let longestBeginning = 64 << 20
  private static let firstPart = 256 << 10

  /// Reads the beginning of a file that lies on a server, twice as much each time, until it is enough.
  /// Nothing of it is kept.
  ///
  /// - Parameter isEnough: told the bytes so far and the length of the whole file; what it throws is thrown.
  /// - Throws: `HubError`, as `fetch`; `.malformedAnswer` where the server does not tell the length, or 64 MiB
  ///   are not enough.
  public func readBeginning(
    of source: Source, isCancelled: @escaping () -> Bool = { false },
    isEnough: ([UInt8], Int) throws -> Bool
  ) throws {
    let url = try address(of: source, isCancelled)
    var bytes: [UInt8] = []
    var total: Int?
    var end = Self.firstPart
    while true {
      try read(url, into: &bytes, to: min(end, total ?? .max), &total, isCancelled)
      guard let total else {
        throw HubError.malformedAnswer(url: url, reason: "the length of the file is not told")
      }
      if try isEnough(bytes, total) { return }
      guard bytes.count < total, end < Self.longestBeginning else {
        throw HubError.malformedAnswer(url: url, reason: "a header of more than \(end) bytes")
      }
      end *= 2
    }
  }

  /// Where the file of `source` lies on a server.
  private func address(of source: Source, _ isCancelled: @escaping () -> Bool) throws(HubError)
    -> String
  {
    let environment = configuration.environment
    guard !environment.isOffline else { throw .offline(model: source.title) }
    switch source.place {
    case .pinned(let file): return file.url(endpoint: environment.endpoint)
    case .web(let url): return url
    case .local(let path): throw .system(path)
    case .repository(let reference):
      return try HubIndex(environment: environment, downloader: downloader)
        .resolve(reference, isCancelled: isCancelled).url(endpoint: environment.endpoint)
    }
  }

  /// Appends what is missing up to `end`.
  private func read(
    _ url: String, into bytes: inout [UInt8], to end: Int, _ total: inout Int?,
    _ isCancelled: @escaping () -> Bool
  ) throws(HubError) {
    var tries = 4
    var pause = 0.5
    while bytes.count < end, total.map({ bytes.count < $0 }) ?? true {
      var part: [UInt8] = []
      let (start, wanted) = (bytes.count, end - bytes.count)
      // Where a server answers with the whole file, what comes before is skipped and what comes after is
      // not waited for.
      var skipped = 0
      var isFull = false
      let transfer = HTTPTransfer(
        url: url, environment: configuration.environment, limits: downloader.limits,
        isCancelled: { isFull || isCancelled() }
      ) { (response, received) throws(HubError) in
        if response.status == 206, response.rangeStart != start {
          throw .malformedAnswer(url: url, reason: "bytes from another place than asked for")
        }
        var received = received[...]
        if response.status == 200, skipped < start {
          let count = min(start - skipped, received.count)
          skipped += count
          received = received.dropFirst(count)
        }
        part.append(contentsOf: received.prefix(wanted - part.count))
        isFull = part.count == wanted
      }
      var verdict = Downloader.Verdict.complete
      do throws(HubError) {
        verdict = try downloader.verdict(try transfer.run(from: start, to: end), url)
      } catch .cancelled where isFull {
        // All that was wanted is here.
      }
      let response = transfer.response
      total =
        response.rangeTotal ?? (response.status == 200 ? response.contentLength : nil) ?? total
      bytes += part
      if case .retry(let reason, _) = verdict {
        tries -= 1
        guard tries > 0 else { throw .unreachable(url: url, reason: reason) }
        try downloader.wait(&pause, response.retryAfter, isCancelled)
      } else if part.isEmpty {
        return
      }
    }
  }
}
