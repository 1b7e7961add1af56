import ArgumentParser
import Swiftlet

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what a GGUF file holds, and what running it takes.",
    discussion: """
      Examples:
        swiftlet inspect model.gguf
        swiftlet inspect model.gguf --key llama.context_length
        swiftlet inspect model.gguf --check
      """)

  @Argument(
    help:
      "A GGUF file, the name of a model, hf:… or a URL; of one on a server only the header is read."
  )
  var model: String

  @Option(
    name: [.short, .long],
    help: "Positions to count memory and speed for; as `run`, 2048 unless the model has less.")
  var context: Int?

  @Flag(help: "Show every tensor.")
  var tensors = false

  @Flag(help: "Show every metadata key.")
  var metadata = false

  @Option(help: "Show one metadata value, whole.")
  var key: String?

  @Flag(
    help:
      "Check everything, down to each block of weights; name every fault and fail if there is one."
  )
  var check = false

  @Flag(help: "Show the range, the mean and the distribution of each tensor's values.")
  var stats = false

  @Option(
    help: .init("Write the statistics as a page of HTML with plots.", valueName: "file"))
  var html: String?

  @Flag(help: "Print the SHA-256 of the file and of each tensor's bytes.")
  var hash = false

  @Option(
    help:
      "Show the metadata and tensors in which another file differs, and by how much; exit 1 if any do."
  )
  var diff: String?

  @Flag(help: "Print a JSON object.")
  var json = false

  func validate() throws {
    if let context, !(1...1 << 30).contains(context) {
      throw ValidationError("--context \(context): allowed: 1 to \(1 << 30)")
    }
  }

  func run() throws {
    try reportingErrors {
      if check { return try runCheck() }
      let file = try open()
      if hash { return try printHashes(file) }
      if let diff {
        let report = try DifferenceReport(
          file, try GGUFFile(path: try ModelLocation(diff).fetch()))
        if json { StandardOutput.writeJSON(report) } else { StandardOutput.write(report.text) }
        if !report.isSame { throw ExitCode(1) }
        return
      }
      if let html { return try writePage(file, to: html) }
      if stats {
        let report = try StatisticsReport(file)
        if json { return StandardOutput.writeJSON(report) }
        return StandardOutput.write(report.text)
      }
      let listing = FileListing(file: file)
      if let key {
        StandardOutput.write(try listing.value(of: key) + "\n")
      } else if json {
        StandardOutput.writeJSON(InspectReport(file, contextLength: context))
      } else if tensors || metadata {
        let parts = (metadata ? [listing.metadata] : []) + (tensors ? [listing.tensors] : [])
        StandardOutput.write(parts.joined(separator: "\n"))
      } else {
        StandardOutput.write(InspectReport(file, contextLength: context).text)
      }
    }
  }

  /// The file, where it is here; of one on a server only the header.
  private func open() throws -> GGUFFile {
    let location = try ModelLocation(model)
    if let path = try location.library.path(of: location.source) {
      return try GGUFFile(path: path)
    }
    // What reads every block takes the whole file.
    guard !check, !stats, html == nil, !hash, diff == nil else {
      return try GGUFFile(path: try location.fetch())
    }
    var file: GGUFFile?
    Interruption.watch()
    defer { Interruption.unwatch() }
    try location.library.readBeginning(
      of: location.source, isCancelled: { Interruption.happened }
    ) { bytes, total in
      do throws(GGUFError) {
        file = try GGUFFile(header: bytes, fileByteCount: total, name: location.source.title)
      } catch {
        // A header that is cut off where the bytes end is read on.
        guard case .truncated = error.reason, bytes.count < total else { throw error }
      }
      return file != nil
    }
    guard let file else { throw CommandFailure("\(model): no header") }
    return file
  }

  private func writePage(_ file: GGUFFile, to path: String) throws {
    // A slip of the hand must not cost a model.
    let old = try? MappedFile(path: path)
    guard old?.bytes.prefix(4).elementsEqual("GGUF".utf8) != true else {
      throw CommandFailure("\(path): is a GGUF file; the page wants a name of its own")
    }
    let page = StatisticsPage(file, try StatisticsReport(file, bins: 64))
    let output = try OutputFile(path: path)
    try output.write(page.html.utf8)
    try output.publish()
  }

  /// As `sha256sum` prints them, the file first.
  private func printHashes(_ file: GGUFFile) throws {
    struct Hashes: Encodable {
      let file: String
      let sha256: String
      let tensors: [String: String]
    }
    let whole = try sha256(ofFile: file.name)
    var hashes: [String: String] = [:]
    if !json { StandardOutput.write("\(whole)  \(printable(file.name, limit: .max))\n") }
    for tensor in file.tensors {
      let found = file.withBytes(of: tensor) { sha256(of: $0) }
      hashes[tensor.name] = found
      if !json { StandardOutput.write("\(found)  \(printable(tensor.name))\n") }
      file.releasePages(of: tensor)
    }
    if json {
      StandardOutput.writeJSON(Hashes(file: file.name, sha256: whole, tensors: hashes))
    }
  }

  private struct Finding: Encodable {
    let fault: Bool
    let field: String?
    let offset: Int?
    let message: String
  }

  private struct Verdict: Encodable {
    let file: String
    let sound: Bool
    let findings: [Finding]
  }

  private func runCheck() throws {
    let file: GGUFFile
    let check: FileCheck
    do {
      file = try open()
      check = try FileCheck(file)
    } catch let error as GGUFError where json {
      // A header that cannot be read is a fault like others.
      let finding = Finding(
        fault: true, field: error.field, offset: error.offset, message: error.description)
      StandardOutput.writeJSON(Verdict(file: error.file, sound: false, findings: [finding]))
      throw ExitCode(1)
    }
    if json {
      StandardOutput.writeJSON(
        Verdict(
          file: file.name, sound: check.faults.isEmpty,
          findings: check.findings.map {
            Finding(
              fault: $0.isFault, field: $0.error?.field, offset: $0.error?.offset,
              message: $0.description)
          }))
    } else {
      for finding in check.findings {
        StandardOutput.write(
          "\(finding.isFault ? "fault" : "warning"): \(printable(finding.description, limit: .max))\n"
        )
      }
      let odd = check.findings.count - check.faults.count
      StandardOutput.write(
        "\(printable(file.name)): "
          + (check.faults.isEmpty ? "sound" : "\(check.faults.count) faults")
          + (odd > 0 ? ", \(odd) warnings" : "") + "\n")
    }
    if !check.faults.isEmpty { throw ExitCode(1) }
  }
}
