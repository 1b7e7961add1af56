import ArgumentParser
import Swiftlet

struct ModelsPrune: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Remove what no model needs: broken-off downloads, files without a name.",
    discussion: """
      Only repositories with GGUF files are looked at; what is being fetched is left alone.

      Example:
        swiftlet models prune --dry-run
      """)

  @Flag(name: [.customShort("n"), .long], help: "Only say what would be removed.")
  var dryRun = false

  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false

  @Flag(help: "Print a JSON array of what is removed.")
  var json = false

  private struct Entry: Encodable {
    let kind: String
    let path: String
    let bytes: Int
  }

  func run() throws {
    try reportingErrors {
      let scan = CacheScan(try Configuration.load().environment.cache)
      let leftovers = scan.leftovers
      if json {
        StandardOutput.writeJSON(
          leftovers.map { Entry(kind: $0.kind.rawValue, path: $0.path, bytes: $0.byteCount) })
      } else {
        for leftover in leftovers {
          StandardOutput.write(
            "\(leftover.kind.rawValue.padded(12)) \("\(megabytes(leftover.byteCount)) MB".padded(10))"
              + " \(printable(leftover.path, limit: .max))\n")
        }
      }
      let size = "\(megabytes(leftovers.reduce(0) { $0 + $1.byteCount })) MB"
      guard !leftovers.isEmpty, !dryRun else {
        if !json { StandardOutput.write("\(leftovers.isEmpty ? "nothing" : size) to free\n") }
        return
      }
      try Confirmation.ask("Remove these and free \(size)?", skipped: yes)
      var freed = 0
      for leftover in leftovers where try scan.remove(leftover) { freed += leftover.byteCount }
      if !json { StandardOutput.write("freed \(megabytes(freed)) MB\n") }
    }
  }
}
