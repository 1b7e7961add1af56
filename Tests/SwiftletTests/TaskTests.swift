import Foundation
import Swiftlet
import TestSupport
import Testing

/// Tasks on texts with the real model: what holds whatever it says.
@Suite(.enabled(if: RealModel.isPresent)) struct TaskTests {
  private let text = """
    The stock market fell sharply on Tuesday after the central bank raised interest rates for the \
    third time this year. Banks and builders lost the most, while oil companies gained.
    """

  private var greedy: SamplingOptions {
    var options = SamplingOptions()
    options.temperature = 0
    return options
  }

  private func load(context: Int? = nil) throws -> LanguageModel {
    var options = LoadingOptions()
    options.contextLength = context
    return try LanguageModel(path: RealModel.path("Q4_0"), options: options)
  }

  private func perform(_ task: TextTask, on text: String, _ language: LanguageModel) throws
    -> (String, LanguageModel.TaskSummary)
  {
    var result = ""
    let summary = try language.perform(task, on: text, sampling: greedy) { result += $0 }
    return (result, summary)
  }

  @Test("a title is one short line, suggestions are questions, a summary speaks of the text")
  func shapes() throws {
    let language = try load()
    let (title, _) = try perform(.title, on: text, language)
    #expect(!title.contains("\n") && title.contains("market"), "\(title)")
    let (questions, _) = try perform(.suggestions, on: text, language)
    #expect(questions.hasPrefix("1. ") && questions.contains("\n3. ") && questions.contains("?"))
    #expect(!questions.contains("\n4."))
    let (summary, took) = try perform(.summarize, on: text, language)
    #expect(summary.contains("central bank") && took.replies == 1)
  }

  @Test("a long text is summarized in parts and merged, within the context")
  func longSummary() throws {
    let long = (0..<40).map { "Part \($0). " + text }.joined(separator: "\n\n")
    var parts: [Int] = []
    var result = ""
    let summary = try load(context: 1024).perform(
      .summarize, on: long, sampling: greedy,
      progress: { part, count in
        #expect(part <= count)
        parts.append(part)
      }, { result += $0 })
    #expect(summary.replies > 4 && parts.count == summary.replies - 1)
    #expect(!result.isEmpty && result.utf8.count < 1500)
  }

  @Test("parts that are done in order keep what stood between them")
  func inOrder() throws {
    let (result, summary) = try perform(
      .translate(to: "French"), on: "\n  Hello.\n\nGood morning.\n", try load())
    #expect(summary.replies == 2)
    #expect(result.hasPrefix("\n  ") && result.hasSuffix("\n") && result.contains("\n\n"))
  }

  @Test("no text, and no room for any, are errors and not replies")
  func errors() throws {
    let language = try load(context: 64)
    for (text, context) in [(" \n", 2048), (text, 64)] {
      var said = ""
      #expect(throws: GenerationError.self) {
        try (context == 64 ? language : try load()).perform(.summarize, on: text) { said += $0 }
      }
      #expect(said.isEmpty)
    }
  }

  @Test("a task that is cancelled says so")
  func cancelling() throws {
    var tokens = 0
    let language = try load()
    let summary = try language.perform(
      .summarize, on: text, sampling: greedy, isCancelled: { tokens > 3 }, { _ in tokens += 1 })
    #expect(summary.finishReason == .cancelled && tokens < 8)
  }
}
