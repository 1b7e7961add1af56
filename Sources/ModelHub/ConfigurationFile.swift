/// The user's configuration file: any part of a `ProviderConfiguration`, under the same names.
struct ConfigurationFile {
  let path: String
  private let text: JSONText
  private(set) var apiHost: String?
  private(set) var apiKey: String?
  private(set) var defaultModelLine: Int?
  private var isEnabled: Bool?
  private var name: String?
  private var models: [ModelProvider.Model] = []
  private var settings: [(id: String, key: String, value: Int)] = []
  private var urls: [(id: String, url: String)] = []
  private(set) var defaultModel: String?

  /// - Throws: `HubError.configuration` at the first thing that is not as it has to be.
  init(_ bytes: [UInt8], path: String) throws(HubError) {
    self.path = path
    do {
      text = try JSONText(bytes)
    } catch let error as JSONText.SyntaxError {
      throw .configuration(file: path, line: error.line, key: "", reason: error.reason)
    } catch {
      throw .configuration(file: path, line: nil, key: "", reason: "this is not JSON")
    }
    let root = try object(
      text.value, [],
      allowed: ["provider", "performanceSettings", "downloadURLs", "defaultModel"])
    if let value = root["provider"] { try readProvider(value) }
    if let value = root["performanceSettings"] { try readSettings(value) }
    for (id, url) in try object(root["downloadURLs"] ?? .object([:]), ["downloadURLs"]) {
      urls.append((id, try source(url, ["downloadURLs", id])))
    }
    if let value = root["defaultModel"] {
      defaultModel = try string(value, ["defaultModel"])
      defaultModelLine = text.line(of: ["defaultModel"])
    }
  }

  private mutating func readProvider(_ value: JSONText.Value) throws(HubError) {
    let provider = try object(
      value, ["provider"],
      allowed: ["id", "name", "type", "apiKey", "apiHost", "models", "isSystem", "enabled"])
    for (key, fixed) in [("id", "huggingface"), ("type", "huggingface")] {
      if let value = provider[key], try string(value, ["provider", key]) != fixed {
        throw fault(["provider", key], "allowed: \"\(fixed)\"")
      }
    }
    if let value = provider["isSystem"] { _ = try bool(value, ["provider", "isSystem"]) }
    name = try provider["name"].map { (value) throws(HubError) in
      try string(value, ["provider", "name"])
    }
    isEnabled = try provider["enabled"].map { (value) throws(HubError) in
      try bool(value, ["provider", "enabled"])
    }
    if let value = provider["apiKey"] {
      let key = try string(value, ["provider", "apiKey"])
      guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw fault(["provider", "apiKey"], "a character that a token cannot have")
      }
      apiKey = key.isEmpty ? nil : key
    }
    if let value = provider["apiHost"] {
      let host = try string(value, ["provider", "apiHost"])
      guard host.isEmpty || host.hasPrefix("https://") || host.hasPrefix("http://") else {
        throw fault(["provider", "apiHost"], "allowed: a URL that begins with https:// or http://")
      }
      apiHost = host.isEmpty ? nil : host
    }
    guard let value = provider["models"] else { return }
    guard case .array(let list) = value else {
      throw fault(["provider", "models"], "allowed: an array")
    }
    for (index, value) in list.enumerated() {
      models.append(try model(value, ["provider", "models", String(index)]))
    }
  }

  private func model(_ value: JSONText.Value, _ path: [String]) throws(HubError)
    -> ModelProvider.Model
  {
    let fields = try object(
      value, path, allowed: ["id", "name", "description", "provider", "group", "type"])
    guard let id = fields["id"] else { throw fault(path, "a model needs an \"id\"") }
    var model = ModelProvider.Model(id: try string(id, path + ["id"]))
    guard !model.id.isEmpty else { throw fault(path + ["id"], "allowed: a name") }
    func text(_ key: String, _ old: String) throws(HubError) -> String {
      guard let value = fields[key] else { return old }
      return try string(value, path + [key])
    }
    model.name = try text("name", model.name)
    model.description = try text("description", model.description)
    model.group = try text("group", model.group)
    model.provider = try text("provider", model.provider)
    if let type = fields["type"], type != .array([.string("text")]) {
      throw fault(path + ["type"], "allowed: [\"text\"]")
    }
    return model
  }

  private mutating func readSettings(_ value: JSONText.Value) throws(HubError) {
    for (id, value) in try object(value, ["performanceSettings"]) {
      let path = ["performanceSettings", id]
      let fields = try object(value, path, allowed: ["threads", "gpuLayers", "batchSize"])
      for (key, range) in [
        ("threads", PerformanceSettings.threadRange), ("gpuLayers", 0...1_000_000),
        ("batchSize", PerformanceSettings.batchRange),
      ] {
        guard let value = fields[key] else { continue }
        guard case .number(let number) = value, let whole = Int(exactly: number),
          range.contains(whole)
        else {
          throw fault(
            path + [key], "allowed: a whole number, \(range.lowerBound) to \(range.upperBound)")
        }
        settings.append((id, key, whole))
      }
    }
  }

  /// Puts what the file says over what is there.
  ///
  /// - Parameter origin: called with each key that the file sets, and its line.
  func apply(to configuration: inout ProviderConfiguration, origin: (String, Int) -> Void) {
    func note(_ path: [String]) { origin(path.joined(separator: "."), text.line(of: path)) }
    if let apiHost {
      configuration.provider.apiHost = apiHost
      note(["provider", "apiHost"])
    }
    if apiKey != nil { note(["provider", "apiKey"]) }
    if let name {
      configuration.provider.name = name
      note(["provider", "name"])
    }
    if let isEnabled {
      configuration.provider.enabled = isEnabled
      note(["provider", "enabled"])
    }
    for (index, model) in models.enumerated() {
      let old = configuration.provider.models.firstIndex { $0.id == model.id }
      if let old {
        configuration.provider.models[old] = model
      } else {
        configuration.provider.models.append(model)
        configuration.performanceSettings[model.id] = PerformanceSettings()
      }
      origin("provider.models.\(model.id)", text.line(of: ["provider", "models", String(index)]))
    }
    for (id, url) in urls {
      configuration.downloadURLs[id] = url
      note(["downloadURLs", id])
    }
    for (id, key, value) in settings {
      var settings = configuration.settings(of: id)
      switch key {
      case "threads": settings.threads = value
      case "gpuLayers": settings.gpuLayers = value
      default: settings.batchSize = value
      }
      configuration.performanceSettings[id] = settings
      note(["performanceSettings", id, key])
    }
    if let defaultModel {
      configuration.defaultModel = defaultModel
      note(["defaultModel"])
    }
  }

  // MARK: Kinds

  private func fault(_ path: [String], _ reason: String) -> HubError {
    .configuration(
      file: self.path, line: text.line(of: path), key: path.joined(separator: "."), reason: reason)
  }

  private func object(
    _ value: JSONText.Value, _ path: [String], allowed: [String]? = nil
  ) throws(HubError) -> [String: JSONText.Value] {
    guard case .object(let fields) = value else { throw fault(path, "allowed: an object") }
    if let allowed, let unknown = fields.keys.sorted().first(where: { !allowed.contains($0) }) {
      throw fault(
        path + [unknown], "no such key; allowed: \(allowed.joined(separator: ", "))")
    }
    return fields
  }

  private func string(_ value: JSONText.Value, _ path: [String]) throws(HubError) -> String {
    guard case .string(let text) = value else { throw fault(path, "allowed: a string") }
    return text
  }

  private func bool(_ value: JSONText.Value, _ path: [String]) throws(HubError) -> Bool {
    guard case .bool(let flag) = value else { throw fault(path, "allowed: true, false") }
    return flag
  }

  /// A place that a model can come from.
  private func source(_ value: JSONText.Value, _ path: [String]) throws(HubError) -> String {
    let text = try string(value, path)
    do throws(HubError) {
      if case .name = try ModelReference(text) {
        throw fault(path, "allowed: hf:OWNER/REPO…, a URL, or the path of a .gguf file")
      }
    } catch .invalidName(let name, let reason) {
      throw fault(path, "\"\(name)\": \(reason)")
    }
    return text
  }
}
