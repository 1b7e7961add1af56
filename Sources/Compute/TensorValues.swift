import GGUF

/// A tensor's values as float32, read a few rows at a time from the file.
public struct TensorValues: Sendable {
  /// The tensor that is read.
  public let tensor: TensorDescriptor
  private let file: GGUFFile

  /// - Throws: `GGUFError` where the type is not one of `TensorType.computable`, or only the header of
  ///   `file` was read.
  public init(_ tensor: TensorDescriptor, in file: GGUFFile) throws(GGUFError) {
    try file.requireData()
    guard TensorType.computable.contains(tensor.type) else { throw file.noKernels(for: tensor) }
    self.tensor = tensor
    self.file = file
  }

  /// Dequantizes `rows`, which lie next to each other in `output`.
  public func read(_ rows: Range<Int>, into output: UnsafeMutableBufferPointer<Float>) {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= tensor.rows, "rows \(rows) of \(tensor.rows)")
    precondition(output.count >= rows.count * tensor.columns, "\(output.count) values")
    if let base = output.baseAddress { read(rows, into: base) }
  }

  func read(_ rows: Range<Int>, into output: UnsafeMutablePointer<Float>) {
    let rowBytes = tensor.columns / tensor.type.blockValues * tensor.type.blockBytes
    file.withBytes(of: tensor) { bytes in
      guard let base = bytes.baseAddress else { return }
      for (index, row) in rows.enumerated() {
        dequantize(
          tensor.type, base + row * rowBytes, count: tensor.columns,
          into: output + index * tensor.columns)
      }
    }
  }

  /// Quantizes `rows` to `type` on the threads of `team`.
  ///
  /// - Parameter type: one of `TensorType.writable` whose block divides the row length.
  /// - Throws: `ComputeError.notFinite` where a value is NaN or infinite: it would spoil its block.
  public func quantize(_ rows: Range<Int>, to type: TensorType, team: ComputeTeam)
    throws(ComputeError) -> [UInt8]
  {
    precondition(tensor.columns % type.blockValues == 0, "\(tensor.columns) columns to \(type)")
    let columns = tensor.columns
    let rowBytes = columns / type.blockValues * type.blockBytes
    var output = [UInt8](repeating: 0, count: rows.count * rowBytes)
    // Of each row: whether all of it is finite. Threads write different bytes.
    var isFinite = [Bool](repeating: true, count: rows.count)
    output.withUnsafeMutableBytes { output in
      isFinite.withUnsafeMutableBufferPointer { isFinite in
        nonisolated(unsafe) let (output, isFinite) = (output, isFinite)
        team.run { worker in
          let values = FloatMatrix(rows: 1, columns: columns)
          worker.shareRanges(of: rows.count) { range in
            for index in range {
              let row = rows.lowerBound + index
              read(row..<row + 1, into: values.values)
              isFinite[index] = values.withRow(0) { $0.allSatisfy(\.isFinite) }
              if let base = output.baseAddress {
                Compute.quantize(
                  type, values.values, count: columns, into: base + index * rowBytes)
              }
            }
          }
        }
      }
    }
    if let index = isFinite.firstIndex(of: false) {
      throw .notFinite(tensor: tensor.name, row: rows.lowerBound + index)
    }
    return output
  }
}

extension GGUFFile {
  func noKernels(for tensor: TensorDescriptor) -> GGUFError {
    GGUFError(
      file: name, field: "tensor \(tensor.name)",
      reason: .unsupported(
        found: "type \(tensor.type)",
        allowed: TensorType.computable.map(\.name).joined(separator: ", ")))
  }
}
