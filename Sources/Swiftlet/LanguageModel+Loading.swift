extension LanguageModel {
  /// Loads the model that `name` stands for, as `init(named:)`, without blocking the threads of Swift's
  /// tasks. Cancelling the task ends a download, of which what came is kept.
  ///
  /// - Parameters:
  ///   - name: an id or a short name, `hf:…`, a URL, or a path.
  ///   - options: nil takes the provider's settings of the model.
  ///   - library: nil is the user's, with the configuration file and the environment.
  ///   - progress: told of every step of a download.
  /// - Throws: as `init(named:)`; `CancellationError`.
  public static func load(
    _ name: String, options: LoadingOptions? = nil, library: ModelLibrary? = nil,
    progress: @escaping @Sendable (DownloadState) -> Void = { _ in }
  ) async throws -> LanguageModel {
    try await offTasks { cancellation in
      do {
        return try LanguageModel(named: name, options: options, library: library) { state in
          progress(state)
          return !cancellation.isSet
        }
      } catch HubError.cancelled { throw CancellationError() }
    }
  }

  /// Loads the GGUF file at `path`, without blocking the threads of Swift's tasks.
  ///
  /// - Throws: as `init(path:options:)`.
  public static func load(contentsOfFile path: String, options: LoadingOptions = LoadingOptions())
    async throws -> LanguageModel
  {
    try await offTasks { _ in try LanguageModel(path: path, options: options) }
  }
}
