import ArgumentParser
import Swiftlet

/// From what a user calls a model to a file.
struct ModelLocation {
  let library: ModelLibrary
  let source: ModelLibrary.Source
  private let verifies: Bool

  /// - Parameters:
  ///   - name: nil is the configuration's default model.
  ///   - verifies: whether a file that was here already is hashed before it is used.
  init(_ name: String?, verifies: Bool = false) throws(HubError) {
    self.verifies = verifies
    library = try ModelLibrary()
    source = try library.source(of: name ?? library.configuration.provider.defaultModel)
  }

  /// How the provider wants the model to be run.
  var settings: PerformanceSettings { library.configuration.settings(of: source) }

  /// The model's file, with a progress bar where it has to be fetched.
  ///
  /// - Parameter refreshes: asks the hub what a branch means now.
  func fetch(refreshes: Bool = false) throws -> String {
    if !refreshes, let path = try library.path(of: source) {
      if verifies { try verify() }
      return path
    }
    let bar = ProgressBar(title: source.title)
    Interruption.watch()
    defer {
      bar.finish()
      Interruption.unwatch()
    }
    do {
      return try library.fetch(source, refreshes: refreshes) { state in
        bar.show(state)
        return !Interruption.happened
      }
    } catch HubError.cancelled {
      bar.finish()
      StandardError.write(
        "swiftlet: \(HubError.cancelled): swiftlet models pull \(printable(source.title))\n")
      throw ExitCode(130)
    }
  }

  private func verify() throws {
    guard let file = try library.localFile(source) else { return }
    switch try library.verify(file) {
    case .matches: break
    case .unknown:
      StandardError.write("swiftlet: \(printable(file.path)): no SHA-256 of it is known\n")
    case .differs(let fault): throw CommandFailure("\(file.path): \(fault)")
    }
  }
}
