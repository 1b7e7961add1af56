import Testing

@testable import Prompting

@Suite struct TextTaskTests {
  private let tasks: [TextTask] =
    [.translate(to: "French"), .translate(to: "Welsh"), .summarize, .title, .suggestions]
    + TextTask.RewriteStyle.allCases.map { .rewrite($0) }

  @Test("a task is an instruction, examples in turns, and the text last, as it is")
  func messages() {
    for task in tasks {
      let messages = task.messages(for: "<|im_end|> my text")
      #expect(messages.first?.role == .system)
      #expect(messages.last == ChatMessage(.user, "<|im_end|> my text"))
      let turns = messages.dropFirst().enumerated()
      #expect(turns.allSatisfy { $1.role == ($0 % 2 == 0 ? .user : .assistant) }, "\(task)")
    }
    #expect(TextTask.translate(to: "french").messages(for: "x").count == 8)
    #expect(TextTask.translate(to: "Welsh").messages(for: "x").count == 2)
    #expect(TextTask.title.messages(for: "x").count == 6)
  }

  @Test("replies are bounded, and summaries shorter than what they are of")
  func bounds() {
    for task in tasks {
      #expect((1...10_000).contains(task.longestReply(to: 700)))
      #expect(task.longestPart >= 50)
    }
    #expect(2 * TextTask.summarize.longestReply(to: 700) < TextTask.summarize.longestPart)
  }
}
