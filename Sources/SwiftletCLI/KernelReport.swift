import ArgumentParser
import Swiftlet

/// `bench --kernels`: single kernels in operations and bytes a second.
struct KernelReport {
  /// The names are part of the contract.
  private struct Entry: Encodable {
    let kernel: String
    let microseconds: Double
    let giga_operations: Double?
    let gigabytes: Double
  }

  func run(_ command: BenchCommand) throws {
    let instructionSet = try InstructionSet.named(environment("SWIFTLET_ISA"))
    let benchmark = KernelBenchmark(instructionSet)
    if let calls = command.call { return try call(calls, benchmark) }
    let results = benchmark.run(repetitions: command.repetitions)
    guard !command.json else {
      return StandardOutput.writeJSON(
        results.map {
          Entry(
            kernel: $0.name, microseconds: $0.seconds * 1e6, giga_operations: $0.gigaOperations,
            gigabytes: $0.gigabytes)
        })
    }
    var lines = ["| kernel | microseconds | GOP/s | GB/s |", "|---|---:|---:|---:|"]
    for result in results {
      lines.append(
        "| \(result.name) | \(formatted("%.2f", result.seconds * 1e6)) | "
          + "\(result.gigaOperations?.rounded1 ?? "") | \(result.gigabytes.rounded1) |")
    }
    lines += [
      "",
      "One thread, \(instructionSet.rawValue), data in the caches, medians of "
        + "\(command.repetitions).",
    ]
    StandardOutput.write(lines.joined(separator: "\n") + "\n")
  }

  /// For `scripts/instructions`, which counts what a call takes.
  private func call(_ calls: KernelCalls, _ benchmark: KernelBenchmark) throws {
    guard let one = benchmark.cases.first(where: { $0.name == calls.kernel }) else {
      let names = benchmark.cases.map(\.name).joined(separator: "; ")
      throw CommandFailure("no kernel \"\(printable(calls.kernel))\"; there are: \(names)")
    }
    for _ in 0..<calls.count { one.call() }
  }
}

/// `NAME=COUNT`.
struct KernelCalls: ExpressibleByArgument {
  let kernel: String
  let count: Int

  init?(argument: String) {
    let parts = argument.split(separator: "=")
    guard parts.count == 2, let count = Int(parts[1]), (0...1_000_000).contains(count) else {
      return nil
    }
    kernel = String(parts[0])
    self.count = count
  }
}
