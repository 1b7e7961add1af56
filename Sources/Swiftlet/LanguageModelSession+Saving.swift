// Sessions that outlive their process, and sessions that go on in two ways.
extension LanguageModelSession {
  /// Writes the session, its transcript and what was computed of it, to a file that appears once it is
  /// whole. 24 KB a token for SmolLM2-135M.
  ///
  /// - Throws: `GenerationError.concurrentRequests` while a response is under way; `GGUFError` where the file
  ///   cannot be written.
  public func save(to path: String) async throws {
    try await withSequence { transcript, sequence in
      let header = SessionFile.Header(
        model: try sha256(ofFile: self.model.file.name),
        precision: self.model.model.cachePrecision.rawValue, tokens: sequence?.tokens ?? [],
        transcript: transcript)
      try SessionFile.write(header, sequence, to: path)
    }
  }

  /// The session that `save` wrote. It responds as the saved one would have, bit for bit, and without
  /// computing again what was said, unless keys and values lay otherwise in the version that wrote it.
  ///
  /// - Throws: `SessionFileError`; `GGUFError` where the file cannot be read; `ComputeError.memory`.
  public static func restore(
    from path: String, model: LanguageModel, contextOverflow: ContextOverflow = .error
  ) async throws -> LanguageModelSession {
    try await offTasks { _ in
      try SessionFile.read(path) { header, contents in
        guard try header.model == sha256(ofFile: model.file.name) else {
          throw SessionFileError.otherModel(path, "another model file, \(header.model.prefix(12))…")
        }
        let sequence = try contents.map { contents in
          let precision = model.model.cachePrecision.rawValue
          guard header.precision == precision else {
            throw SessionFileError.otherModel(
              path,
              "keys and values in \(printable(header.precision)), these are in \(precision) "
                + "(LoadingOptions.cachePrecision)")
          }
          guard header.tokens.count <= model.contextLength else {
            throw SessionFileError.exceededContext(
              path, tokens: header.tokens.count, contextSize: model.contextLength)
          }
          let sequence = try CachedSequence(model.model, capacity: model.contextLength)
          guard sequence.replace(tokens: header.tokens, contents) else {
            throw SessionFileError.damaged(path, "\(contents.count) bytes of keys and values")
          }
          return sequence
        }
        return LanguageModelSession(
          model: model, transcript: header.transcript,
          sequence: HeldSequence(sequence: sequence),
          contextOverflow: contextOverflow)
      }
    }
  }

  /// A session that goes on from here on its own: what was said is computed for both only once.
  ///
  /// - Throws: `GenerationError.concurrentRequests` while a response is under way; `ComputeError.memory`.
  public func branch() async throws -> LanguageModelSession {
    try await withSequence { transcript, sequence in
      let copy = try sequence.map { sequence in
        let copy = try CachedSequence(self.model.model, capacity: self.model.contextLength)
        sequence.cache.withContents { contents in
          _ = copy.replace(tokens: sequence.tokens, contents)
        }
        return copy
      }
      return LanguageModelSession(
        model: self.model, transcript: transcript, sequence: HeldSequence(sequence: copy),
        contextOverflow: self.contextOverflow)
    }
  }
}
