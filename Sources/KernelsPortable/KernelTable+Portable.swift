import KernelCore

/// The kernels of `Portable`.
public func portableKernelTable() -> KernelTable {
  KernelTable(
    name: "portable", readsInOrder: false,
    q4_0: { multiply(FourBitPanel.self, $0) },
    q4_1: { multiply(MinimumPanel<Nibbles>.self, $0) },
    q5_0: { multiply(OffsetPanel<NibblesAndBits>.self, $0) },
    q5_1: { multiply(MinimumPanel<NibblesAndBits>.self, $0) },
    q8_0: { multiply(OffsetPanel<WholeBytes>.self, $0) },
    q4_K: { multiply(SuperMinimumPanel<Nibbles>.self, $0) },
    q5_K: { multiply(SuperMinimumPanel<NibblesAndBits>.self, $0) },
    q6_K: { multiply(SixBitPanel.self, $0) },
    q4_0Rows: { multiply(FourBitRows.self, $0) },
    q4_1Rows: { multiply(MinimumRows<NibbleRows>.self, $0) },
    q8_0Rows: { multiply(OffsetRows<SignedByteRows>.self, $0) },
    f32: { multiply(SinglePrecision.self, $0) },
    f16: { multiply(HalfPrecision.self, $0) },
    bf16: { multiply(BrainFloat.self, $0) },
    interleave: { interleaveRows(Portable.self, $0, $1, blocks: $2, into: $3) },
    attendHalf: {
      attendSpan(Portable.self, HalfPrecision.self, largestTile: 2, $0, scores: $1, into: $2)
    },
    attendShort: {
      attendFixedSpan(Portable.self, ShortKeys.self, largestTile: 2, $0, scores: $1, into: $2)
    },
    attendBytes: {
      attendFixedSpan(Portable.self, ByteKeys.self, largestTile: 2, $0, scores: $1, into: $2)
    },
    attendSingle: {
      attendSpan(Portable.self, SinglePrecision.self, largestTile: 2, $0, scores: $1, into: $2)
    },
    mergeSpan: { mergeSpan(Portable.self, $0, into: $1, rows: $2, headSize: $3) },
    finishAttention: { finishAttention(Portable.self, $0, row: $1, headSize: $2, output: $3) },
    rotate: {
      rotate(Portable.self, $0, count: $1, by: $2, scale: $3, output: $4, next: $5)
    },
    rmsNorm: { rmsNorm(Portable.self, $0, weight: $1, epsilon: $2, count: $3, output: $4) },
    quantizeRow: {
      quantizeRow(Portable.self, $0, blockCount: $1, records: $2, step: $3, outliers: $4)
    },
    quantizePairedRow: nil,
    quantizeWideRow: {
      quantizeWideRow(Portable.self, $0, blockCount: $1, records: $2, step: $3)
    },
    swiGLU: { swiGLU(Portable.self, gate: $0, up: $1, count: $2, output: $3, next: $4) },
    storeHalf: { Portable.storeHalf(Portable.load($0), $1) },
    quantizeShortQuery: { ShortKeys.quantizeQuery(Portable.self, $0, count: $1) },
    quantizeByteQuery: { ByteKeys.quantizeQuery(Portable.self, $0, count: $1) },
    storeShortKey: { storeKey(Portable.self, ShortKeys.self, $0, headSize: $1, at: $2) },
    storeByteKey: { storeKey(Portable.self, ByteKeys.self, $0, headSize: $1, at: $2) },
    storeByteValue: { storeValue(Portable.self, $0, headSize: $1, at: $2) }
  )
}

/// Each kernel is compiled for one precision.
@inline(__always)
private func multiply<F: PanelFormat>(_ format: F.Type, _ o: QuantizedOperands) {
  if o.wide {
    quantizedMatmul(
      Portable.self, format, TwoPlanes.self, largestTile: 2, readsInOrder: false,
      weights: o.weights, panels: o.panels, input: o.input, tokens: o.tokens, output: o.output,
      ahead: nil)
  } else {
    quantizedMatmul(
      Portable.self, format, OnePlane.self, largestTile: 2, readsInOrder: false,
      weights: o.weights, panels: o.panels, input: o.input, tokens: o.tokens, output: o.output,
      ahead: nil)
  }
}

@inline(__always)
private func multiply<F: FloatFormat>(_ format: F.Type, _ o: FloatOperands) {
  floatMatmul(
    Portable.self, format, largestTile: 2, weights: o.weights, panels: o.panels,
    columns: o.columns, input: o.input, inputStride: o.inputStride, tokens: o.tokens,
    output: o.output)
}
