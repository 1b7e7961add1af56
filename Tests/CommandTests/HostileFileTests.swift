import Foundation
import GGUF
import TestSupport
import Testing

/// The catalogue of hostile files: each row a case or several, each case a process of its own, so that a
/// signal is counted and not lost.
@Suite struct HostileFileTests {
  private struct Case: Decodable {
    let row: String
    let name: String
    let file: String?
    let `do`: String
    let expect: String
    let says: [String]
    let offset: Int?
    let ids: [Int]?
    let rendered: String?
    let never_says: [String]?
  }

  private struct Outcome: Decodable {
    /// nil: it did not end.
    let code: Int?
    let out: String
    let err: String
    let seconds: Double
    let peak: Int
  }

  private func python(_ arguments: [String]) throws -> BuiltCommand.Result {
    try BuiltCommand.runProgram("/usr/bin/env", ["python3"] + arguments)
  }

  /// All rows of the catalogue: G1 to G137, G129b and G129c.
  private static let rows = (1...137).map { "G\($0)" } + ["G129b", "G129c"]

  @Test(
    "every row of the catalogue ends as it should: no signal, no hang, errors that name the field")
  func catalogue() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let real = RealModel.isPresent ? [RealModel.path("Q4_0")] : []
    let made = try python([Fixtures.path("hostile.py"), folder.path] + real)
    try #require(made.status == 0, "\(made.errors)")
    let cases = try JSONDecoder().decode(
      [Case].self, from: Data(contentsOf: folder.appendingPathComponent("manifest.json")))
    #expect(Set(cases.map(\.row)) == Set(Self.rows))

    let runner = Fixtures.root.appendingPathComponent("Tests/TestSupport/run_cases.py").path
    let run = try python([runner, BuiltCommand.path, folder.path])
    try #require(run.status == 0, "\(run.errors)")
    let outcomes = try JSONDecoder().decode([String: Outcome].self, from: Data(run.output.utf8))
    let idle = try #require(outcomes[""])
    var count = 0
    for one in cases {
      // G13 and G14 have tests of their own below; of G137's kinds of file Swiftlet reads none.
      guard let outcome = outcomes[one.name] else {
        #expect(["special", "none"].contains(one.do), "\(one.name) did not run")
        continue
      }
      count += 1
      check(one, outcome, idle: idle, folder: folder.path)
    }
    #expect(count > 1000)
  }

  private func check(_ one: Case, _ outcome: Outcome, idle: Outcome, folder: String) {
    let said = (outcome.err + (one.do == "check" ? outcome.out : "")).lowercased()
    let note = Comment(rawValue: "\(one.name): \(outcome.code ?? -1) \(said.prefix(300))")
    switch one.expect {
    case "refuse": #expect(outcome.code == 1, note)
    case "either": #expect(outcome.code == 0 || outcome.code == 1, note)
    default: #expect(outcome.code == 0, note)
    }
    for text in one.says { #expect(said.contains(text.lowercased()), note) }
    for text in one.never_says ?? [] {
      #expect(!outcome.err.contains(text) && !outcome.out.contains(text), note)
    }
    if let ids = one.ids, outcome.code == 0 {
      #expect(
        outcome.out.split(whereSeparator: \.isWhitespace).map(String.init) == ids.map(String.init),
        note)
    }
    if let rendered = one.rendered, outcome.code == 0 {
      struct Prompt: Decodable { let prompt: String }
      let prompt = try? JSONDecoder().decode(Prompt.self, from: Data(outcome.out.utf8)).prompt
      #expect(prompt == rendered, note)
    }
    guard one.expect == "refuse" else { return }
    // What is wrong with messages is not in the file.
    let file = one.file.map { $0.hasPrefix("/") ? $0 : folder + "/" + $0 } ?? ""
    #expect(said.contains(file.lowercased()) || said.contains("messages: "), note)
    if let offset = one.offset { #expect(said.contains("offset \(offset)"), note) }
    // Processor time, which other tests on the same cores do not lengthen; beside that of a start.
    let present = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
    let isLarge = present > 64 << 20
    #expect(outcome.seconds - idle.seconds < (isLarge ? 15 : 0.1), note)
    #expect(outcome.peak - idle.peak < 16 << 20 + (isLarge ? 4 * present : 0), note)
  }

  @Test("G13: a file that is cut short while it is mapped ends in an error, not in a signal")
  func cutShort() throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent(UUID().uuidString + ".gguf").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var writer = GGUFWriter()
    try writer.set("general.architecture", .string("llama"))
    try writer.addTensor("t", dimensions: [1 << 29], type: .f32)
    try Data(writer.header()).write(to: URL(fileURLWithPath: path))
    // A hole of 2 GiB: reading it takes a while.
    #expect(truncate(path, off_t(writer.header().count + 1 << 31)) == 0)
    let errors = Pipe()
    let process = try BuiltCommand.start(
      ["inspect", path, "--check"], environment: [:], errors: errors)
    let maps = "/proc/\(process.processIdentifier)/maps"
    while process.isRunning,
      (try? String(contentsOfFile: maps, encoding: .utf8))?.contains(path) != true
    { usleep(500) }
    #expect(truncate(path, 4096) == 0)
    process.waitUntilExit()
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(process.terminationReason == .exit && process.terminationStatus == 1)
    #expect(said.contains("cut short"), "\(said)")
  }
}
