import Synchronization

/// How a model is loaded.
public struct LoadingOptions: Sendable {
  /// Threads that compute; nil is one for each core that this process may use.
  public var threads: Int?
  /// Positions of a session; nil is 2048 or the model's own length where that is shorter.
  public var contextLength: Int?
  /// Prompt tokens computed together.
  public var batchSize = 512
  /// How matrices are multiplied.
  public var matmulPath = MatmulPath.automatic
  /// How keys and values are kept; nil is int16 (values, and keys that are far, as int8), float16 beside
  /// weights that are floats, or float32 where OpenBLAS multiplies all matrices.
  public var cachePrecision: KeyValueCache.Precision?
  /// The instructions that the kernels use; the best of the processor unless set.
  public var instructionSet = InstructionSet.best

  /// All cores, contexts of `LanguageModel.defaultContextLength` positions.
  public init() {}

  /// As the provider's settings say; no more threads than this process may use cores.
  public init(_ settings: PerformanceSettings) {
    threads = max(1, min(settings.threads, ComputeTeam.coreCount))
    batchSize = max(1, settings.batchSize)
  }
}

/// A model that is loaded: weights, tokenizer and chat template.
///
/// Immutable and shared by any number of sessions, which share passes over
/// its weights.
public final class LanguageModel: Sendable {
  /// Positions of a session where nothing else is said.
  public static let defaultContextLength = 2048

  /// The file that holds the model.
  public let file: GGUFFile
  /// Makes tokens of text, and text of tokens.
  public let tokenizer: Tokenizer
  /// The weights.
  public let model: LlamaModel
  /// How the model was loaded.
  public let options: LoadingOptions
  let scheduler: ReplyScheduler
  private let grammars: GrammarCache

  /// Reads and checks the GGUF file at `path`; takes tens of milliseconds for SmolLM2.
  ///
  /// - Throws: `GGUFError` or `ComputeError` naming the fault.
  public init(path: String, options: LoadingOptions = LoadingOptions()) throws {
    file = try GGUFFile(path: path)
    // Shape before tokenizer before weights: the cheap checks first.
    _ = try Hyperparameters(file)
    let team = ComputeTeam(
      threads: options.threads ?? ComputeTeam.coreCount, instructionSet: options.instructionSet,
      matmulPath: options.matmulPath)
    tokenizer = try Self.tokenizer(file, team)
    model = try LlamaModel(file, team: team, cachePrecision: options.cachePrecision)
    self.options = options
    scheduler = ReplyScheduler(model, tokenizer, batchSize: options.batchSize)
    grammars = GrammarCache(tokenizer)
  }

  /// Builds the tokenizer on this thread, while another one brings weights into memory.
  private static func tokenizer(_ file: GGUFFile, _ team: ComputeTeam) throws(GGUFError)
    -> Tokenizer
  {
    let isBuilt = Atomic<Bool>(false)
    var result: Result<Tokenizer, GGUFError>?
    team.run { worker in
      if worker.index == 0 {
        result = Result { () throws(GGUFError) in try Tokenizer(file) }
        isBuilt.store(true, ordering: .relaxed)
      } else if worker.index == 1 {
        file.readAhead { isBuilt.load(ordering: .relaxed) }
      }
    }
    guard let result else { preconditionFailure("the team's first thread is this one") }
    return try result.get()
  }

  /// Loads the model that `name` stands for: an id or a short name of the provider,
  /// `hf:OWNER/REPO[:QUANT|/FILE.gguf][@REVISION]`, a URL, or a path. What is not on this machine is
  /// fetched, checked and kept first. Blocks until all is done.
  ///
  /// - Parameters:
  ///   - name: as above.
  ///   - options: nil takes the provider's settings of the model.
  ///   - library: nil is the user's, with the configuration file and the environment.
  ///   - observer: told of every step of a download; false cancels.
  /// - Throws: `HubError` where the model cannot be had, and as `init(path:options:)`.
  public convenience init(
    named name: String, options: LoadingOptions? = nil, library: ModelLibrary? = nil,
    observer: @escaping (DownloadState) -> Bool = { _ in true }
  ) throws {
    let library = try library ?? ModelLibrary()
    let source = try library.source(of: name)
    try self.init(
      path: try library.fetch(source, observer: observer),
      options: options ?? LoadingOptions(library.configuration.settings(of: source)))
  }

  /// The model's chat template.
  ///
  /// - Throws: `PromptError` where the file has none that is supported.
  public func chatTemplate() throws -> ChatTemplate { try ChatTemplate(file) }

  /// Positions of a session.
  public var contextLength: Int {
    min(options.contextLength ?? Self.defaultContextLength, model.hyperparameters.contextLength)
  }

  /// A grammar for this model's tokens, for `DecodingOptions.grammar`. What it learns about the tokens is kept
  /// with it: keep it for the next reply.
  ///
  /// - Throws: `GrammarError`.
  public func tokenGrammar(_ grammar: Grammar) throws(GrammarError) -> TokenGrammar {
    try grammars.tokenGrammar(grammar)
  }

  /// The grammar of a schema; the newest ones are kept.
  func tokenGrammar(_ schema: GenerationSchema) throws(GrammarError) -> TokenGrammar {
    try grammars.tokenGrammar(schema)
  }

  /// A generator of its own cache.
  ///
  /// - Throws: `ComputeError.memory` where the system has no room for the context.
  public func makeGenerator() throws(ComputeError) -> TextGenerator {
    try TextGenerator(
      model, tokenizer, contextLength: contextLength, batchSize: options.batchSize)
  }

  /// The ids of `messages` as the chat template writes them, up to where the reply begins.
  ///
  /// - Throws: `PromptError` where the file has no template that can be read, or its template refuses the
  ///   messages.
  public func promptTokens(_ messages: [ChatMessage]) throws -> [Int] {
    tokenizer.encode(try chatTemplate().render(messages))
  }

  /// The ids of `text` as it is, after the begin-of-sequence token where the model expects one.
  public func promptTokens(raw text: String) -> [Int] {
    let ids = tokenizer.encode(text, controlTokens: .parsed)
    guard tokenizer.addsBeginOfSequence, let begin = tokenizer.beginOfSequence else { return ids }
    return [begin] + ids
  }
}
