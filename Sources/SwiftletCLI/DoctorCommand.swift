import ArgumentParser
import Swiftlet

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Show what this machine offers and what Swiftlet uses of it.",
    discussion: """
      Example:
        swiftlet doctor
      """)

  func run() throws {
    try reportingErrors {
      let available = InstructionSet.allCases.filter(\.isAvailable).map(\.rawValue)
      let chosen = try InstructionSet.named(environment("SWIFTLET_ISA"))
      StandardOutput.write(
        """
        Cores              \(ComputeTeam.coreCount)
        Instruction sets   \(available.joined(separator: ", "))
        Kernels            \(chosen.rawValue)

        """)
    }
  }
}
