import ArgumentParser
import Swiftlet

struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Write a GGUF file with its matrices in another type.",
    discussion: """
      Types: \(TensorType.writable.map(\.name).joined(separator: ", ")). Vectors stay as they are; the \
      output head gets Q6_K, or Q8_0 where its rows do not allow that, as llama-quantize does.

      Example:
        swiftlet quantize model-f16.gguf model-q4_0.gguf Q4_0
      """)

  @Argument(help: "A GGUF file, or the name of a model.")
  var input: String

  @Argument(help: "The file to write. One that is there is replaced when the new one is whole.")
  var output: String

  @Argument(help: "The type of the matrices.")
  var type: TensorType

  @Flag(help: "All matrices get the type, also the output head.")
  var pure = false

  @Option(help: "Type of the output head.")
  var outputTensorType: TensorType?

  @Option(help: "Type of the token embedding.")
  var tokenEmbeddingType: TensorType?

  @Option(name: [.short, .long], help: "Threads (default: the cores this process may use).")
  var threads: Int?

  @Flag(help: "Print a JSON object.")
  var json = false

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads \(threads): allowed: 1 to 256")
    }
  }

  func run() throws {
    try reportingErrors {
      let path = try ModelLocation(input).fetch()
      guard !isSameFile(path, output) else {
        throw CommandFailure("\(output): is the input; give the output a name of its own")
      }
      let file = try GGUFFile(path: path)
      var options = Quantization.Options()
      options.isPure = pure
      options.outputType = outputTensorType
      options.embeddingType = tokenEmbeddingType
      let plan = try Quantization(file, to: type, options: options)
      warn(file)

      let team = ComputeTeam(threads: threads ?? ComputeTeam.coreCount)
      let line = ProgressLine(title: output)
      let total = plan.byteCount
      Interruption.watchWhileWriting()
      defer { line.finish() }
      do {
        try plan.write(to: output, team: team) { done in
          line.show(
            share: Double(done) / Double(max(1, total)),
            "\(megabytes(done)) of \(megabytes(total)) MB")
          return !Interruption.happened
        }
      } catch let error as ComputeError {
        throw CommandFailure("\(path): \(error)")
      } catch is CancellationError {
        line.finish()
        StandardError.write("swiftlet: cancelled: \(printable(output)) is as it was\n")
        throw ExitCode(130)
      }
      line.finish()
      try report(plan, from: file)
    }
  }

  private func warn(_ file: GGUFFile) {
    let quantized = file.tensors.filter { $0.type.blockValues > 1 }
    guard let worst = quantized.min(by: { $0.type.bitsPerWeight < $1.type.bitsPerWeight }) else {
      return
    }
    StandardError.write(
      "swiftlet: \(printable(file.name)) holds \(worst.type) already: what that lost stays lost; "
        + "an F16 or F32 file gives a better one\n")
  }

  private func isSameFile(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev
      && first.st_ino == second.st_ino
  }

  private struct Report: Encodable {
    struct Tensor: Encodable {
      let name: String
      let from: String
      let to: String
      let reason: String?
    }
    let file: String
    let bytes: Int
    let bytes_before: Int
    let tensors: [Tensor]
  }

  private func report(_ plan: Quantization, from file: GGUFFile) throws {
    let written = try GGUFFile(path: output)
    if json {
      StandardOutput.writeJSON(
        Report(
          file: output, bytes: written.byteCount, bytes_before: file.byteCount,
          tensors: plan.steps.map {
            .init(
              name: $0.source.name, from: $0.source.type.name, to: $0.type.name, reason: $0.reason)
          }))
      return
    }
    var text =
      "\(printable(output)): \(megabytes(written.byteCount)) MB, before "
      + "\(megabytes(file.byteCount)) MB\n"
    let counts = Dictionary(grouping: plan.steps, by: \.type).mapValues(\.count)
    for (type, count) in counts.sorted(by: { ($1.value, $0.key.name) < ($0.value, $1.key.name) }) {
      text += "  \(type.name.padded(6)) \(count) tensors\n"
    }
    let others = Dictionary(grouping: plan.steps.filter { $0.reason != nil }) {
      "\($0.type): \($0.reason ?? "")"
    }
    for (words, steps) in others.sorted(by: { $0.key < $1.key }) {
      text += "  \(printable(named(steps))) to \(words)\n"
    }
    StandardOutput.write(text)
  }
}

/// The first tensor's name, and how many more there are.
private func named(_ steps: [Quantization.Step]) -> String {
  let first = steps.first?.source.name ?? ""
  return steps.count > 1 ? "\(first) and \(steps.count - 1) more" : first
}

extension TensorType: ExpressibleByArgument {
  public init?(argument: String) {
    guard
      let type = TensorType.computable.first(where: {
        $0.name.lowercased() == argument.lowercased()
      })
    else { return nil }
    self = type
  }

  public static var allValueStrings: [String] { TensorType.writable.map(\.name) }
}
