import ArgumentParser
import Swiftlet

struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "The models on this machine and those that can be fetched.",
    discussion: """
      A model is a name from the list, hf:OWNER/REPO[:QUANT|/FILE.gguf][@REVISION], or a URL. Files
      lie in the Hugging Face cache, where Python finds them too.

      Example:
        swiftlet models pull smollm2-135m
      """,
    subcommands: [
      ModelsList.self, ModelsShow.self, ModelsPull.self, ModelsPath.self, ModelsVerify.self,
      ModelsRemove.self, ModelsPrune.self,
    ], defaultSubcommand: ModelsList.self)
}

/// Where a model's file is, as `pull` and `path` print it; the names are part of the contract.
struct ModelPlace: Encodable {
  let model: String
  let path: String
  let bytes: Int

  init(_ location: ModelLocation, _ path: String) throws {
    model = location.source.title
    self.path = path
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw CommandFailure("\(path): \(String(cString: strerror(errno)))")
    }
    bytes = Int(status.st_size)
  }

  /// The path on a line, or everything as JSON.
  func write(json: Bool) {
    if json { StandardOutput.writeJSON(self) } else { StandardOutput.write(path + "\n") }
  }
}

/// A question on the terminal; without one nobody can be asked, and the answer is yes.
enum Confirmation {
  /// - Throws: an exit with 1 where the user says no.
  static func ask(_ question: String, skipped: Bool) throws {
    guard !skipped, StandardInput.isTerminal else { return }
    StandardError.write("\(question) [y/N] ")
    let answer = readLine(strippingNewline: true)?.lowercased() ?? ""
    guard answer == "y" || answer == "yes" else {
      StandardError.write("swiftlet: nothing was removed\n")
      throw ExitCode(1)
    }
  }
}
