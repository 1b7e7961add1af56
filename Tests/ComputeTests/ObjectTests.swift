import Foundation
import TestSupport
import Testing

/// The objects of the ISA targets, as the build left them.
@Suite struct ObjectTests {
  @Test("no code of another module is emitted weak by an instruction set's target")
  func weakSymbols() throws {
    // A weak copy of shared code compiled for AVX-512 could be the one that the linker keeps for
    // everybody. Weak symbols that carry the target's own name, as a type's, have no other copy.
    let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    for target in ["KernelsAVX2", "KernelsAVX512"] {
      let folder = products.appendingPathComponent("\(target).build")
      let objects = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { $0.hasSuffix(".o") }
      #expect(!objects.isEmpty)
      for object in objects {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["nm", "--defined-only", folder.appendingPathComponent(object).path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(
          decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let own = "\(target.count)\(target)"
        var weakCode: [Substring] = []
        for line in text.split(separator: "\n") {
          let fields = line.split(separator: " ")
          guard fields.count == 3, fields[1].lowercased() == "w" else { continue }
          if !fields[2].contains(own) { weakCode.append(fields[2]) }
        }
        #expect(weakCode.isEmpty, "\(object): \(weakCode)")
      }
    }
  }
}
