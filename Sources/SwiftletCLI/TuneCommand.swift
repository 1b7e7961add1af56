import ArgumentParser
import Swiftlet

struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract:
      "Find the threads and the batch size that a model is fastest with here, and keep them.",
    discussion: """
      What is found goes before what is built in, and behind the configuration file, the environment
      and options ('swiftlet provider' shows it as "measured").

      Example:
        swiftlet tune -m smollm2-135m
      """)

  @OptionGroup var model: ModelArgument

  @Flag(name: [.customShort("n"), .long], help: "Only measure.")
  var dryRun = false

  @Option(name: [.short, .long], help: "Repetitions, of which the median counts.")
  var repetitions = 3

  func validate() throws {
    guard (1...100).contains(repetitions) else {
      throw ValidationError("--repetitions \(repetitions): allowed: 1 to 100")
    }
  }

  func run() throws {
    try reportingErrors {
      let location = try model.location()
      let path = try location.fetch()
      var options = LoadingOptions(location.settings)
      options.instructionSet = try .named(environment("SWIFTLET_ISA"))
      var tuner = Tuner()
      tuner.repetitions = repetitions
      var measurements: [Tuner.Measurement] = []
      let sizes = Tuner.batchSizes.map { " prompt, batches of \($0) |" }.joined()
      StandardOutput.write("| threads |\(sizes) reply |\n|---:|")
      StandardOutput.write(String(repeating: "---:|", count: Tuner.batchSizes.count + 1) + "\n")
      Interruption.watch()
      try tuner.run(path: path, options: options) { one in
        measurements.append(one)
        let prefill = one.prefill.map { " \($0.tokensPerSecond.rounded1) |" }.joined()
        StandardOutput.write("| \(one.threads) |\(prefill) \(one.decode.rounded1) |\n")
        return !Interruption.happened
      }
      if Interruption.happened { throw HubError.cancelled }
      guard let best = Tuner.best(measurements) else { return }
      StandardOutput.write(
        "\n\(printable(location.source.title)): \(best.threads) threads, batches of "
          + "\(best.batchSize)\n")
      guard !dryRun else { return }
      let environment = location.library.configuration.environment
      var tuning = Tuning(environment)
      tuning[location.source.tuningKey] = Tuning.Settings(
        threads: best.threads, batchSize: best.batchSize)
      try tuning.save(environment)
    }
  }
}
