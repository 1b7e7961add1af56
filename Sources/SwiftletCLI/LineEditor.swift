import SystemLibraries

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reads what a user types: with editing and history where libedit is installed, else line by line. From a
/// pipe it reads lines, and writes no prompt.
final class LineEditor {
  enum Input: Equatable {
    case text(String)
    /// Ctrl-C.
    case interrupted
    /// Ctrl-D, or the end of a pipe.
    case end
  }

  private let isTerminal = isatty(STDIN_FILENO) == 1
  private let library: EditLine?
  private let historyPath: String?

  /// Whether Ctrl-C takes back a line; else it ends the program, as everywhere.
  var isEditing: Bool { library != nil }

  /// - Parameter historyPath: where lines are kept from one time to the next; nil keeps none.
  init(historyPath: String?) {
    library = isTerminal ? EditLine() : nil
    self.historyPath = historyPath
    if let library, let historyPath { _ = library.readHistory(historyPath) }
  }

  /// One line, or several that were pasted together, or that end with a backslash, or that stand between
  /// lines of `"""`.
  func read(prompt: String) -> Input {
    var lines: [String] = []
    var isQuoted = false
    while true {
      let input = line(lines.isEmpty ? prompt : isTerminal ? "... " : "")
      guard case .text(var text) = input else {
        return lines.isEmpty || input == .interrupted ? input : .text(joined(lines))
      }
      if lines.isEmpty, text.hasPrefix("\"\"\"") {
        text.removeFirst(3)
        isQuoted = true
      }
      if isQuoted, text.hasSuffix("\"\"\"") {
        lines.append(String(text.dropLast(3)))
        return .text(joined(lines))
      }
      let goesOn = !isQuoted && text.hasSuffix("\\")
      lines.append(goesOn ? String(text.dropLast()) : text)
      // More that is there already was pasted with it; a command is a line of its own.
      let isCommand = lines[0].hasPrefix("/")
      guard isQuoted || goesOn || isTerminal && !isCommand && hasMoreInput else {
        return .text(joined(lines))
      }
    }
  }

  private func joined(_ lines: [String]) -> String { lines.joined(separator: "\n") }

  /// Keeps `text` in the history, which is written at once: another chat may begin before this one ends.
  func remember(_ text: String) {
    guard let library, !text.contains("\n"), !text.allSatisfy(\.isWhitespace) else { return }
    library.add(text)
    guard let historyPath else { return }
    let folder = URL(fileURLWithPath: historyPath).deletingLastPathComponent()
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // What was said is nobody else's business.
    let mask = umask(0o077)
    library.append(to: historyPath)
    umask(mask)
  }

  private func line(_ prompt: String) -> Input {
    guard let library else {
      if isTerminal { StandardOutput.write(prompt) }
      guard let line = readLine(strippingNewline: true) else {
        return Interruption.happened ? .interrupted : .end
      }
      return .text(line)
    }
    guard let line = library.read(prompt) else {
      return Interruption.happened ? .interrupted : .end
    }
    return .text(line)
  }

  private var hasMoreInput: Bool {
    var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 30) == 1 && entry.revents & Int16(POLLIN) != 0
  }
}

/// libedit (its interface of GNU Readline), looked up when it is needed: of all commands only `chat` does,
/// and it works without.
private struct EditLine {
  private typealias Read =
    @convention(c) (UnsafePointer<CChar>) -> UnsafeMutablePointer<CChar>?
  private typealias TakeText = @convention(c) (UnsafePointer<CChar>) -> CInt

  private let readline: Read
  private let addHistory: TakeText
  private let loadHistory: TakeText
  private let saveHistory: TakeText
  /// Adds the newest lines to a file, which another chat may write to as well.
  private let appendHistory: (@convention(c) (CInt, UnsafePointer<CChar>) -> CInt)?

  init?() {
    guard
      let library = SystemLibrary("libedit.so.2", "libedit.so.0", "/usr/lib/libedit.3.dylib"),
      let readline = library.function("readline", as: Read.self),
      let add = library.function("add_history", as: TakeText.self),
      let load = library.function("read_history", as: TakeText.self),
      let save = library.function("write_history", as: TakeText.self)
    else { return nil }
    (self.readline, addHistory, loadHistory, saveHistory) = (readline, add, load, save)
    appendHistory = library.function(
      "append_history", as: (@convention(c) (CInt, UnsafePointer<CChar>) -> CInt).self)
    // A tab that is pasted is a tab, and names of files are no business of a conversation.
    if let insert = library.function("rl_insert", as: UnsafeMutableRawPointer.self),
      let bind = library.function(
        "rl_bind_key", as: (@convention(c) (CInt, UnsafeMutableRawPointer) -> CInt).self)
    {
      _ = bind(9, insert)
    }
    // Characters of more than one byte are edited as one.
    setlocale(LC_CTYPE, "")
  }

  func read(_ prompt: String) -> String? {
    guard let line = readline(prompt) else { return nil }
    defer { free(line) }
    return String(cString: line)
  }

  func add(_ line: String) { _ = addHistory(line) }
  func readHistory(_ path: String) -> Bool { loadHistory(path) == 0 }

  /// Writes the newest line to the end of `path`.
  func append(to path: String) {
    if appendHistory?(1, path) != 0 { _ = saveHistory(path) }
  }
}
