extension LanguageModel {
  /// A vector that stands for what `text` is about, of length 1: the dot product of two is the cosine of their
  /// angle.
  ///
  /// It is the mean of the hidden states (outputs of the last norm) of all tokens. A model that was trained to
  /// continue text, and not for this, gives a rough measure: texts in its own language that share words and
  /// topics are closer than others.
  ///
  /// - Parameter text: of at least one token, and no more than the context has positions.
  /// - Returns: [embedding].
  /// - Throws: `GenerationError.emptyPrompt`, `.promptTooLong`; `CancellationError`; `ComputeError.memory`.
  public func embedding(of text: String) async throws -> [Float] {
    try await offTasks { [self] cancellation in
      let ids = promptTokens(raw: text)
      guard !ids.isEmpty else { throw GenerationError.emptyPrompt }
      guard ids.count <= contextLength else {
        throw GenerationError.promptTooLong(tokens: ids.count, context: contextLength)
      }
      let cache = try model.makeCache(capacity: ids.count)
      let forward = ForwardPass(model, batchSize: min(ids.count, options.batchSize))
      var sums = [Double](repeating: 0, count: model.hyperparameters.embeddingLength)
      try forward.hiddenStates(ids, cache: cache) { _, state in
        if cancellation.isSet { throw CancellationError() }
        for (index, value) in state.enumerated() { sums[index] += Double(value) }
      }
      let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return sums.map { length > 0 ? Float($0 / length) : 0 }
    }
  }
}
