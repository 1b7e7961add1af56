import Swiftlet

/// Shows a reply as it is made, or collects it for one JSON object.
final class ReplyOutput {
  private let isJSON: Bool
  private var text = ""
  private var tokens: [Report.Token] = []

  init(isJSON: Bool) { self.isJSON = isJSON }

  func write(_ token: GeneratedToken) {
    guard isJSON else {
      StandardOutput.write(token.text)
      return
    }
    text += token.text
    guard let id = token.id else { return }
    tokens.append(
      Report.Token(
        id: id, text: token.text, logprob: token.logProbability,
        top: token.likeliest.isEmpty
          ? nil : token.likeliest.map { .init(id: $0.id, logprob: $0.logProbability) }))
  }

  func finish(
    _ summary: GenerationSummary, loadSeconds: Double, printsStatistics: Bool, tokenizer: Tokenizer
  ) {
    let timings = Timings(summary, loadSeconds: loadSeconds)
    if isJSON {
      let report = Report(
        text: text, tokens: tokens, prompt_tokens: summary.promptTokens,
        finish_reason: summary.finishReason.rawValue, timings: timings)
      StandardOutput.writeJSON(report)
    } else {
      StandardOutput.write("\n")
    }
    if printsStatistics {
      StandardError.write(
        """
        load \(timings.load_ms.rounded1) ms, first token \(timings.first_token_ms.rounded1) ms, \
        prompt \(summary.promptTokens) tokens at \(timings.prefill_tps.rounded1) tok/s, \
        reply \(summary.responseTokens) tokens at \(timings.decode_tps.rounded1) tok/s \
        (\(summary.rightGuesses) of \(summary.guessedTokens) guesses right), \
        ended by \(summary.finishReason.rawValue)\n
        """)
    }
  }

  /// The object of `run --json`; the names are part of the contract.
  struct Report: Encodable {
    struct Token: Encodable {
      struct Alternative: Encodable {
        let id: Int
        let logprob: Float
      }
      let id: Int
      let text: String
      let logprob: Float?
      let top: [Alternative]?
    }
    let text: String
    let tokens: [Token]
    let prompt_tokens: Int
    let finish_reason: String
    let timings: Timings
  }

  struct Timings: Encodable {
    let load_ms: Double
    let first_token_ms: Double
    let prefill_tps: Double
    let decode_tps: Double

    init(_ summary: GenerationSummary, loadSeconds: Double) {
      load_ms = loadSeconds * 1e3
      first_token_ms = (loadSeconds + summary.promptSeconds) * 1e3
      prefill_tps = Double(summary.promptTokens) / max(summary.promptSeconds, 1e-9)
      decode_tps =
        summary.responseTokens > 1
        ? Double(summary.responseTokens - 1) / max(summary.responseSeconds, 1e-9) : 0
    }
  }
}

extension Double {
  /// One digit after the point.
  var rounded1: String { formatted("%.1f", self) }
}
