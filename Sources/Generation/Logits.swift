#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What is asked of all logits of a token: [vocabulary].
extension UnsafeMutableBufferPointer<Float> {
  /// Whether no value is NaN or infinite: such a value times zero is NaN, and stays so in a sum.
  var isFinite: Bool {
    var sums = SIMD16<Float>.zero
    for index in chunkStarts { sums += chunk(index) * 0 }
    return sums.sum() == 0 && rest.allSatisfy(\.isFinite)
  }

  /// The id of the largest, the lowest of equals; 0 where there is none.
  var likeliest: Int {
    var peaks = SIMD16<Float>(repeating: -.infinity)
    for index in chunkStarts {
      let chunk = chunk(index)
      peaks.replace(with: chunk, where: chunk .> peaks)
    }
    let peak = rest.reduce(peaks.max()) { Swift.max($0, $1) }
    for start in chunkStarts where any(chunk(start) .== peak) {
      return (start..<start + 16).first { self[$0] == peak } ?? start
    }
    return rest.firstIndex(of: peak) ?? 0
  }

  /// log(sum of e^logit), summed in float64.
  package var logSumExp: Float {
    let peak = self.max() ?? 0
    let sum = reduce(0.0) { $0 + exp(Double($1 - peak)) }
    return peak + Float(log(sum))
  }

  private var chunkStarts: StrideTo<Int> { stride(from: 0, to: count & ~15, by: 16) }

  /// What no chunk holds.
  private var rest: Slice<Self> { self[(count & ~15)...] }

  private func chunk(_ start: Int) -> SIMD16<Float> {
    UnsafeRawPointer(baseAddress.unsafelyUnwrapped + start).loadUnaligned(as: SIMD16<Float>.self)
  }
}
