/// Where a download stands.
public struct DownloadState: Sendable, Equatable {
  /// What is being done.
  public enum Phase: Sendable, Equatable {
    /// The hub is asked which file is meant.
    case resolving
    /// Another process is fetching the same file.
    case waiting
    /// Bytes are coming.
    case downloading
    /// All bytes are there; their hash is checked.
    case verifying
    /// The hub could not be asked what a branch means now; the file that is here is used.
    case unrefreshed(HubError)
    /// The file is at this path.
    case ready(path: String)
    /// It ended with an error.
    case failed(HubError)

    /// Whether nothing comes after it.
    public var isFinal: Bool {
      switch self {
      case .ready, .failed: true
      default: false
      }
    }
  }

  /// What is being done.
  public var phase: Phase
  /// Bytes that are on the disk, of earlier tries too.
  public var receivedBytes = 0
  /// 0 where it is not known.
  public var totalBytes = 0
  /// Bytes a second over the last seconds; nil before there is anything to measure.
  public var bytesPerSecond: Double?

  /// A state without a file and without bytes.
  public init(_ phase: Phase) { self.phase = phase }

  /// Seconds until all bytes are there at this rate.
  public var secondsLeft: Double? {
    guard let bytesPerSecond, bytesPerSecond > 0, totalBytes > 0 else { return nil }
    return Double(totalBytes - receivedBytes) / bytesPerSecond
  }
}

/// The speed of something that grows, over about the last five seconds.
struct RateMeter {
  private var marks: [(seconds: Double, bytes: Int)] = []

  /// Takes in that there were `bytes` at `seconds`.
  mutating func add(_ bytes: Int, at seconds: Double) {
    // Fewer bytes than before: it starts over.
    if let last = marks.last, bytes < last.bytes { marks = [] }
    // Four marks a second are enough: a mark close behind another one moves on.
    if marks.count > 1, marks[marks.count - 1].seconds - marks[marks.count - 2].seconds < 0.25 {
      marks.removeLast()
    }
    marks.append((seconds, bytes))
    while marks.count > 2, seconds - marks[0].seconds > 5 { marks.removeFirst() }
  }

  /// Bytes a second; nil before there is a quarter of a second to tell from.
  var bytesPerSecond: Double? {
    guard let first = marks.first, let last = marks.last, last.seconds - first.seconds >= 0.25
    else { return nil }
    return Double(last.bytes - first.bytes) / (last.seconds - first.seconds)
  }
}
