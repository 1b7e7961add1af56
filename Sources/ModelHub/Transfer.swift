import CCurl

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One HTTP request that continues a partial file.
final class Transfer {
  enum Outcome: Equatable {
    /// The server said all it had to say.
    case complete
    /// Worth another try.
    case interrupted(String)
    /// There was no connection: worth fewer tries.
    case unconnected(String)
  }

  private let url: String
  private let file: PartialFile
  private let size: Int
  private let environment: HubEnvironment
  private let progress: (Int) -> Bool
  private let start: Int
  private var contentRangeStart: Int?
  private var isChecked = false
  private var failure: HubError?

  /// - Parameters:
  ///   - size: bytes of the whole file.
  ///   - progress: called with the bytes on disk; false cancels.
  init(
    url: String, file: PartialFile, size: Int, environment: HubEnvironment,
    progress: @escaping (Int) -> Bool
  ) {
    self.url = url
    self.file = file
    self.size = size
    self.environment = environment
    self.progress = progress
    start = file.count
  }

  func run() throws(HubError) -> Outcome {
    guard let handle = curl_easy_init() else {
      throw .unreachable(url: url, reason: "libcurl does not start")
    }
    defer { curl_easy_cleanup(handle) }
    configure(handle)
    let code = curl_easy_perform(handle)
    let status = Int(swiftlet_curl_response_code(handle))
    if let failure { throw failure }
    if code == CURLE_OK { return .complete }
    if code == CURLE_ABORTED_BY_CALLBACK { throw .cancelled }
    let reason = String(cString: curl_easy_strerror(code))
    if code == CURLE_HTTP_RETURNED_ERROR {
      // 416: the partial is not a start of this file, or is all of it; the caller checks the hash.
      if status == 416 { return .complete }
      if [408, 429, 500, 502, 503, 504, 522, 524].contains(status) {
        return .interrupted("HTTP status \(status)")
      }
      throw .refused(url: url, status: status)
    }
    // Certificates that do not check out stay so; everything else may be a passing fault.
    if code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_UNSUPPORTED_PROTOCOL
      || code == CURLE_URL_MALFORMAT || code == CURLE_TOO_MANY_REDIRECTS
    {
      throw .unreachable(url: url, reason: reason)
    }
    if code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT {
      return .unconnected(reason)
    }
    return .interrupted(reason)
  }

  private func configure(_ handle: UnsafeMutableRawPointer) {
    func set(_ option: CURLoption, _ value: String) {
      _ = swiftlet_curl_set_string(handle, option, value)
    }
    func set(_ option: CURLoption, _ value: Int) {
      _ = swiftlet_curl_set_long(handle, option, value)
    }
    set(CURLOPT_URL, url)
    set(CURLOPT_USERAGENT, "swiftlet/0.1")
    set(CURLOPT_FOLLOWLOCATION, 1)
    set(CURLOPT_MAXREDIRS, 10)
    // A redirect may not leave TLS; only an endpoint that is plain http itself may stay so.
    let protocols = environment.endpoint.hasPrefix("http://") ? "http,https" : "https"
    set(CURLOPT_PROTOCOLS_STR, protocols)
    set(CURLOPT_REDIR_PROTOCOLS_STR, protocols)
    set(CURLOPT_FAILONERROR, 1)
    set(CURLOPT_CONNECTTIMEOUT, 10)
    set(CURLOPT_LOW_SPEED_LIMIT, 1)
    set(CURLOPT_LOW_SPEED_TIME, 30)
    set(CURLOPT_NOSIGNAL, 1)
    if start > 0 { set(CURLOPT_RANGE, "\(start)-") }
    if let token = environment.token {
      _ = swiftlet_curl_set_bearer(handle, token)
    }
    let context = Unmanaged.passUnretained(self).toOpaque()
    _ = swiftlet_curl_set_data(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      guard let bytes, let context else { return 0 }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      return transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
        ? size * count : 0
    }
    _ = swiftlet_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
    _ = swiftlet_curl_set_data(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      guard let bytes, let context else { return 0 }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
      transfer.readHeader(String(decoding: line, as: UTF8.self))
      return size * count
    }
    _ = swiftlet_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
    set(CURLOPT_NOPROGRESS, 0)
    _ = swiftlet_curl_set_progress(handle) { context, _, _, _, _ in
      guard let context else { return 1 }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      return transfer.progress(transfer.file.count) ? 0 : 1
    }
    _ = swiftlet_curl_set_pointer(handle, CURLOPT_XFERINFODATA, context)
  }

  /// Remembers where a partial answer starts. Each answer of a chain of redirects has its own headers.
  private func readHeader(_ line: String) {
    let lower = line.lowercased()
    if lower.hasPrefix("http/") { contentRangeStart = nil }
    guard lower.hasPrefix("content-range:") else { return }
    let digits = lower.drop { !$0.isNumber }.prefix { $0.isNumber }
    contentRangeStart = Int(digits)
  }

  /// False stops the transfer; `failure` then says why.
  private func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    do {
      if !isChecked {
        isChecked = true
        if start > 0, contentRangeStart != start {
          guard contentRangeStart == nil else {
            throw HubError.wrongContent(
              url: url, found: "bytes from \(contentRangeStart ?? 0)", expected: "from \(start)")
          }
          // The server ignored the range and sends the whole file.
          try file.empty()
        }
      }
      guard file.count + bytes.count <= size else {
        throw HubError.wrongContent(
          url: url, found: "more than \(size) bytes", expected: "\(size) bytes")
      }
      try file.append(bytes)
      return true
    } catch let error as HubError {
      failure = error
      return false
    } catch {
      return false
    }
  }
}
