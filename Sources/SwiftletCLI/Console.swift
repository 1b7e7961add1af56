import ArgumentParser
import Swiftlet
import Synchronization

enum StandardOutput {
  /// Writes at once, so that a reader of a pipe sees each token. A reader that went away ends the
  /// program quietly.
  static func write(_ text: String) {
    guard !text.isEmpty else { return }
    guard !writeAll(Array(text.utf8), to: STDOUT_FILENO) else { return }
    StandardError.write("swiftlet: standard output: \(String(cString: strerror(errno)))\n")
    exit(1)
  }

  static func writeJSON(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // JSON has no numbers for these.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    if let data = try? encoder.encode(value) { write(String(decoding: data, as: UTF8.self) + "\n") }
  }
}

enum StandardError {
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb" }

  static func write(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }
}

/// - Returns: whether all was written; if not, `errno` says why.
private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 {
      if errno == EINTR { continue }
      return false
    }
    rest = rest.dropFirst(count)
  }
  return true
}

/// - Returns: all that can be read; nil where that fails, and `errno` says why.
private func readAll(from descriptor: Int32) -> [UInt8]? {
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = part.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    if count == 0 { return bytes }
    if count > 0 {
      bytes += part[..<count]
    } else if errno != EINTR {
      return nil
    }
  }
}

enum StandardInput {
  /// All of standard input as text.
  static func read() throws -> String {
    guard let bytes = readAll(from: STDIN_FILENO) else {
      throw CommandFailure("standard input: \(String(cString: strerror(errno)))")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandFailure("standard input: not UTF-8 text")
    }
    return text
  }

  static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  /// The text of a file.
  static func read(file: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw CommandFailure("\(file): cannot be read")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw CommandFailure("\(file): not UTF-8 text")
    }
    return text
  }

  /// What is piped or redirected in; empty on a terminal, and where nobody is writing.
  static func readIfPiped() throws -> String {
    var status = stat()
    guard fstat(STDIN_FILENO, &status) == 0 else { return "" }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFIFO || kind == S_IFREG || kind == S_IFSOCK else { return "" }
    return try read()
  }
}

/// A failure that says all there is to say in one line.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Runs a command's work; prints what fails as one line and exits with 1.
func reportingErrors(_ work: () throws -> Void) throws {
  LostFile.watch()
  do {
    try work()
  } catch let error as ExitCode {
    throw error
  } catch let error as ValidationError {
    throw error
  } catch HubError.cancelled {
    StandardError.write("swiftlet: cancelled\n")
    throw ExitCode(130)
  } catch {
    StandardError.write("swiftlet: \(printable("\(error)", limit: .max))\n")
    throw ExitCode(1)
  }
}

/// A mapped file whose bytes went away: cut short by another process, or on a disk that fails. The system
/// says so with a signal, where a library can only crash.
enum LostFile {
  static func watch() {
    signal(SIGBUS) { _ in
      let message: StaticString =
        "swiftlet: a file was cut short, or could not be read, while it was in use\n"
      _ = write(STDERR_FILENO, message.utf8Start, message.utf8CodeUnitCount)
      _exit(1)
    }
  }
}

/// Ctrl-C, seen between tokens.
enum Interruption {
  private static let flag = Atomic<Bool>(false)

  static var happened: Bool { flag.load(ordering: .relaxed) }

  /// Forgets that one happened.
  static func reset() { flag.store(false, ordering: .relaxed) }

  /// From here on every Ctrl-C only sets `happened`: where a line is typed it takes back the line.
  static func watchTyping() {
    watch()
    signal(SIGINT) { _ in Interruption.flag.store(true, ordering: .relaxed) }
  }

  /// The first Ctrl-C sets `happened`; a second one ends the process at once.
  static func watch() {
    signal(SIGINT) { _ in
      if Interruption.flag.exchange(true, ordering: .relaxed) { _exit(130) }
    }
    // A parent that held signals back, as Foundation's `Process` may, left that to this process.
    var interrupt = sigset_t()
    sigemptyset(&interrupt)
    sigaddset(&interrupt, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &interrupt, nil)
  }

  /// As `watch`, also for a closed terminal and a request to end: for work that cleans up behind itself. A
  /// reader of progress that went away and a limit on file sizes become errors of writing.
  static func watchWhileWriting() {
    watch()
    for number in [SIGTERM, SIGHUP] {
      signal(number) { _ in Interruption.flag.store(true, ordering: .relaxed) }
    }
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
  }

  /// From here on Ctrl-C ends the process again.
  static func unwatch() { signal(SIGINT, SIG_DFL) }
}
