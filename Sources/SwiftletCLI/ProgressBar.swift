import Swiftlet

/// How far a download is, on standard error: a bar on a terminal, a line now and then elsewhere.
final class ProgressBar {
  private let title: String
  private let line: ProgressLine
  private var firstBytes: Int?
  private var lastWords = ""

  init(title: String) {
    self.title = printable(title)
    line = ProgressLine(title: title)
  }

  func show(_ state: DownloadState) {
    switch state.phase {
    case .resolving: words("asking the hub")
    case .waiting: words("waiting for another process that fetches the same file")
    case .downloading: bytes(state)
    case .verifying: words("checking \(megabytes(state.receivedBytes)) MB", onlyOnTerminal: true)
    case .unrefreshed(let error):
      finish()
      StandardError.write(
        "swiftlet: \(printable("\(error)", limit: .max)); using the file that is here\n")
    case .ready, .failed: finish()
    }
  }

  /// Leaves the bar's line.
  func finish() { line.finish() }

  private func words(_ text: String, onlyOnTerminal: Bool = false) {
    guard text != lastWords else { return }
    lastWords = text
    if line.isTerminal {
      line.write("\(title): \(text)")
    } else if !onlyOnTerminal {
      StandardError.write("\(title): \(text)\n")
    }
  }

  private func bytes(_ state: DownloadState) {
    let first = firstBytes ?? state.receivedBytes
    firstBytes = first
    // Nothing has come in yet: if nothing ever does, the error is all there is to say.
    guard state.receivedBytes != first else { return }
    lastWords = ""
    let share = Double(state.receivedBytes) / Double(max(1, state.totalBytes, state.receivedBytes))
    var numbers = megabytes(state.receivedBytes)
    if state.totalBytes > 0 { numbers += " of \(megabytes(state.totalBytes))" }
    numbers += " MB"
    if let rate = state.bytesPerSecond {
      numbers += formatted(", %.1f MB/s", rate / 1e6)
    }
    if let left = state.secondsLeft { numbers += ", \(duration(left)) left" }
    line.show(share: share, numbers)
  }

  private func duration(_ seconds: Double) -> String {
    let whole = Int(min(seconds.rounded(.up), 359_999))
    return whole < 60
      ? "\(whole) s"
      : whole < 3600
        ? formatted("%d:%02d", whole / 60, whole % 60)
        : formatted("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
  }
}

/// Millions of bytes, with one digit after the point.
func megabytes(_ bytes: Int) -> String { formatted("%.1f", Double(bytes) / 1e6) }
