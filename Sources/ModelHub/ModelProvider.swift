/// A source of models, with its fields' names in JSON.
public struct ModelProvider: Codable, Equatable, Sendable {
  /// A model as the provider lists it.
  public struct Model: Codable, Equatable, Sendable {
    /// The id, as programs name it.
    public var id: String
    /// The name for people.
    public var name: String
    /// What the model is, in a sentence.
    public var description: String
    /// The `id` of the provider.
    public var provider: String
    /// What it is listed under.
    public var group: String
    /// What it makes: `["text"]`.
    public var type: [String]

    /// A model of a provider.
    public init(
      id: String, name: String? = nil, description: String = "", provider: String = "huggingface",
      group: String = "", type: [String] = ["text"]
    ) {
      self.id = id
      self.name = name ?? id
      self.description = description
      self.provider = provider
      self.group = group
      self.type = type
    }
  }

  /// The id, as programs name it.
  public var id: String
  /// The name for people.
  public var name: String
  /// The kind of provider.
  public var type: String
  /// A key for its service; local models need none.
  public var apiKey: String
  /// The address of its service; empty for local models.
  public var apiHost: String
  /// The models that it offers.
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
  /// The provider and its models.
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
  public init(endpoint: String = HubEnvironment.publicEndpoint) {
    provider = .huggingFace
    performanceSettings = Dictionary(
      uniqueKeysWithValues: Catalogue.entries.map { ($0.id, PerformanceSettings()) })
    downloadURLs = Dictionary(
      uniqueKeysWithValues: Catalogue.entries.map { ($0.id, $0.file.url(endpoint: endpoint)) })
    defaultModel = Catalogue.defaultID
  }

  /// The settings of the model `id`; the defaults where it has none of its own.
  public func settings(of id: String) -> PerformanceSettings {
    performanceSettings[id] ?? PerformanceSettings()
  }
}

extension ProviderConfiguration {
  /// Adds a model, or replaces the one of the same id.
  ///
  /// - Parameters:
  ///   - source: where it comes from: `hf:OWNER/REPO[:QUANT|/FILE.gguf][@REVISION]`, a URL, or a path.
  ///   - settings: nil leaves those that are there, or the defaults.
  public mutating func add(
    _ model: ModelProvider.Model, from source: String, settings: PerformanceSettings? = nil
  ) {
    provider.models.removeAll { $0.id == model.id }
    provider.models.append(model)
    downloadURLs[model.id] = source
    performanceSettings[model.id] = settings ?? performanceSettings[model.id] ?? .init()
  }

  /// The model whose id, or short name in the catalogue, is `name`, without regard to case.
  ///
  /// - Throws: `HubError.unknownModel` with the nearest names.
  public func model(named name: String) throws(HubError) -> ModelProvider.Model {
    let wanted = (Catalogue.entry(name)?.id ?? name).lowercased()
    guard let model = provider.models.first(where: { $0.id.lowercased() == wanted }) else {
      let names = provider.models.map { Catalogue.entry($0.id)?.shortName ?? $0.id }
      throw .unknownModel(name: name, nearest: Catalogue.nearest(to: name, among: names))
    }
    return model
  }
}
