import GGUF

extension Tokenizer {
  /// What is odd in a file's token tables, and does no harm: double and empty tokens, kinds that do not
  /// exist, texts outside the byte alphabet, merges that cannot apply. Of each kind the first, and how many
  /// there are.
  package static func oddities(_ file: GGUFFile) -> [GGUFError] {
    let metadata = MetadataReader(file)
    var found = Oddities(metadata)
    guard let tokens = try? metadata.strings(Key.tokens) else { return [] }
    var ids: [[UInt8]: Int] = [:]
    let types = (try? metadata.integers(Key.types, count: tokens.count)) ?? []
    tokens.forEachString { id, bytes in
      let text = [UInt8](bytes)
      if text.isEmpty { found.add(Key.tokens, "empty", "token \(id), which is empty", "a text") }
      if let first = ids[text] {
        found.add(
          Key.tokens, "double", "token \(id) with the text of token \(first)", "a text of its own")
      } else {
        ids[text] = id
      }
      let isPlain = types.indices.contains(id) ? types[id] == 1 : true
      if isPlain, !ByteAlphabet.spells(text) {
        found.add(
          Key.tokens, "alphabet", "token \(id) with characters that spell no byte",
          "the alphabet of byte-level BPE")
      }
    }
    for (id, type) in types.enumerated() where !(1...6).contains(type) {
      found.add(Key.types, "type", "\(type), of token \(id)", "1 to 6")
    }
    var merges = Set<[UInt8]>()
    (try? metadata.strings(Key.merges))??.forEachString { index, bytes in
      let text = [UInt8](bytes)
      let parts = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2 else { return }
      if ids[Array(parts[0])] == nil || ids[Array(parts[1])] == nil
        || ids[Array(parts[0]) + parts[1]] == nil
      {
        found.add(
          Key.merges, "unknown", "merge \(index) whose parts or result are no tokens", "tokens")
      }
      if !merges.insert(text).inserted {
        found.add(Key.merges, "double", "merge \(index) a second time", "each merge once")
      }
    }
    return found.errors
  }

  private struct Oddities {
    private let metadata: MetadataReader
    private var first: [(field: String, kind: String, found: String, allowed: String, count: Int)] =
      []

    init(_ metadata: MetadataReader) { self.metadata = metadata }

    mutating func add(_ field: String, _ kind: String, _ found: String, _ allowed: String) {
      if let place = first.firstIndex(where: { $0.field == field && $0.kind == kind }) {
        first[place].count += 1
      } else {
        first.append((field, kind, found, allowed, 1))
      }
    }

    var errors: [GGUFError] {
      first.map { oddity in
        let more = oddity.count > 1 ? " and \(oddity.count - 1) more" : ""
        return metadata.refuse(oddity.field, found: oddity.found + more, allowed: oddity.allowed)
      }
    }
  }
}
