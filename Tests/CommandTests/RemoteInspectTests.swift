import Foundation
import TestSupport
import Testing

/// `inspect` of files that lie on a server.
@Suite struct RemoteInspectTests {
  private func sent(_ hub: LoopbackHub) -> Int { hub.answers.map(\.sent).reduce(0, +) }

  @Test(
    "of a 90 MiB file on a slow server less than 4 MiB are transferred, and nothing is kept",
    .enabled(if: RealModel.isPresent))
  func realModel() throws {
    let content = try Data(contentsOf: URL(fileURLWithPath: RealModel.path("Q4_0")))
    let hub = try LoopbackHub(["owner/model-GGUF/model-Q4_0.gguf": content])
    try hub.setFaults([("slow", 20e6)], repeats: true)
    let result = try BuiltCommand.run(
      ["inspect", "hf:owner/model-GGUF:Q4_0"], environment: hub.variables)
    #expect(result.status == 0, "\(result.errors)")
    let local = try BuiltCommand.run(["inspect", RealModel.path("Q4_0")])
    // All but the first line, which names the file, and the speed, which is measured.
    func facts(_ text: String) -> [Substring] {
      text.split(separator: "\n").dropFirst().filter { !$0.hasPrefix("Expected here") }
    }
    #expect(facts(result.output) == facts(local.output))
    #expect(sent(hub) < 4 << 20, "\(sent(hub)) bytes")
    let home = hub.variables["HF_HOME", default: ""]
    let kept = FileManager.default.enumerator(atPath: home)?.allObjects as? [String] ?? []
    #expect(!kept.contains { $0.contains("blobs/") || $0.hasSuffix(".gguf") }, "\(kept)")
  }

  @Test(
    "a server without ranges, a broken file and one that is no GGUF file: the header or an error")
  func otherServers() throws {
    let tiny = try Fixtures.data("tiny-f32.gguf")
    let hub = try LoopbackHub([
      "owner/a/model.gguf": tiny, "owner/b/model.gguf": tiny.prefix(1000),
      "owner/c/model.gguf": Data("<!DOCTYPE html><html>".utf8),
    ])
    func inspect(_ name: String) throws -> BuiltCommand.Result {
      try BuiltCommand.run(["inspect", "hf:owner/\(name)/model.gguf"], environment: hub.variables)
    }
    #expect(try inspect("a").output.contains("llama"))
    for (fault, value) in [("ignore-range", 0), ("status", 503)] {
      try hub.setFaults([("none", 0), (fault, value)])
      #expect(try inspect("a").output.contains("llama"), "\(fault)")
    }
    try hub.setFaults([("none", 0), ("wrong-start", 0)], repeats: false)
    #expect(try inspect("a").status == 0)
    let cut = try inspect("b")
    #expect(cut.status == 1 && cut.errors.contains("the file ends early"), "\(cut.errors)")
    let page = try inspect("c")
    #expect(page.status == 1 && page.errors.contains("an HTML page"), "\(page.errors)")
    let none = try inspect("d")
    #expect(none.status == 1 && !none.errors.isEmpty)
  }
}
