import Foundation
import TestSupport
import Testing

/// `chat`, on a terminal and from a pipe.
@Suite(.enabled(if: RealModel.isPresent)) struct ChatTests {
  private struct Message: Decodable {
    let role: String
    let content: String
  }

  @Test("on a terminal: editing, pasted lines, Ctrl-C, Ctrl-D, history and the commands")
  func terminal() throws {
    struct Report: Decodable {
      let reply: String
      let pasted: String
      let refused: String
      let stats: String
      let unknown: String
      let interrupted: [String]
      let help: String
      let code: Int
      let stopped: Bool
      let stop_seconds: Double
      let loaded: String
      let second_code: Int
      let saved: [Message]
      let history: String
      let history_mode: Int
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let script = Fixtures.root.appendingPathComponent("Tests/TestSupport/chat_terminal.py").path
    let result = try BuiltCommand.runProgram(
      "/usr/bin/env", ["python3", script, BuiltCommand.path, RealModel.path("Q4_0"), folder.path])
    try #require(result.status == 0, "\(result.errors)")
    let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
    #expect(report.reply.contains("Paris"))
    #expect(report.refused.contains("nothing was written"))
    #expect(report.stats.contains("of them kept"))
    #expect(report.unknown.contains("/help names them"))
    #expect(report.help.contains("/system TEXT"))
    #expect(report.code == 0 && report.second_code == 0)
    // Whether it is in time for a token of its own is the machine's matter.
    #expect(report.stopped && report.stop_seconds < 5)
    #expect(report.loaded.hasSuffix("4"))
    #expect(report.saved.map(\.role) == ["user", "assistant", "user", "assistant"])
    #expect(report.saved.first?.content == "What is the capital of France?")
    #expect(report.saved[2].content == "Here are two words:\nred\nblue")
    #expect(report.history.contains("king") && report.history_mode == 0o600)
  }

  @Test("from a pipe each line is a message, and a conversation goes on where it was saved")
  func pipe() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let saved = folder.appendingPathComponent("talk.json").path
    let model = ["-m", RealModel.path("Q4_0"), "--temperature", "0", "-n", "20"]
    let first = try BuiltCommand.run(
      ["chat", "--system", "Be brief."] + model,
      input: "What is the capital of France?\n\n/save \(saved)\n")
    #expect(first.status == 0 && first.output.contains("Paris"), "\(first)")
    #expect(!first.output.contains(">>>"))
    let messages = try JSONDecoder().decode(
      [Message].self, from: Data(contentsOf: URL(fileURLWithPath: saved)))
    #expect(messages.map(\.role) == ["system", "user", "assistant"])
    let rest = "And of Italy?\n/save \(saved)\n"
    #expect(try BuiltCommand.run(["chat", "--load", saved] + model, input: rest).status == 0)
    let second = try JSONDecoder().decode(
      [Message].self, from: Data(contentsOf: URL(fileURLWithPath: saved)))
    #expect(second.count == 5 && second.prefix(3).map(\.content) == messages.map(\.content))
    // From a pipe a mistake is the end: nobody is there to see it.
    let wrong = try BuiltCommand.run(["chat"] + model, input: "/load \(folder.path)/none\nHello\n")
    #expect(wrong.status == 1 && wrong.errors.contains("cannot be read"))
  }
}
