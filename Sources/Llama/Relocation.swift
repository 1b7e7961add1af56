import Compute

/// Moves weights out of the mapped file, some with each token, until all are where they are read
/// fastest: the first token comes without waiting for it, and a long reply hardly notices.
final class Relocation: @unchecked Sendable {
  // @unchecked Sendable: changed between batches, which a model computes one at a time.

  /// Steps in which everything is moved.
  static let steps = 24
  /// Tokens of a step at most, guesses included; with more it is a prompt, whose end is waited for.
  static let mostTokens = 8

  private let team: ComputeTeam
  private var remaining: ArraySlice<WeightMatrix>
  private let bytesPerStep: Int

  init(_ weights: Weights, team: ComputeTeam) {
    self.team = team
    // A separate embedding is only looked up.
    let movable = weights.matrices.filter {
      $0.isInFile && ($0 !== weights.tokenEmbedding || $0 === weights.output)
    }
    remaining = movable[...]
    bytesPerStep = movable.reduce(0) { $0 + $1.byteCount } / Self.steps
  }

  func step() {
    var moved = 0
    while moved < bytesPerStep, let matrix = remaining.popFirst() {
      matrix.move(team: team)
      moved += matrix.byteCount
    }
  }
}
