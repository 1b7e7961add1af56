import ArgumentParser
import Foundation
import Swiftlet

/// From what a user calls a model to a file.
enum ModelLocation {
  /// The file that `name` stands for, fetched where it is a model of the catalogue that is not here.
  ///
  /// - Throws: one line that says what was looked for and what there is.
  static func resolve(_ name: String) throws -> String {
    if FileManager.default.fileExists(atPath: name) || name.hasSuffix(".gguf") { return name }
    return try fetch(try entry(name))
  }

  /// The catalogue's entry for `name`.
  static func entry(_ name: String) throws(HubError) -> CatalogueEntry {
    try ProviderConfiguration().entry(named: printable(name))
  }

  /// The file of `entry`, with a progress bar where it has to be fetched.
  static func fetch(_ entry: CatalogueEntry) throws -> String {
    let bar = ProgressBar(title: entry.fileName)
    Interruption.watch()
    defer { bar.finish() }
    do {
      return try Downloader().fetch(entry) { progress in
        bar.show(progress)
        return !Interruption.happened
      }
    } catch HubError.cancelled {
      bar.finish()
      StandardError.write("swiftlet: \(HubError.cancelled)\n")
      throw ExitCode(130)
    }
  }
}
