// The same with prompts that are put together.
extension LanguageModelSession {
  /// A session whose instructions are put together.
  ///
  /// ```swift
  /// LanguageModelSession(model: model) {
  ///   "You are terse."
  ///   if isFormal { "You are formal." }
  /// }
  /// ```
  public convenience init(
    model: LanguageModel, contextOverflow: ContextOverflow = .error,
    @PromptBuilder instructions: () throws -> Prompt
  ) rethrows {
    self.init(
      model: model, instructions: try instructions().text, contextOverflow: contextOverflow)
  }

  /// A session with `instructions`.
  public convenience init(
    model: LanguageModel, instructions: Instructions, contextOverflow: ContextOverflow = .error
  ) {
    self.init(model: model, instructions: instructions.text, contextOverflow: contextOverflow)
  }

  /// As `respond(to:options:)` with a string.
  public func respond(to prompt: Prompt, options: GenerationOptions = GenerationOptions())
    async throws -> Response<String>
  { try await respond(to: prompt.text, options: options) }

  /// As `respond(to:options:)`, with a prompt that is put together.
  public func respond(
    options: GenerationOptions = GenerationOptions(), @PromptBuilder prompt: () throws -> Prompt
  ) async throws -> Response<String> { try await respond(to: try prompt().text, options: options) }

  /// As `respond(to:schema:)` with a string.
  public func respond(
    to prompt: Prompt, schema: GenerationSchema, includeSchemaInPrompt: Bool = true,
    options: GenerationOptions = GenerationOptions()
  ) async throws -> Response<GeneratedContent> {
    try await respond(
      to: prompt.text, schema: schema, includeSchemaInPrompt: includeSchemaInPrompt,
      options: options)
  }

  /// As `respond(to:schema:)`, with a prompt that is put together.
  public func respond(
    schema: GenerationSchema, includeSchemaInPrompt: Bool = true,
    options: GenerationOptions = GenerationOptions(), @PromptBuilder prompt: () throws -> Prompt
  ) async throws -> Response<GeneratedContent> {
    try await respond(
      to: try prompt().text, schema: schema, includeSchemaInPrompt: includeSchemaInPrompt,
      options: options)
  }

  /// As `respond(to:generating:)` with a string.
  public func respond<Content: Generable>(
    to prompt: Prompt, generating type: Content.Type = Content.self,
    includeSchemaInPrompt: Bool = true, options: GenerationOptions = GenerationOptions()
  ) async throws -> Response<Content> {
    try await respond(
      to: prompt.text, generating: type, includeSchemaInPrompt: includeSchemaInPrompt,
      options: options)
  }

  /// As `respond(to:generating:)`, with a prompt that is put together.
  public func respond<Content: Generable>(
    generating type: Content.Type = Content.self, includeSchemaInPrompt: Bool = true,
    options: GenerationOptions = GenerationOptions(), @PromptBuilder prompt: () throws -> Prompt
  ) async throws -> Response<Content> {
    try await respond(
      to: try prompt().text, generating: type, includeSchemaInPrompt: includeSchemaInPrompt,
      options: options)
  }

  /// As `streamResponse(to:options:)` with a string.
  public func streamResponse(to prompt: Prompt, options: GenerationOptions = GenerationOptions())
    -> ResponseStream<String>
  { streamResponse(to: prompt.text, options: options) }

  /// As `streamResponse(to:options:)`, with a prompt that is put together.
  public func streamResponse(
    options: GenerationOptions = GenerationOptions(), @PromptBuilder prompt: () throws -> Prompt
  ) rethrows -> ResponseStream<String> {
    streamResponse(to: try prompt().text, options: options)
  }

  /// As `streamResponse(to:schema:)` with a string.
  public func streamResponse(
    to prompt: Prompt, schema: GenerationSchema, includeSchemaInPrompt: Bool = true,
    options: GenerationOptions = GenerationOptions()
  ) -> ResponseStream<GeneratedContent> {
    streamResponse(
      to: prompt.text, schema: schema, includeSchemaInPrompt: includeSchemaInPrompt,
      options: options)
  }

  /// As `streamResponse(to:schema:)`, with a prompt that is put together.
  public func streamResponse(
    schema: GenerationSchema, includeSchemaInPrompt: Bool = true,
    options: GenerationOptions = GenerationOptions(), @PromptBuilder prompt: () throws -> Prompt
  ) rethrows -> ResponseStream<GeneratedContent> {
    streamResponse(
      to: try prompt().text, schema: schema, includeSchemaInPrompt: includeSchemaInPrompt,
      options: options)
  }

  /// As `streamResponse(to:generating:)` with a string.
  public func streamResponse<Content: Generable>(
    to prompt: Prompt, generating type: Content.Type = Content.self,
    includeSchemaInPrompt: Bool = true, options: GenerationOptions = GenerationOptions()
  ) -> ResponseStream<Content> {
    streamResponse(
      to: prompt.text, generating: type, includeSchemaInPrompt: includeSchemaInPrompt,
      options: options)
  }

  /// As `streamResponse(to:generating:)`, with a prompt that is put together.
  public func streamResponse<Content: Generable>(
    generating type: Content.Type = Content.self, includeSchemaInPrompt: Bool = true,
    options: GenerationOptions = GenerationOptions(), @PromptBuilder prompt: () throws -> Prompt
  ) rethrows -> ResponseStream<Content> {
    streamResponse(
      to: try prompt().text, generating: type, includeSchemaInPrompt: includeSchemaInPrompt,
      options: options)
  }
}
