import Foundation
import Swiftlet

/// How far a download is, on standard error: a bar on a terminal, a line every ten percent elsewhere.
final class ProgressBar {
  private let title: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = monotonicSeconds()
  private var firstBytes: Int?
  private var lastShown = 0.0
  private var lastTenth = -1
  private var hasBar = false

  init(title: String) { self.title = title }

  func show(_ progress: DownloadProgress) {
    let first = firstBytes ?? progress.receivedBytes
    firstBytes = first
    // Nothing has come in yet: if nothing ever does, the error is all there is to say.
    guard progress.receivedBytes > first else { return }
    let now = monotonicSeconds()
    let share = Double(progress.receivedBytes) / Double(max(1, progress.totalBytes))
    let rate = Double(progress.receivedBytes - first) / max(now - start, 1e-3)
    let left = rate > 0 ? Double(progress.totalBytes - progress.receivedBytes) / rate : 0
    let numbers =
      "\(megabytes(progress.receivedBytes)) of \(megabytes(progress.totalBytes)) MB, "
      + String(format: "%.1f MB/s, %.0f s left", rate / 1e6, left)
    if isTerminal {
      guard now - lastShown > 0.1 || share == 1 else { return }
      lastShown = now
      hasBar = true
      let filled = Int(share * 20)
      let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
      StandardError.write("\r\(title) [\(bar)] \(numbers)\u{1B}[K")
    } else {
      let tenth = Int(share * 10)
      guard tenth > lastTenth else { return }
      lastTenth = tenth
      StandardError.write("\(title): \(numbers)\n")
    }
  }

  /// Leaves the bar's line.
  func finish() {
    if hasBar { StandardError.write("\n") }
    hasBar = false
  }

  private func megabytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / 1e6) }
}
