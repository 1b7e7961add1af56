#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The provider as it is in effect: what is built in, over it what the user's file says, over that
/// what environment variables say; and where each value came from.
public struct Configuration: Sendable {
  /// Where a value came from.
  public enum Origin: Sendable, Equatable, CustomStringConvertible {
    /// What Swiftlet comes with.
    case builtIn
    /// `swiftlet tune` measured it on this machine.
    case measured
    /// A line of the configuration file, from 1.
    case file(line: Int)
    /// An environment variable.
    case environment(String)

    public var description: String {
      switch self {
      case .builtIn: "built in"
      case .measured: "measured"
      case .file(let line): "config.json:\(line)"
      case .environment(let name): name
      }
    }
  }

  /// The provider, its models and its settings.
  public var provider: ProviderConfiguration
  /// The hub and the cache, with the provider's host and key where the environment names none.
  public let environment: HubEnvironment
  private var origins: [String: Origin] = [:]
  private var defaultSettings = PerformanceSettings()
  private var tuning = Tuning()

  /// What is built in, without a file and variables of settings.
  public init(environment: HubEnvironment, provider: ProviderConfiguration? = nil) {
    self.environment = environment
    self.provider = provider ?? ProviderConfiguration(endpoint: environment.endpoint)
  }

  /// Reads the configuration file, where there is one, and the variables.
  ///
  /// - Throws: `HubError.configuration` naming file, line and key.
  public static func load(_ environment: HubEnvironment = .current) throws(HubError)
    -> Configuration
  {
    let path = environment.configurationFile
    let file = try readConfiguration(path).map { (bytes) throws(HubError) in
      try ConfigurationFile(bytes, path: path)
    }
    return try Configuration(environment, file)
  }

  private init(_ environment: HubEnvironment, _ file: ConfigurationFile?) throws(HubError) {
    var hub = environment
    let namesEndpoint = !(environment.variables["HF_ENDPOINT"]?.isEmpty ?? true)
    if !namesEndpoint {
      if let host = file?.apiHost {
        hub.endpoint = HubEnvironment.withoutSlashes(host)
        // What `hf auth login` left is for the hub, not for this host.
        if environment.hasLoginToken { hub.token = nil }
      }
      // The file's key is for the file's host, not for the one that a variable names.
      if let key = file?.apiKey, environment.token == nil || environment.hasLoginToken {
        hub.token = key
      }
    }
    self.environment = hub
    provider = ProviderConfiguration(endpoint: hub.endpoint)
    tuning = Tuning(environment)
    applyMeasurements()
    if let file { file.apply(to: &provider) { origins[$0] = .file(line: $1) } }
    try applyVariables(environment.variables)
    if namesEndpoint {
      provider.provider.apiHost = hub.endpoint
      origins["provider.apiHost"] = .environment("HF_ENDPOINT")
    }
    if hub.token != nil, hub.token == environment.token {
      origins["provider.apiKey"] = .environment(
        environment.hasLoginToken ? "hf auth login" : "HF_TOKEN")
    } else if hub.token == nil {
      origins["provider.apiKey"] = nil
    }
    provider.provider.apiKey = hub.token ?? ""
    if let file { try provider.checkDefault(of: file) }
  }

  private mutating func applyVariables(_ variables: [String: String]) throws(HubError) {
    func number(_ name: String, _ range: ClosedRange<Int>) throws(HubError) -> Int? {
      guard let text = variables[name], !text.isEmpty else { return nil }
      guard let value = Int(text), range.contains(value) else {
        throw .configuration(
          file: name, line: nil, key: "",
          reason: "\"\(text)\", allowed: \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    if let threads = try number("SWIFTLET_THREADS", PerformanceSettings.threadRange) {
      defaultSettings.threads = threads
      for id in provider.performanceSettings.keys {
        provider.performanceSettings[id]?.threads = threads
        origins["performanceSettings.\(id).threads"] = .environment("SWIFTLET_THREADS")
      }
    }
    if let batchSize = try number("SWIFTLET_BATCH_SIZE", PerformanceSettings.batchRange) {
      defaultSettings.batchSize = batchSize
      for id in provider.performanceSettings.keys {
        provider.performanceSettings[id]?.batchSize = batchSize
        origins["performanceSettings.\(id).batchSize"] = .environment("SWIFTLET_BATCH_SIZE")
      }
    }
    if let model = variables["SWIFTLET_MODEL"], !model.isEmpty {
      provider.defaultModel = model
      origins["defaultModel"] = .environment("SWIFTLET_MODEL")
    }
  }

  /// Where the value at `key` came from; keys as in the file, with dots between.
  public func origin(of key: String) -> Origin { origins[key] ?? .builtIn }

  /// Puts what was measured of models in the place of what is built in.
  private mutating func applyMeasurements() {
    for id in provider.performanceSettings.keys {
      guard let found = tuning[id] else { continue }
      provider.performanceSettings[id]?.threads = found.threads
      provider.performanceSettings[id]?.batchSize = found.batchSize
      origins["performanceSettings.\(id).threads"] = .measured
      origins["performanceSettings.\(id).batchSize"] = .measured
    }
  }

  /// How `source` is to be run.
  public func settings(of source: ModelLibrary.Source) -> PerformanceSettings {
    if let settings = source.id.flatMap({ provider.performanceSettings[$0] }) { return settings }
    var settings = defaultSettings
    guard let measured = tuning[source.tuningKey] else { return settings }
    if environment.variables["SWIFTLET_THREADS"]?.isEmpty ?? true {
      settings.threads = measured.threads
    }
    if environment.variables["SWIFTLET_BATCH_SIZE"]?.isEmpty ?? true {
      settings.batchSize = measured.batchSize
    }
    return settings
  }

  /// The file's bytes; nil where there is none.
  private static func readConfiguration(_ path: String) throws(HubError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .system(path)
    }
    defer { close(descriptor) }
    let limit = 1 << 20
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = read(descriptor, &buffer, buffer.count)
      if got < 0 {
        if errno == EINTR { continue }
        throw .system(path)
      }
      if got == 0 { return bytes }
      bytes += buffer[..<got]
      guard bytes.count <= limit else {
        throw .configuration(file: path, line: nil, key: "", reason: "more than \(limit) bytes")
      }
    }
  }
}

extension ProviderConfiguration {
  /// A file's default that is no model of the list may still be a path, a URL or a repository.
  fileprivate func checkDefault(of file: ConfigurationFile) throws(HubError) {
    guard let name = file.defaultModel, let line = file.defaultModelLine,
      fileSize(name) == nil
    else { return }
    do throws(HubError) {
      if case .name = try ModelReference(name) { _ = try model(named: name) }
    } catch {
      throw .configuration(file: file.path, line: line, key: "defaultModel", reason: "\(error)")
    }
  }
}
