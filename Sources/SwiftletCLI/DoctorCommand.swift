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
      let hub = try Configuration.load().environment
      let available = InstructionSet.allCases.filter(\.isAvailable).map(\.rawValue)
      let chosen = try InstructionSet.named(environment("SWIFTLET_ISA"))
      let fault = hub.isOffline ? "not asked: HF_HUB_OFFLINE" : Connectivity.fault(hub)
      StandardOutput.write(
        """
        Cores              \(ComputeTeam.coreCount)
        Instruction sets   \(available.joined(separator: ", "))
        Kernels            \(chosen.rawValue)
        OpenBLAS           \(MatmulPath.openBLASVersion ?? "not installed")
        libcurl            \(Connectivity.libraryVersion ?? "not installed")
        Configuration      \(hub.configurationFile)
        Cache              \(hub.cacheFolder)
        Free there         \(hub.freeBytes.map { "\($0 / 1_000_000) MB" } ?? "not known")
        Endpoint           \(hub.endpoint): \(fault ?? "reachable")

        """)
    }
  }
}
