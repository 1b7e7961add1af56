import KernelCore

/// What the matrices of a step read, and how it is shared among threads.
///
/// Of a few tokens each thread makes its own copy: that takes less time than to wait for another thread
/// and to fetch from its cache what it wrote (docs/performance.md, "A reply"). Of more they share the rows. The
/// bits are the same.
public final class StepInput: Sendable {
  /// Up to how many tokens each thread works for itself.
  private let mostOwnRows: Int
  /// The values that `prepare` reads: [row, column], float32.
  public let values: FloatMatrix
  /// Of each worker.
  private let own: [Activations]
  /// What threads share of fewer tokens than a tile of `PairedActivations` has, and of more.
  private let few, many: Activations

  /// Values of a token.
  var columns: Int { values.columns }

  /// Room for `rows` tokens of `columns` values each, for teams of up to `workers` threads.
  public init(rows: Int, columns: Int, workers: Int) {
    // What sharing would spare grows with the others' part of the work, and waiting does not: measured with two
    // threads, for which it is six tokens.
    let most = min(rows, 3 * max(2, workers) / (max(2, workers) - 1))
    mostOwnRows = most
    let values = FloatMatrix(rows: rows, columns: columns)
    self.values = values
    own = (0..<workers).map { _ in
      Activations(
        FloatMatrix(rows: most, columns: columns), rows: most, workers: 1, mayPair: false)
    }
    few = Activations(
      values, rows: min(rows, PairedActivations.tile - 1), workers: workers, mayPair: false)
    many = Activations(values, rows: rows, workers: workers, mayPair: true)
  }

  /// Where the values of rows up to `end` are once a step is done.
  public func values(upTo end: Int) -> FloatMatrix { activations(upTo: end, of: 0).values }

  /// Where `worker` finds rows up to `end`.
  func activations(upTo end: Int, of worker: Int) -> Activations {
    isOwn(upTo: end) ? own[worker] : end <= few.rows ? few : many
  }

  /// Whether each thread has rows up to `end` of its own.
  func isOwn(upTo end: Int) -> Bool { end <= mostOwnRows }
}

extension Worker {
  /// Prepares rows `rows` of `input.values` for those who read them.
  ///
  /// - Returns: the rows as this worker reads them.
  public func prepare(
    _ input: StepInput, rows: Range<Int>, for readers: InputReaders
  ) -> Activations {
    let target = input.activations(upTo: rows.upperBound, of: index)
    // Values alone are where they are read.
    guard readers.needQuantized || input.isOwn(upTo: rows.upperBound)
    else {
      return target
    }
    make(rows, isOwn: input.isOwn(upTo: rows.upperBound)) { row in
      let source = input.values.pointer(row)
      let values = target.values.pointer(row)
      // Quantizing takes values out for a moment: not where other threads read.
      if values != source { values.update(from: source, count: target.columns) }
      target.quantize(row, from: values, for: readers, kernels)
    }
    return target
  }

  /// RMS norm of rows `rows` of `values` into the same rows of `input`, prepared for those who read them.
  ///
  /// - Returns: the rows as this worker reads them.
  @discardableResult
  public func rmsNorm(
    _ values: FloatMatrix, _ weight: WeightVector, epsilon: Float, rows: Range<Int>,
    into input: StepInput, for readers: InputReaders
  ) -> Activations {
    precondition(weight.count == values.columns && input.columns == values.columns)
    let target = input.activations(upTo: rows.upperBound, of: index)
    make(rows, isOwn: input.isOwn(upTo: rows.upperBound)) { row in
      let result = target.values.pointer(row)
      kernels.rmsNorm(
        values.pointer(row), weight.storage.values, epsilon, values.columns, result)
      target.quantize(row, from: result, for: readers, kernels)
    }
    return target
  }

  /// silu(gate) * up (SwiGLU's product) of rows `rows` into the same rows of `input`, prepared for those who read
  /// them. What is in `gate` may change.
  ///
  /// - Returns: the rows as this worker reads them.
  func swiGLU(
    _ gate: FloatMatrix, _ up: FloatMatrix, rows: Range<Int>, into input: StepInput,
    for readers: InputReaders
  ) -> Activations {
    precondition(gate.columns == up.columns && gate.columns == input.columns)
    let target = input.activations(upTo: rows.upperBound, of: index)
    let isOwn = input.isOwn(upTo: rows.upperBound)
    make(rows, isOwn: isOwn) { row in
      // In place, where no other thread reads it: what has just been read is in the cache.
      let result = isOwn ? target.values.pointer(row) : gate.pointer(row)
      kernels.swiGLU(gate.pointer(row), up.pointer(row), gate.stride, result, result)
      target.take(row, from: result, for: readers, kernels)
    }
    return target
  }

  /// Calls `body` with each row: with all of them where each thread has rows of its own, else shared.
  private func make(_ rows: Range<Int>, isOwn: Bool, _ body: (Int) -> Void) {
    if isOwn {
      for row in rows { body(row) }
    } else {
      shareRows(rows) { range in
        for row in range { body(row) }
      }
    }
  }
}
