import Synchronization

/// A grammar and a model's tokens: says which tokens may come next.
///
/// Shared by any number of replies, which add to what it knows: states and their tokens are kept.
public final class TokenGrammar: Sendable {
  private let network: Network
  let trie: TokenTrie
  private let state: Mutex<(table: MaskTable, epoch: Int)>

  /// - Throws: `GrammarError` where the grammar begins with itself, is too large, or has no text that the
  ///   tokens can spell.
  public init(_ grammar: Grammar, _ trie: TokenTrie) throws(GrammarError) {
    network = try Network(grammar)
    self.trie = trie
    var table = MaskTable(network, trie)
    let start = try table.start()
    guard start != StateTable.dead else { throw .empty(rule: network.names[network.root]) }
    state = Mutex((table, 0))
  }

  /// At the beginning of a text.
  public func matcher() throws(GrammarError) -> GrammarMatcher { try GrammarMatcher(self) }

  /// Calls `body` with the table and its number, which changes when the table is made anew.
  func withTable<R>(
    _ body: (inout MaskTable, Int) throws(GrammarError) -> R
  ) throws(GrammarError) -> R {
    try state.withLock { state throws(GrammarError) in
      if state.table.isFull { state = (MaskTable(network, trie), state.epoch + 1) }
      return try body(&state.table, state.epoch)
    }
  }
}

extension TokenGrammar: Equatable {
  public static func == (a: TokenGrammar, b: TokenGrammar) -> Bool { a === b }
}

/// A text in the making, and how it may go on by a grammar.
public struct GrammarMatcher: Sendable {
  private let grammar: TokenGrammar
  /// The text so far.
  private var text: [UInt8] = []
  /// A state of the table with the number `epoch`.
  private var state: Int32 = 0
  private var epoch = -1
  /// Whether the text may end here.
  public private(set) var isAccepting = false
  /// Whether nothing may come but the end.
  public private(set) var isComplete = false
  /// Bytes to an end, at least; each is at most one token.
  public private(set) var distance = 0

  fileprivate init(_ grammar: TokenGrammar) throws(GrammarError) {
    self.grammar = grammar
    try advance(by: [])
  }

  /// Goes on by a token.
  ///
  /// - Returns: false, and nothing changed, where the token may not come here.
  /// - Throws: `GrammarError.tooLarge` where there are too many ways to read the text.
  public mutating func accept(_ token: Int) throws(GrammarError) -> Bool {
    let bytes = grammar.trie.spelling(of: token)
    return try bytes.isEmpty ? false : advance(by: bytes)
  }

  @discardableResult
  private mutating func advance(by bytes: ArraySlice<UInt8>) throws(GrammarError) -> Bool {
    let matcher = self
    let (new, newEpoch, reached) = try grammar.withTable {
      table, epoch throws(GrammarError) -> (Int32, Int, StateTable.State) in
      let new = try table.next(try matcher.state(in: &table, epoch), bytes)
      return (new, epoch, table.state(new))
    }
    guard new != StateTable.dead else { return false }
    (state, epoch) = (new, newEpoch)
    isAccepting = reached.isEnd
    isComplete = reached.isEnd && reached.places.isEmpty
    distance = Int(reached.distance)
    text += bytes
    return true
  }

  /// The state in a table, which may have been made anew since.
  private func state(in table: inout MaskTable, _ epoch: Int) throws(GrammarError) -> Int32 {
    self.epoch == epoch ? state : try table.next(try table.start(), text)
  }

  /// The tokens that may come next; without those that end a reply, which may come where `isAccepting`.
  ///
  /// - Parameter remaining: tokens that there is still room for, this one included. Where it gets tight, only
  ///   those are allowed that leave room for an end. nil is any number.
  /// - Throws: `GrammarError.tooLarge` where there are too many ways to read the text.
  public func allowed(remaining: Int? = nil) throws(GrammarError) -> TokenMask {
    try grammar.withTable { table, epoch throws(GrammarError) -> TokenMask in
      let state = try state(in: &table, epoch)
      let entry = try table.entry(state)
      guard let remaining, Int(entry.farthest) > remaining - 1 else { return entry.mask }
      return try table.closing(state, within: Int32(clamping: remaining - 1))
    }
  }
}
