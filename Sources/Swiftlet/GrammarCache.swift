import Grammars
import OrderedJSON
import Synchronization
import Tokenization

/// What a model has learned about grammars: the tree of its tokens, and the newest schemas' grammars.
final class GrammarCache: Sendable {
  private static let mostGrammars = 16

  private struct State {
    var trie: TokenTrie?
    /// The newest last.
    var grammars: [(schema: String, grammar: TokenGrammar)] = []
  }

  private let tokenizer: Tokenizer
  private let state = Mutex(State())

  init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  private var trie: TokenTrie {
    state.withLock { state in
      if let trie = state.trie { return trie }
      let trie = TokenTrie(tokenizer)
      state.trie = trie
      return trie
    }
  }

  func tokenGrammar(_ grammar: Grammar) throws(GrammarError) -> TokenGrammar {
    try TokenGrammar(grammar, trie)
  }

  func tokenGrammar(_ schema: GenerationSchema) throws(GrammarError) -> TokenGrammar {
    let json = schema.json
    let text = json.text
    if let known = state.withLock({ $0.grammars.first { $0.schema == text }?.grammar }) {
      return known
    }
    let grammar = try tokenGrammar(try Grammar(jsonSchema: json))
    state.withLock { state in
      state.grammars.append((text, grammar))
      if state.grammars.count > Self.mostGrammars { state.grammars.removeFirst() }
    }
    return grammar
  }
}
