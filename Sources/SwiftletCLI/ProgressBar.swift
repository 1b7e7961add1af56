import Foundation
import Swiftlet

/// How far a download is, on standard error: a bar on a terminal, a line now and then elsewhere.
final class ProgressBar {
  private let title: String
  private let isTerminal = StandardError.isTerminal
  private var firstBytes: Int?
  private var lastShown = -Double.infinity
  private var lastTenth = -1
  private var lastWords = ""
  private var hasBar = false

  init(title: String) { self.title = printable(title) }

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
  func finish() {
    if hasBar { StandardError.write("\n") }
    hasBar = false
  }

  private func words(_ text: String, onlyOnTerminal: Bool = false) {
    guard text != lastWords else { return }
    lastWords = text
    if isTerminal {
      showLine("\(title): \(text)")
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
    let now = monotonicSeconds()
    let share = Double(state.receivedBytes) / Double(max(1, state.totalBytes, state.receivedBytes))
    var numbers = megabytes(state.receivedBytes)
    if state.totalBytes > 0 { numbers += " of \(megabytes(state.totalBytes))" }
    numbers += " MB"
    if let rate = state.bytesPerSecond {
      numbers += String(format: ", %.1f MB/s", rate / 1e6)
    }
    if let left = state.secondsLeft { numbers += ", \(duration(left)) left" }
    guard isTerminal else {
      let tenth = Int(share * 10)
      guard tenth > lastTenth || now - lastShown > 10 else { return }
      (lastTenth, lastShown) = (tenth, now)
      StandardError.write("\(title): \(numbers)\n")
      return
    }
    guard now - lastShown > 0.1 || share == 1 else { return }
    lastShown = now
    let filled = Int(share * 20)
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
    let whole = "\(title) [\(bar)] \(numbers)"
    showLine(whole.count < width ? whole : "\(Int(share * 100)) % \(numbers)")
  }

  /// Writes over the bar's line, cut to the terminal's width: a line that wraps cannot be written over.
  private func showLine(_ text: String) {
    hasBar = true
    StandardError.write("\r\(text.prefix(max(10, width - 1)))\u{1B}[K")
  }

  private var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private func duration(_ seconds: Double) -> String {
    let whole = Int(min(seconds.rounded(.up), 359_999))
    return whole < 60
      ? "\(whole) s"
      : whole < 3600
        ? String(format: "%d:%02d", whole / 60, whole % 60)
        : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
  }
}

/// Millions of bytes, with one digit after the point.
func megabytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / 1e6) }
