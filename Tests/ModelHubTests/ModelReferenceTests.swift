import Testing

@testable import ModelHub

@Suite struct ModelReferenceTests {
  private func repository(_ text: String) throws -> RepositoryReference {
    guard case .repository(let reference) = try ModelReference(text) else {
      throw HubError.invalidName(text, reason: "no repository")
    }
    return reference
  }

  @Test("names, repositories, addresses and paths are told apart")
  func kinds() throws {
    #expect(try ModelReference("smollm2-135m") == .name("smollm2-135m"))
    #expect(try ModelReference("Owner/Model") == .name("Owner/Model"))
    #expect(try ModelReference("model.GGUF") == .file(path: "model.GGUF"))
    #expect(try ModelReference("./model") == .file(path: "./model"))
    #expect(try ModelReference("/a/b") == .file(path: "/a/b"))
    #expect(try ModelReference("https://host/a.gguf") == .url("https://host/a.gguf"))
    for text in [
      "ftp://host/a.gguf", "file:///etc/passwd", "hf:", "hf:owner", "hf:owner/", "hf:/a",
    ] {
      #expect(throws: HubError.self, "\(text)") { try ModelReference(text) }
    }
  }

  @Test("a repository's file is named by path, quantization, or not at all, at a revision")
  func repositories() throws {
    let plain = try repository("hf:owner/name")
    #expect(
      plain.repository == "owner/name" && plain.selection == .best && plain.revision == "main")
    #expect(try repository("HF:owner/name:Q4_0").selection == .quantization("Q4_0"))
    let file = try repository("hf:owner/name/sub/file.gguf@refs/pr/1")
    #expect(file.selection == .file("sub/file.gguf") && file.revision == "refs/pr/1")
    #expect(file.description == "hf:owner/name/sub/file.gguf@refs/pr/1")
    #expect(throws: HubError.self) { try repository("hf:owner/name/file.gguf:Q4_0") }
    #expect(throws: HubError.self) { try repository("hf:owner/name@") }
  }

  @Test("links to the hub's files are repositories; other links are not")
  func links() {
    let hub = "https://huggingface.co"
    let reference = RepositoryReference(
      url: "\(hub)/owner/name/resolve/main/a/b.gguf?download=true", endpoint: hub)
    #expect(reference?.repository == "owner/name")
    #expect(reference?.selection == .file("a/b.gguf"))
    #expect(
      RepositoryReference(url: "\(hub)/owner/name/blob/v1/b.gguf", endpoint: hub)?.revision == "v1")
    for other in [
      "https://elsewhere/owner/name/resolve/main/b.gguf", "\(hub)/owner/name",
      "\(hub)x/a/b/resolve/main/c",
    ] {
      #expect(RepositoryReference(url: other, endpoint: hub) == nil)
    }
  }

  private let files = [
    "README.md", "m-Q4_0.gguf", "m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-Q8_0.gguf", "mmproj-Q4_0.gguf",
    "sub/m-IQ4_0.gguf",
  ]

  @Test("a quantization picks the file that has it between separators, whatever its case")
  func picking() throws {
    #expect(try repository("hf:o/n:q4_0").pick(from: files) == "m-Q4_0.gguf")
    #expect(try repository("hf:o/n:Q4_K_S").pick(from: files) == "m-Q4_K_S.gguf")
    #expect(try repository("hf:o/n").pick(from: files) == "m-Q4_0.gguf")
    #expect(
      try repository("hf:o/n").pick(from: ["a-Q4_K_M.gguf", "a-Q8_0.gguf"]) == "a-Q4_K_M.gguf")
    #expect(try repository("hf:o/n").pick(from: ["only.gguf", "x.txt"]) == "only.gguf")
    #expect(try repository("hf:o/n/sub/m-IQ4_0.gguf").pick(from: files) == "sub/m-IQ4_0.gguf")
  }

  @Test("several files that may be meant are listed, and so are those there are instead of none")
  func choices() throws {
    #expect(
      throws: HubError.ambiguous(name: "hf:o/n", choices: ["a-F16.gguf", "a-Q2_K.gguf"])
    ) { try repository("hf:o/n").pick(from: ["a-Q2_K.gguf", "a-F16.gguf"]) }
    #expect(
      throws: HubError.ambiguous(name: "hf:o/n:Q8_0", choices: ["a-Q8_0.gguf", "b-Q8_0.gguf"])
    ) { try repository("hf:o/n:Q8_0").pick(from: ["b-Q8_0.gguf", "a-Q8_0.gguf"]) }
    #expect(throws: HubError.noSuchFile(name: "hf:o/n:Q9", choices: ["a-Q8_0.gguf"])) {
      try repository("hf:o/n:Q9").pick(from: ["a-Q8_0.gguf", "x"])
    }
  }
}
