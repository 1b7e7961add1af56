import Tokenization

/// The bytes of a model's tokens as a tree, in the order of a walk: what tokens begin with alike is
/// looked at once.
public struct TokenTrie: Sendable {
  /// Of each node, in preorder: the byte that leads to it, how many are above it, the index after the
  /// last node below it.
  let bytes: [UInt8]
  let depths: [UInt16]
  let ends: [Int32]
  /// The tokens that end at node i are `tokens[firstTokens[i]..<firstTokens[i + 1]]`.
  let tokens: [Int32]
  let firstTokens: [Int32]
  /// The longest token, in bytes.
  let deepest: Int
  /// Tokens of the model, those that are not in the tree included.
  let vocabularySize: Int
  /// Whether a token of one byte stands for it.
  let hasByte: [Bool]
  /// Of each token.
  private let spellings: Spellings

  /// Longer tokens are left out: none that a text needs.
  private static let longest = 1024

  /// Takes some milliseconds; one serves any number of grammars.
  public init(_ tokenizer: Tokenizer) {
    vocabularySize = tokenizer.vocabularySize
    spellings = Spellings(tokenizer, longest: Self.longest)
    let spellings = spellings
    let order = spellings.inOrder()
    var bytes: [UInt8] = []
    var depths: [UInt16] = []
    var ends: [Int32] = []
    var tokens: [Int32] = []
    var firstTokens: [Int32] = []
    var path: [Int] = []
    var hasByte = [Bool](repeating: false, count: 256)
    var deepest = 0
    var last: ArraySlice<UInt8> = []
    for id in order {
      let spelling = spellings[id]
      let shared = zip(last, spelling).prefix { $0 == $1 }.count
      while path.count > shared { ends[path.removeLast()] = Int32(bytes.count) }
      for byte in spelling.dropFirst(shared) {
        path.append(bytes.count)
        depths.append(UInt16(path.count - 1))
        bytes.append(byte)
        ends.append(0)
        firstTokens.append(Int32(tokens.count))
      }
      // A token that another one is the beginning of comes first: no node comes between.
      tokens.append(Int32(id))
      deepest = max(deepest, spelling.count)
      if spelling.count == 1 { hasByte[Int(spelling[spelling.startIndex])] = true }
      last = spelling
    }
    while let node = path.popLast() { ends[node] = Int32(bytes.count) }
    firstTokens.append(Int32(tokens.count))
    self.bytes = bytes
    self.depths = depths
    self.ends = ends
    self.tokens = tokens
    self.firstTokens = firstTokens
    self.deepest = deepest
    self.hasByte = hasByte
  }

  /// The bytes of a token; empty where it is not in the tree.
  func spelling(of id: Int) -> ArraySlice<UInt8> { spellings[id] }
}

/// The bytes of all tokens in one buffer.
private struct Spellings: Sendable {
  private var text: [UInt8] = []
  private var ends: [Int] = []

  init(_ tokenizer: Tokenizer, longest: Int) {
    for id in 0..<tokenizer.vocabularySize {
      if !tokenizer.isControlToken(id), !tokenizer.endOfGeneration.contains(id) {
        let bytes = tokenizer.bytes(of: id)
        if bytes.count <= longest { text += bytes }
      }
      ends.append(text.count)
    }
  }

  /// The tokens that have bytes, by these; equals by id.
  func inOrder() -> [Int] {
    // Nearly all differ in their first eight bytes, which compare as one number.
    let keyed = ends.indices.compactMap { id -> (key: UInt64, id: Int)? in
      let bytes = self[id]
      guard !bytes.isEmpty else { return nil }
      let key = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
      return (key << UInt64(8 * (8 - min(8, bytes.count))), id)
    }
    return keyed.sorted { a, b in
      guard a.key == b.key else { return a.key < b.key }
      let (first, second) = (self[a.id], self[b.id])
      return first.lexicographicallyPrecedes(second)
        || first.elementsEqual(second) && a.id < b.id
    }.map(\.id)
  }

  subscript(_ id: Int) -> ArraySlice<UInt8> {
    guard ends.indices.contains(id) else { return [] }
    return text[(id == 0 ? 0 : ends[id - 1])..<ends[id]]
  }
}
