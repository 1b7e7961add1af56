/// A source of models, with its fields' names in JSON.
public struct ModelProvider: Codable, Equatable, Sendable {
  /// A model as the provider lists it.
  public struct Model: Codable, Equatable, Sendable {
    public var id: String
    public var name: String
    public var description: String
    /// The `id` of the provider.
    public var provider: String
    public var group: String
    /// What it makes: `["text"]`.
    public var type: [String]
  }

  public var id: String
  public var name: String
  public var type: String
  public var apiKey: String
  public var apiHost: String
  public var models: [Model]
  /// Built in, rather than added by a user.
  public var isSystem: Bool
  /// Whether its models may be used.
  public var enabled: Bool

  /// The Hugging Face hub with the models of the catalogue.
  public static let huggingFace = ModelProvider(
    id: "huggingface", name: "Huggingface", type: "huggingface", apiKey: "", apiHost: "",
    models: Catalogue.entries.map {
      Model(
        id: $0.id, name: $0.name, description: $0.description, provider: "huggingface",
        group: "SmolLM2", type: ["text"])
    }, isSystem: true, enabled: true)
}

/// A provider and what goes with its models: how to run each, where each comes from, which is meant
/// when none is named.
public struct ProviderConfiguration: Codable, Equatable, Sendable {
  public var provider: ModelProvider
  /// By model id.
  public var performanceSettings: [String: PerformanceSettings]
  /// By model id.
  public var downloadURLs: [String: String]
  /// A model id.
  public var defaultModel: String

  /// The built-in one.
  ///
  /// - Parameter endpoint: of the hub, without a slash at the end.
  public init(endpoint: String = HubEnvironment.current.endpoint) {
    provider = .huggingFace
    performanceSettings = Dictionary(
      uniqueKeysWithValues: Catalogue.entries.map { ($0.id, PerformanceSettings()) })
    downloadURLs = Dictionary(
      uniqueKeysWithValues: Catalogue.entries.map { ($0.id, $0.url(endpoint: endpoint)) })
    defaultModel = Catalogue.defaultID
  }

  /// The settings of the model `id`; the defaults where it has none of its own.
  public func settings(of id: String) -> PerformanceSettings {
    performanceSettings[id] ?? PerformanceSettings()
  }

  /// The catalogue's entry for an id or a short name.
  ///
  /// - Throws: `HubError.unknownModel` with the nearest names, `.disabled` where the provider is.
  public func entry(named name: String) throws(HubError) -> CatalogueEntry {
    guard let entry = Catalogue.entry(name) else {
      throw .unknownModel(name: name, nearest: Catalogue.nearest(to: name))
    }
    guard provider.enabled else { throw .disabled(provider: provider.name, model: entry.shortName) }
    return entry
  }
}
