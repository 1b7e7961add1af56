extension ModelLibrary {
  /// Why a model would not run here; empty where nothing speaks against it. Reads the file's header,
  /// asks no server.
  ///
  /// - Throws: `HubError` where the cache cannot be looked at.
  public func check(_ source: Source) throws -> [String] {
    let environment = configuration.environment
    switch try status(of: source) {
    case .damaged(_, let reason): return ["the file is damaged: \(reason)"]
    case .downloading: return ["it is being fetched"]
    case .remote:
      guard !environment.isOffline else {
        return ["\(HubError.offline(model: source.title))"]
      }
      if case .pinned(let file) = source.place, let free = environment.freeBytes,
        free < file.byteCount
      {
        return [
          "\(HubError.noSpace(path: environment.cacheFolder, needed: file.byteCount, free: free))"
        ]
      }
      return []
    case .local(let path, _):
      do {
        return try GGUFFile(path: path).faults
      } catch { return ["\(error)"] }
    }
  }
}

extension GGUFFile {
  /// Why this engine does not run the file, as far as its header shows; empty where it does.
  public var faults: [String] {
    do {
      _ = try Hyperparameters(self)
      _ = try Tokenizer(self)
    } catch { return ["\(error)"] }
    let unsupported = Set(tensors.map(\.type)).subtracting(TensorType.computable).map(\.name)
    guard unsupported.isEmpty else {
      return ["it has no kernels for \(unsupported.sorted().joined(separator: ", "))"]
    }
    return []
  }
}
