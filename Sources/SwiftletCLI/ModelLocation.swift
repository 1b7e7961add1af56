import Foundation
import Swiftlet

/// From what a user calls a model to a file.
enum ModelLocation {
  /// - Throws: one line that says what was looked for and what there is.
  static func resolve(_ name: String) throws -> String {
    if name.contains("/") && FileManager.default.fileExists(atPath: name) { return name }
    if name.hasSuffix(".gguf") || FileManager.default.fileExists(atPath: name) { return name }
    if let entry = Catalogue.entry(name) { return try cached(entry) }
    throw CommandFailure(
      "unknown model \"\(printable(name))\": no such file, and no such name (nearest: "
        + Catalogue.nearest(to: name).joined(separator: ", ") + ")")
  }

  private static func cached(_ entry: CatalogueEntry) throws -> String {
    throw CommandFailure(
      "\(entry.shortName) is not on this machine; scripts/model makes it from a Python package")
  }
}
