import KernelCore

extension Worker {
  /// RMS norm of the first `rows` rows of `input` into `output`, [rows, columns] both.
  public func rmsNorm(
    _ input: FloatMatrix, _ weight: WeightVector, epsilon: Float, rows: Int,
    into output: FloatMatrix
  ) {
    precondition(weight.count == input.columns && output.columns == input.columns)
    share(rows) { row in
      kernels.rmsNorm(
        input.pointer(row), weight.storage.values, epsilon, input.columns, output.pointer(row))
    }
  }

  /// Quantizes the first `rows` rows of `input` for the native kernels.
  public func quantize(_ input: FloatMatrix, rows: Int, into output: QuantizedMatrix) {
    precondition(output.columns == input.columns)
    share(rows) { row in
      kernels.quantizeRow(
        output.isWide, input.pointer(row), output.blockCount, output.rowQuants(row),
        output.rowBlocks(row))
    }
  }

  /// output (+)= input x weights^T, [rows, weights.columns] -> [rows, weights.rows].
  ///
  /// - Parameters:
  ///   - input: the activations, which the weights read in the precision that they want.
  ///   - rows: the tokens to compute, from `firstRow` of `input` to row 0 of `output`.
  public func linear(
    _ weights: WeightMatrix, _ input: Activations, firstRow: Int = 0, rows: Int,
    into output: FloatMatrix, accumulating: Bool = false
  ) {
    precondition(weights.columns == input.columns && weights.rows == output.columns)
    precondition(firstRow + rows <= input.rows && rows <= output.rows)
    let target = OutputRows(
      values: output.values, stride: output.stride, accumulates: accumulating)
    if let packed = weights.panels {
      shareRanges(of: weights.panelCount) { panels in
        multiply(weights, packed, panels, input, firstRow, rows, target)
      }
    } else {
      let size = OpenBLAS.rowsPerCall
      share((weights.rows + size - 1) / size) { item in
        let range = item * size..<min((item + 1) * size, weights.rows)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: size * weights.columns) { scratch in
          guard let scratch = scratch.baseAddress else { return }
          weights.dequantizeRows(range, into: scratch)
          OpenBLAS.multiply(
            input: input.values.pointer(firstRow), inputStride: input.values.stride, tokens: rows,
            weights: scratch, rows: range.count, columns: weights.columns,
            output: output.values + range.lowerBound, outputStride: output.stride,
            accumulates: accumulating)
        }
      }
    }
  }

  private func multiply(
    _ weights: WeightMatrix, _ packed: UnsafeRawPointer, _ panels: Range<Int>,
    _ input: Activations, _ firstRow: Int, _ rows: Int, _ output: OutputRows
  ) {
    guard weights.isQuantized else {
      let operands = FloatOperands(
        weights: packed, panels: panels, columns: weights.columns,
        input: input.values.pointer(firstRow), inputStride: input.values.stride, tokens: rows,
        output: output)
      switch weights.kind {
      case .f32: kernels.f32(operands)
      case .f16: kernels.f16(operands)
      default: kernels.bf16(operands)
      }
      return
    }
    let quantized = weights.wantsWideInput ? input.wide : input.narrow
    let operands = QuantizedOperands(
      weights: packed, panels: panels, input: quantized.view(from: firstRow),
      wide: quantized.isWide, tokens: rows, output: output)
    switch weights.kind {
    case .q4_0: kernels.q4_0(operands)
    case .q4_1: kernels.q4_1(operands)
    case .q5_0: kernels.q5_0(operands)
    case .q5_1: kernels.q5_1(operands)
    case .q8_0: kernels.q8_0(operands)
    case .q4_K: kernels.q4_K(operands)
    case .q5_K: kernels.q5_K(operands)
    case .q4_0Rows: kernels.q4_0Rows(operands)
    case .q4_1Rows: kernels.q4_1Rows(operands)
    case .q8_0Rows: kernels.q8_0Rows(operands)
    default: kernels.q6_K(operands)
    }
  }

  /// gate = silu(gate) * up (SwiGLU's product), the first `rows` rows.
  public func swiGLU(_ gate: FloatMatrix, _ up: FloatMatrix, rows: Int) {
    precondition(gate.columns == up.columns)
    share(rows) { row in kernels.swiGLU(gate.pointer(row), up.pointer(row), gate.stride) }
  }
}

/// The input of matrix products: as floats, and as quantized as some weights read it.
public final class Activations: Sendable {
  public let values: FloatMatrix
  let narrow: QuantizedMatrix
  let wide: QuantizedMatrix

  public var rows: Int { values.rows }
  public var columns: Int { values.columns }

  public init(rows: Int, columns: Int) {
    values = FloatMatrix(rows: rows, columns: columns)
    // Without whole blocks there are no quantized weights to read them.
    let quantizedColumns = columns % PanelGeometry.blockColumns == 0 ? columns : 0
    narrow = QuantizedMatrix(rows: rows, columns: quantizedColumns, isWide: false)
    wide = QuantizedMatrix(rows: rows, columns: quantizedColumns, isWide: true)
  }
}

extension Worker {
  /// Quantizes the first `rows` rows of `activations` as `readers` want to read them.
  public func prepare(_ activations: Activations, rows: Int, for readers: WeightMatrix...) {
    let quantized = readers.filter { $0.panels != nil && $0.isQuantized }
    if quantized.contains(where: { !$0.wantsWideInput }) {
      quantize(activations.values, rows: rows, into: activations.narrow)
    }
    if quantized.contains(where: { $0.wantsWideInput }) {
      quantize(activations.values, rows: rows, into: activations.wide)
    }
  }
}
