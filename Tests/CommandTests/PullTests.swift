import Foundation
import TestSupport
import Testing

/// Downloads by whole processes, which are killed, interrupted and many at once.
@Suite struct PullTests {
  private static let model = "hf:owner/model-GGUF:Q4_0"

  private struct World {
    let hub: LoopbackHub
    let content: Data
    let blob: String

    init(size: Int, fault: (String, Any)? = nil) throws {
      content = LoopbackHub.content(size)
      hub = try LoopbackHub(["owner/model-GGUF/model-Q4_0.gguf": content])
      if let fault { try hub.setFaults([fault], repeats: true) }
      blob = hub.variables["HF_HOME", default: ""] + "/hub/models--owner--model-GGUF/blobs"
    }

    var partialSize: Int {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: blob)) ?? []
      guard let name = names.first(where: { $0.hasSuffix(".incomplete") }) else { return 0 }
      var status = stat()
      return stat(blob + "/" + name, &status) == 0 ? Int(status.st_size) : 0
    }

    func pull() throws -> BuiltCommand.Result {
      try BuiltCommand.run(["models", "pull", PullTests.model], environment: hub.variables)
    }

    func isWhole(_ result: BuiltCommand.Result) -> Bool {
      let path = result.output.trimmingCharacters(in: .whitespacesAndNewlines)
      return result.status == 0 && (try? Data(contentsOf: URL(fileURLWithPath: path))) == content
    }

    func wait(for bytes: Int) throws {
      let start = Date()
      while partialSize < bytes, Date().timeIntervalSince(start) < 20 { usleep(2000) }
    }
  }

  @Test("D28: after kill -9 at 100 random points the next run fetches at most 1 MiB again")
  func kills() throws {
    var random = SeededGenerator(seed: 3)
    let world = try World(size: 4 << 20, fault: ("slow", 40e6))
    for run in 0..<100 {
      let process = try BuiltCommand.start(
        ["models", "pull", Self.model], environment: world.hub.variables)
      usleep(UInt32.random(in: 0...130_000, using: &random))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let kept = world.partialSize
      let result = try world.pull()
      #expect(world.isWhole(result), "run \(run): \(result.errors)")
      // What went out in all, less what a file has: the answers note themselves when they end.
      var again = Int.max
      for _ in 0..<200 where again > 1 << 20 {
        let sent = world.hub.answers.map(\.sent).reduce(0, +)
        again = sent - world.content.count
        if again > 1 << 20 || sent == 0 { usleep(10_000) }
      }
      #expect(again <= 1 << 20, "run \(run): \(again) bytes again, \(kept) kept")
      try FileManager.default.removeItem(atPath: world.hub.variables["HF_HOME", default: ""])
      try? FileManager.default.removeItem(
        at: world.hub.folder.appendingPathComponent("served/sent"))
    }
  }

  @Test("D30: eight processes at once make one transfer, and all end with the file")
  func crowd() async throws {
    let world = try World(size: 2 << 20, fault: ("slow", 5e6))
    let processes = try (0..<8).map { _ in
      try BuiltCommand.start(["models", "pull", Self.model], environment: world.hub.variables)
    }
    for process in processes {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    #expect(world.hub.fileRequests.count == 1)
    #expect(world.isWhole(try world.pull()))
  }

  @Test("D30: who waits for another process says so")
  func waiting() throws {
    let world = try World(size: 2 << 20, fault: ("slow", 2e6))
    let first = try BuiltCommand.start(
      ["models", "pull", Self.model], environment: world.hub.variables)
    try world.wait(for: 1)
    let second = try world.pull()
    first.waitUntilExit()
    #expect(second.errors.contains("waiting for another process"))
    #expect(world.isWhole(second))
    #expect(world.hub.fileRequests.count == 1)
  }

  @Test("D32: the lock of a process that was killed holds nobody up")
  func killedHolder() throws {
    let world = try World(size: 2 << 20, fault: ("slow", 2e6))
    let first = try BuiltCommand.start(
      ["models", "pull", Self.model], environment: world.hub.variables)
    try world.wait(for: 100_000)
    let errors = Pipe()
    let second = try BuiltCommand.start(
      ["models", "pull", Self.model], environment: world.hub.variables, errors: errors)
    usleep(100_000)
    kill(first.processIdentifier, SIGKILL)
    second.waitUntilExit()
    #expect(second.terminationStatus == 0)
    #expect(world.isWhole(try world.pull()))
  }

  @Test("D42: Ctrl-C keeps what came, exits with 130 and says how to go on")
  func interruption() throws {
    let world = try World(size: 4 << 20, fault: ("slow", 2e6))
    let errors = Pipe()
    let process = try BuiltCommand.start(
      ["models", "pull", Self.model], environment: world.hub.variables, errors: errors)
    try world.wait(for: 300_000)
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    #expect(words.contains("swiftlet models pull \(Self.model)"))
    let kept = world.partialSize
    #expect(kept >= 300_000)
    try world.hub.setFaults([])
    #expect(world.isWhole(try world.pull()))
    #expect(world.hub.fileRequests.last?.range == "bytes=\(kept)-")
  }

  @Test("D43: without a terminal there are lines and no control characters")
  func lines() throws {
    let world = try World(size: 2 << 20, fault: ("slow", 2e6))
    let result = try world.pull()
    #expect(world.isWhole(result))
    #expect(result.errors.utf8.allSatisfy { $0 == 0x0A || (0x20..<0x7F).contains($0) })
    let lines = result.errors.split(separator: "\n")
    #expect((3...13).contains(lines.count))
    #expect(
      lines.contains { $0.contains(" of 2.1 MB, ") && $0.contains("MB/s") && $0.contains("left") })
  }

  @Test("D43: on a narrow terminal a line is never longer than the terminal is wide")
  func narrowTerminal() throws {
    let world = try World(size: 2 << 20, fault: ("slow", 2e6))
    let script = """
      import fcntl, os, pty, struct, sys, termios
      pid, terminal = pty.fork()
      if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
      fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(os.environ["COLUMNS"]), 0, 0))
      while True:
          try: data = os.read(terminal, 65536)
          except OSError: break
          if not data: break
          sys.stdout.buffer.write(data)
      sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
      """
    for width in [30, 120] {
      let variables = world.hub.variables.merging(
        ["COLUMNS": "\(width)", "TERM": "xterm"]) { $1 }
      let result = try BuiltCommand.runProgram(
        "/usr/bin/env", ["python3", "-c", script, BuiltCommand.path, "models", "pull", Self.model],
        environment: variables)
      #expect(result.status == 0)
      let bars = result.output.components(separatedBy: "\r").filter { $0.hasSuffix("\u{1B}[K") }
      #expect(bars.count > 2)
      #expect(bars.allSatisfy { $0.count - 3 < width }, "\(bars)")
      #expect(bars.contains { $0.contains("[###") } == (width == 120))
      try FileManager.default.removeItem(atPath: world.hub.variables["HF_HOME", default: ""])
    }
  }

  @Test("a cached model is run and listed without a request; Ctrl-C needs no network either")
  func cached() throws {
    let tiny = try Fixtures.data("tiny-q4_0.gguf")
    let hub = try LoopbackHub(["owner/model-GGUF/model-Q4_0.gguf": tiny])
    #expect(
      try BuiltCommand.run(["models", "pull", Self.model], environment: hub.variables).status == 0)
    hub.forgetRequests()
    for arguments in [
      ["run", "-m", Self.model, "--raw", "-n", "2", "abc"], ["models"], ["models", "verify"],
      ["models", "show", Self.model], ["inspect", Self.model],
    ] {
      let result = try BuiltCommand.run(arguments, environment: hub.variables)
      #expect(result.status == 0, "\(arguments) \(result.errors)")
    }
    #expect(hub.requests.isEmpty)
    let strace = "/usr/bin/strace"
    guard FileManager.default.fileExists(atPath: strace) else { return }
    let traced = try BuiltCommand.runProgram(
      strace,
      [
        "-f", "-e", "trace=connect", BuiltCommand.path, "run", "-m", Self.model, "--raw", "-n", "2",
        "a",
      ],
      environment: hub.variables)
    #expect(traced.status == 0 && !traced.errors.contains("connect("))
  }

  @Test("D44: verify, and --verify at load, find a file that changed")
  func damage() throws {
    let hub = try LoopbackHub([
      "owner/model-GGUF/model-Q4_0.gguf": try Fixtures.data("tiny-q4_0.gguf")
    ])
    let pulled = try BuiltCommand.run(["models", "pull", Self.model], environment: hub.variables)
    let path = pulled.output.trimmingCharacters(in: .whitespacesAndNewlines)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count - 1] ^= 1
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.write(contentsOf: bytes)
    try handle.close()
    for arguments in [
      ["models", "verify"], ["models", "verify", Self.model],
      ["run", "-m", Self.model, "--verify", "--raw", "abc"],
    ] {
      let result = try BuiltCommand.run(arguments, environment: hub.variables)
      #expect(result.status == 1, "\(arguments)")
      #expect((result.output + result.errors).contains("SHA-256"), "\(result)")
    }
  }

  @Test("a name without a file is said, whatever kind of name it is")
  func nothingThere() throws {
    let hub = try LoopbackHub([:])
    let config = hub.folder.appendingPathComponent("config.json")
    try FileManager.default.createDirectory(at: hub.folder, withIntermediateDirectories: true)
    try Data(#"{"provider": {"models": [{"id": "me/mine"}]}}"#.utf8).write(to: config)
    let variables = hub.variables.merging(["SWIFTLET_CONFIG": config.path]) { $1 }
    for arguments in [
      ["models", "path", "./missing.gguf"], ["models", "pull", "./missing.gguf"],
      ["models", "verify", "./missing.gguf"], ["models", "path", "smollm2-135m"],
      ["models", "verify", "smollm2-135m"], ["models", "show", "me/mine"],
    ] {
      let result = try BuiltCommand.run(arguments, environment: variables)
      #expect(result.status == 1 && result.output.isEmpty, "\(arguments) \(result)")
    }
    let list = try BuiltCommand.run(["models"], environment: variables)
    #expect(list.status == 0 && list.output.contains("no source"))
    #expect(try BuiltCommand.run(["models", "verify"], environment: variables).status == 0)
    let own = try BuiltCommand.run(
      ["models", "verify", Fixtures.path("tiny-q4_0.gguf")], environment: variables)
    #expect(own.status == 0 && own.output.contains("no SHA-256"))
  }

  @Test("rm and prune say what they free, keep what others need, and leave a sound cache")
  func removing() throws {
    let tiny = try Fixtures.data("tiny-q4_0.gguf")
    let hub = try LoopbackHub([
      "owner/model-GGUF/model-Q4_0.gguf": tiny, "owner/model-GGUF/model-Q8_0.gguf": tiny,
    ])
    func swiftlet(_ arguments: String...) throws -> BuiltCommand.Result {
      try BuiltCommand.run(arguments, environment: hub.variables)
    }
    #expect(try swiftlet("models", "pull", "hf:owner/model-GGUF:Q4_0").status == 0)
    let pulled = try swiftlet("models", "pull", "--json", "hf:owner/model-GGUF:Q8_0")
    let place = try JSONSerialization.jsonObject(with: Data(pulled.output.utf8)) as? [String: Any]
    #expect(place?["bytes"] as? Int == tiny.count && place?["path"] is String)
    let list = try swiftlet("models", "list", "--json")
    let entries = try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]]
    #expect(entries?.filter { $0["status"] as? String == "local" }.count == 2)
    #expect(hub.fileRequests.count == 1, "the same bytes are fetched once")
    #expect(try swiftlet("models", "rm", "hf:owner/model-GGUF:Q4_0").output == "freed 0.0 MB\n")
    #expect(try swiftlet("models", "path", "hf:owner/model-GGUF:Q8_0").status == 0)
    #expect(try swiftlet("models", "path", "hf:owner/model-GGUF:Q4_0").status == 1)
    let blobs = hub.variables["HF_HOME", default: ""] + "/hub/models--owner--model-GGUF/blobs/"
    let partial = blobs + String(repeating: "b", count: 64) + ".incomplete"
    try Data(repeating: 1, count: 3_000_000).write(to: URL(fileURLWithPath: partial))
    #expect(try swiftlet("models", "prune", "--dry-run").output.contains("3.0 MB to free"))
    #expect(FileManager.default.fileExists(atPath: partial))
    #expect(try swiftlet("models", "prune").output.contains("freed 3.0 MB"))
    #expect(!FileManager.default.fileExists(atPath: partial))
    #expect(try swiftlet("models", "rm", "hf:owner/model-GGUF:Q8_0").status == 0)
    #expect(try swiftlet("models", "rm", "hf:owner/model-GGUF:Q8_0").status == 1)
    #expect(!FileManager.default.fileExists(atPath: blobs))
  }
}
