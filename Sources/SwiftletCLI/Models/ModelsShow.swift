import ArgumentParser
import Swiftlet

struct ModelsShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show where a model comes from, where it is, and if it would run.",
    discussion: """
      Example:
        swiftlet models show smollm2-135m
      """)

  @Argument(help: "A model (default: the default one).")
  var name: String?

  @Flag(help: "Print a JSON object.")
  var json = false

  /// The names are part of the contract.
  private struct Report: Encodable {
    let model: String
    let id: String?
    let description: String?
    let source: String
    let status: String
    let bytes: Int?
    let path: String?
    let sha256: String?
    let settings: PerformanceSettings
    /// Why it would not run; empty where it would.
    let faults: [String]
  }

  func run() throws {
    try reportingErrors {
      let location = try ModelLocation(name)
      let report = try report(location)
      guard !json else { return StandardOutput.writeJSON(report) }
      var rows = [("Model", report.model)]
      if let id = report.id { rows.append(("Id", id)) }
      if let text = report.description, !text.isEmpty { rows.append(("Description", text)) }
      rows.append(("From", report.source))
      if let sha256 = report.sha256 { rows.append(("SHA-256", sha256)) }
      if let bytes = report.bytes { rows.append(("Size", "\(megabytes(bytes)) MB")) }
      rows.append(("Status", report.status))
      if let path = report.path { rows.append(("Path", path)) }
      rows.append(("Threads", "\(report.settings.threads)"))
      rows.append(("Batch size", "\(report.settings.batchSize)"))
      rows.append(
        (
          "Would run",
          report.faults.isEmpty ? "yes" : "no: " + report.faults.joined(separator: "; ")
        ))
      for (title, value) in rows {
        StandardOutput.write("\(title.padded(13)) \(printable(value, limit: .max))\n")
      }
    }
  }

  private func report(_ location: ModelLocation) throws -> Report {
    let library = location.library
    let source = location.source
    let endpoint = library.configuration.environment.endpoint
    let from: String
    var bytes: Int?
    var sha256: String?
    switch source.place {
    case .pinned(let file):
      (from, bytes, sha256) = (file.url(endpoint: endpoint), file.byteCount, file.sha256)
    case .repository(let reference): from = reference.description
    case .web(let url): from = url
    case .local(let path): from = path
    }
    let status: String
    var path: String?
    switch try library.status(of: source) {
    case .local(let place, let count): (status, path, bytes) = ("local", place, count)
    case .damaged(let place, let reason): (status, path) = ("damaged: \(reason)", place)
    case .downloading: status = "downloading"
    case .remote: status = "remote"
    }
    let model = library.configuration.provider.provider.models.first { $0.id == source.id }
    return Report(
      model: source.title, id: source.id, description: model?.description, source: from,
      status: status, bytes: bytes, path: path, sha256: sha256, settings: location.settings,
      faults: try library.check(source))
  }
}
