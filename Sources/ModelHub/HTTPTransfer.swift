import CCurl

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What a server said before the body.
struct HTTPResponse: Sendable, Equatable {
  var status = 0
  var etag: String?
  /// Of a 206 or 416: where the bytes start, and the whole length where it is told.
  var rangeStart: Int?
  var rangeTotal: Int?
  var contentLength: Int?
  /// Whether the body is compressed on its way, so that its length says nothing of the file's.
  var isEncoded = false
  /// Seconds until the server wants to be asked again.
  var retryAfter: Double?

  /// Takes in a line of headers. Each answer of a chain of redirects starts anew.
  mutating func read(_ line: String) {
    let line = line.filter { $0 != "\r" && $0 != "\n" && $0 != "\r\n" }
    if line.hasPrefix("HTTP/") {
      self = HTTPResponse()
      status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      return
    }
    guard let colon = line.firstIndex(of: ":") else { return }
    var value = line[line.index(after: colon)...]
    while value.first == " " || value.first == "\t" { value.removeFirst() }
    switch line[..<colon].lowercased() {
    case "etag": etag = String(value)
    case "content-length": contentLength = Int(value)
    case "content-encoding": isEncoded = value.lowercased() != "identity"
    case "retry-after": retryAfter = Double(value)
    case "content-range":
      // "bytes 5-9/10", "bytes 5-9/*" or "bytes */10" (RFC 9110, section 14.4).
      let parts = value.drop { $0 != " " }.dropFirst().split(separator: "/")
      rangeStart = parts.first?.split(separator: "-").first.flatMap { Int($0) }
      rangeTotal = parts.count > 1 ? Int(parts[1]) : nil
    default: break
    }
  }
}

/// Limits that no transfer exceeds.
public struct TransferLimits: Sendable, Equatable {
  /// Seconds to wait for a connection.
  public var connectSeconds = 10
  /// A transfer that is slower than `slowestBytesPerSecond` for this long is given up, and resumed.
  public var stallSeconds = 30
  /// A transfer that is slower for a while counts as broken.
  public var slowestBytesPerSecond = 1024
  /// All tries of one file together; nil is without end.
  public var totalSeconds: Double?

  /// The limits that downloads have by default.
  public init() {}
}

/// One GET request through libcurl, on the calling thread.
///
/// Redirects are followed, only to https unless the endpoint itself is http; the token goes to the
/// endpoint's host alone (libcurl takes a bearer back where a redirect leaves host, scheme or port).
final class HTTPTransfer {
  enum End: Equatable {
    /// The server said all that it had to say, with a status below 400.
    case complete
    /// Worth another try.
    case interrupted(String)
    /// There was no connection: worth fewer tries.
    case unconnected(String)
    /// A status of 400 and more.
    case refused(Int)
  }

  private let url: String
  private let environment: HubEnvironment
  private let limits: TransferLimits
  private let onBody: (HTTPResponse, UnsafeRawBufferPointer) throws(HubError) -> Void
  private let isCancelled: () -> Bool
  private(set) var response = HTTPResponse()
  private var failure: HubError?

  /// - Parameters:
  ///   - onBody: gets the bytes as they come, decoded; what it throws ends the transfer.
  ///   - isCancelled: asked about once a second and whenever bytes come.
  init(
    url: String, environment: HubEnvironment, limits: TransferLimits,
    isCancelled: @escaping () -> Bool,
    onBody: @escaping (HTTPResponse, UnsafeRawBufferPointer) throws(HubError) -> Void
  ) {
    self.url = url
    self.environment = environment
    self.limits = limits
    self.isCancelled = isCancelled
    self.onBody = onBody
  }

  /// - Parameters:
  ///   - start: the first byte that is wanted.
  ///   - end: the byte after the last one; nil is the file's end.
  ///   - ifRange: the entity tag that the bytes before it came with.
  /// - Throws: what `onBody` threw; `.cancelled`; `.unreachable` where another try is no use.
  func run(from start: Int = 0, to end: Int? = nil, ifRange: String? = nil) throws(HubError) -> End
  {
    guard let curl = Curl.shared else {
      throw .unreachable(url: url, reason: Connectivity.missingLibrary)
    }
    guard let handle = curl.makeHandle() else {
      throw .unreachable(url: url, reason: "libcurl does not start")
    }
    defer { curl.cleanUp(handle) }
    configure(handle, curl)
    var headers: Curl.List?
    defer { curl.freeList(headers) }
    if start > 0 || end != nil {
      let last = end.map { String($0 - 1) } ?? ""
      curl.set(handle, CURLOPT_RANGE, "\(start)-\(last)")
      if let ifRange {
        headers = curl.makeList("If-Range: \(ifRange)")
        curl.set(handle, CURLOPT_HTTPHEADER, pointer: headers)
      }
    }
    let (code, reason) = perform(handle, curl)
    if let failure { throw failure }
    switch code {
    case CURLE_OK: return .complete
    case CURLE_ABORTED_BY_CALLBACK: throw .cancelled
    case CURLE_HTTP_RETURNED_ERROR: return .refused(curl.responseCode(handle))
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT:
      return .unconnected(reason)
    // Certificates that do not check out stay so; so do these.
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT,
      CURLE_TOO_MANY_REDIRECTS, CURLE_SSL_CACERT_BADFILE:
      throw .unreachable(url: url, reason: reason)
    default: return .interrupted(reason)
    }
  }

  /// - Returns: how it ended, and in libcurl's words why.
  private func perform(_ handle: Curl.Handle, _ curl: Curl) -> (CURLcode, String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { words in
      words.initialize(repeating: 0)
      curl.set(handle, CURLOPT_ERRORBUFFER, pointer: words.baseAddress)
      let code = withoutBrokenPipeSignal { curl.perform(handle) }
      curl.set(handle, CURLOPT_ERRORBUFFER, pointer: nil)
      let detail = String(
        decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return (code, detail.isEmpty ? curl.reason(code) : detail)
    }
  }

  /// The protocols that a request to `url` and its redirects may use.
  static func protocols(for url: String) -> String {
    url.lowercased().hasPrefix("http://") ? "http,https" : "https"
  }

  private func configure(_ handle: Curl.Handle, _ curl: Curl) {
    func set(_ option: CURLoption, _ value: String) { curl.set(handle, option, value) }
    func set(_ option: CURLoption, _ value: Int) { curl.set(handle, option, value) }
    set(CURLOPT_URL, url)
    set(CURLOPT_USERAGENT, "swiftlet/0.1")
    set(CURLOPT_FOLLOWLOCATION, 1)
    set(CURLOPT_MAXREDIRS, 10)
    set(CURLOPT_PROTOCOLS_STR, Self.protocols(for: url))
    set(CURLOPT_REDIR_PROTOCOLS_STR, Self.protocols(for: url))
    set(CURLOPT_FAILONERROR, 1)
    set(CURLOPT_CONNECTTIMEOUT, limits.connectSeconds)
    set(CURLOPT_LOW_SPEED_LIMIT, limits.slowestBytesPerSecond)
    set(CURLOPT_LOW_SPEED_TIME, limits.stallSeconds)
    set(CURLOPT_NOSIGNAL, 1)
    // Nothing compressed is asked for; what is sent so all the same is decoded, and counted decoded.
    set(CURLOPT_ACCEPT_ENCODING, "identity")
    if let token = environment.token, url.hasPrefix(environment.endpoint + "/") {
      curl.set(handle, bearer: token)
    }
    let context = Unmanaged.passUnretained(self).toOpaque()
    curl.set(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      guard let bytes, let context else { return 0 }
      let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
      let body = UnsafeRawBufferPointer(start: bytes, count: size * count)
      do throws(HubError) {
        try transfer.onBody(transfer.response, body)
        return size * count
      } catch {
        transfer.failure = error
        // Another number than came in stops the transfer.
        return size * count == 0 ? 1 : 0
      }
    }
    curl.set(handle, CURLOPT_WRITEDATA, pointer: context)
    curl.set(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      guard let bytes, let context else { return 0 }
      let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
      let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
      transfer.response.read(String(decoding: line, as: UTF8.self))
      return size * count
    }
    curl.set(handle, CURLOPT_HEADERDATA, pointer: context)
    set(CURLOPT_NOPROGRESS, 0)
    curl.set(handle) { context, _, _, _, _ in
      guard let context else { return 1 }
      let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
      return transfer.isCancelled() ? 1 : 0
    }
    curl.set(handle, CURLOPT_XFERINFODATA, pointer: context)
  }

  /// Runs `body` with SIGPIPE held back on this thread: TLS libraries write to sockets that may be
  /// closed, and `CURLOPT_NOSIGNAL` does not cover that.
  private func withoutBrokenPipeSignal(_ body: () -> CURLcode) -> CURLcode {
    #if canImport(Glibc)
      var pipe = sigset_t()
      var before = sigset_t()
      sigemptyset(&pipe)
      sigaddset(&pipe, SIGPIPE)
      pthread_sigmask(SIG_BLOCK, &pipe, &before)
      defer {
        var now = timespec()
        while sigtimedwait(&pipe, nil, &now) == SIGPIPE {}
        pthread_sigmask(SIG_SETMASK, &before, nil)
      }
      return body()
    #else
      return body()
    #endif
  }
}
