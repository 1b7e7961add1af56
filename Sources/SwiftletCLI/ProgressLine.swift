import Swiftlet

/// How far something is, on standard error: a bar on a terminal, a line for every tenth elsewhere.
final class ProgressLine {
  let isTerminal = StandardError.isTerminal
  private let title: String
  private var lastShown = -Double.infinity
  private var lastTenth = -1
  private var hasBar = false

  init(title: String) { self.title = printable(title) }

  /// - Parameters:
  ///   - share: from 0 to 1.
  ///   - numbers: the same in the user's terms.
  func show(share: Double, _ numbers: String) {
    let now = monotonicSeconds()
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
    write(whole.count < width ? whole : "\(Int(share * 100)) % \(numbers)")
  }

  /// Writes over the bar's line, cut to the terminal's width: a line that wraps cannot be written over.
  func write(_ text: String) {
    hasBar = true
    StandardError.write("\r\(text.prefix(max(10, width - 1)))\u{1B}[K")
  }

  /// Leaves the bar's line.
  func finish() {
    if hasBar { StandardError.write("\n") }
    hasBar = false
  }

  private var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
