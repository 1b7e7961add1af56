// Responses that are values: the model may only choose tokens that lead to one.
extension LanguageModelSession {
  /// A value of `type`, always a valid one.
  ///
  /// ```swift
  /// let person = try await session.respond(to: "Invent a person.", generating: Person.self).content
  /// ```
  ///
  /// - Parameters:
  ///   - prompt: what is asked.
  ///   - type: what the response shall be.
  ///   - includeSchemaInPrompt: whether the model is shown the schema, after the prompt. It keeps to it either
  ///     way, and guesses better what is meant when it has read it.
  ///   - options: where `maximumResponseTokens` is too few for any value the response is an error; where it gets
  ///     tight the value ends as soon as it can.
  /// - Throws: as `respond(to:options:)`; `GrammarError` where the schema cannot be kept to;
  ///   `GenerationError.decodingFailure` where there was no room; what the type's `init` throws.
  public func respond<Content: Generable>(
    to prompt: String, generating type: Content.Type = Content.self,
    includeSchemaInPrompt: Bool = true, options: GenerationOptions = GenerationOptions()
  ) async throws -> Response<Content> {
    try await streamResponse(
      to: prompt, generating: type, includeSchemaInPrompt: includeSchemaInPrompt, options: options
    ).collect()
  }

  /// A value by a schema, always a valid one. As `respond(to:generating:)`.
  public func respond(
    to prompt: String, schema: GenerationSchema, includeSchemaInPrompt: Bool = true,
    options: GenerationOptions = GenerationOptions()
  ) async throws -> Response<GeneratedContent> {
    try await streamResponse(
      to: prompt, schema: schema, includeSchemaInPrompt: includeSchemaInPrompt, options: options
    ).collect()
  }

  /// A value of `type` as it is made: snapshots of what is there so far.
  ///
  /// - Returns: a sequence for one iteration, which throws as `respond(to:generating:)` does.
  public func streamResponse<Content: Generable>(
    to prompt: String, generating type: Content.Type = Content.self,
    includeSchemaInPrompt: Bool = true, options: GenerationOptions = GenerationOptions()
  ) -> ResponseStream<Content> {
    stream(prompt, type.generationSchema, includeSchemaInPrompt, options)
  }

  /// A value by a schema as it is made.
  ///
  /// - Returns: a sequence for one iteration, which throws as `respond(to:schema:)` does.
  public func streamResponse(
    to prompt: String, schema: GenerationSchema, includeSchemaInPrompt: Bool = true,
    options: GenerationOptions = GenerationOptions()
  ) -> ResponseStream<GeneratedContent> {
    stream(prompt, schema, includeSchemaInPrompt, options)
  }

  private func stream<Content: Generable>(
    _ prompt: String, _ schema: GenerationSchema, _ includesSchema: Bool,
    _ options: GenerationOptions
  ) -> ResponseStream<Content> {
    var decoding = options.decoding
    // A value that goes round in circles ends where it can.
    decoding.stopsLoops = true
    let format = Transcript.ResponseFormat(
      schema: schema.jsonString, isInPrompt: includesSchema)
    let entry = Transcript.Entry.prompt(
      Transcript.Prompt(
        segments: [.text(Transcript.TextSegment(content: prompt))], responseFormat: format))
    let model = model
    let started = respond(to: entry, decoding: decoding) { try model.tokenGrammar(schema) }
    return ResponseStream(started: started) { text in
      guard let content = try? GeneratedContent(json: text),
        let value = try? Content.PartiallyGenerated(content)
      else { return nil }
      return (value, content)
    }
  }
}
