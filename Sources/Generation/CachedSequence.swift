import Compute
import Llama

/// A cache of keys and values, and the tokens that it holds.
///
/// Not safe to share: one caller at a time.
package final class CachedSequence {
  package let model: LlamaModel
  package let cache: KeyValueCache
  package private(set) var tokens: [Int] = []

  /// - Parameter capacity: positions; memory is taken up as they are filled.
  /// - Throws: `ComputeError.memory` where the system has no room for it.
  package init(_ model: LlamaModel, capacity: Int) throws(ComputeError) {
    self.model = model
    cache = try model.makeCache(capacity: capacity)
  }

  /// Forgets what does not belong to `prompt`; at least its last token is left to compute.
  ///
  /// - Returns: how many of the prompt's tokens need not be computed.
  package func keepPrefix(of prompt: [Int]) -> Int {
    var count = 0
    for (old, new) in zip(tokens, prompt.dropLast()) {
      guard old == new else { break }
      count += 1
    }
    forget(tokens.count - count)
    return count
  }

  /// Replaces what is held by `tokens` and their keys and values, as `KeyValueCache.withContents` gave
  /// them.
  ///
  /// - Returns: false, and nothing changed, where they do not fit, or are no tokens of the model.
  package func replace(tokens: [Int], _ contents: UnsafeRawBufferPointer) -> Bool {
    let ids = 0..<model.hyperparameters.vocabularySize
    guard tokens.allSatisfy(ids.contains),
      cache.replaceContents(positions: tokens.count, contents)
    else { return false }
    self.tokens = tokens
    return true
  }

  /// Notes tokens that a pass has appended to `cache`.
  func append(_ new: some Sequence<Int>) { tokens.append(contentsOf: new) }

  /// Forgets the newest `count` tokens.
  func forget(_ count: Int) {
    tokens.removeLast(count)
    cache.truncate(to: tokens.count)
  }

  /// Brings tokens and cache together again after a pass that failed.
  func recover() {
    tokens.removeLast(max(0, tokens.count - cache.count))
    cache.truncate(to: tokens.count)
  }
}
