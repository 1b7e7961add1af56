import GGUF
import KernelCore
import Synchronization

/// A weight matrix [rows, columns]: y = W x.
///
/// On the native path the weights are rearranged into panels when the model is loaded, which costs
/// about as much as reading them once; then each token reads them in order, with no sum across
/// lanes (docs/architecture.md, "Panels"). On the OpenBLAS path they stay in the mapped file and are
/// dequantized a few rows at a time.
public final class WeightMatrix: Sendable {
  public let name: String
  public let rows: Int
  public let columns: Int
  public let type: TensorType
  /// Whether inputs are quantized in two planes: for matrices where one costs accuracy and two cost
  /// little time.
  public let wantsWideInput: Bool
  let kind: PanelKind
  private let panels: AlignedMemory?
  private let file: GGUFFile
  private let source: TensorDescriptor

  /// - Throws: `ComputeError.shape` or `.notFinite` naming the tensor, `GGUFError` where its type
  ///   has no kernels.
  public init(
    _ tensor: TensorDescriptor, in file: GGUFFile, wantsWideInput: Bool = false, team: ComputeTeam
  ) throws {
    guard let kind = PanelKind(tensor.type) else {
      throw GGUFError(
        file: file.name, field: "tensor \(tensor.name)",
        reason: .unsupported(
          found: "type \(tensor.type)",
          allowed: TensorType.computable.map(\.name).joined(separator: ", ")))
    }
    guard tensor.columns % kind.columnMultiple == 0 else {
      throw ComputeError.shape(
        tensor: tensor.name, columns: tensor.columns, multiple: kind.columnMultiple)
    }
    name = tensor.name
    rows = tensor.rows
    columns = tensor.columns
    type = tensor.type
    self.kind = kind
    self.wantsWideInput = wantsWideInput
    self.file = file
    source = tensor
    panels =
      team.matmulPath == .native ? try Self.pack(tensor, kind, in: file, team: team) : nil
  }

  /// Whether the native kernels take quantized activations rather than floats.
  var isQuantized: Bool {
    switch kind {
    case .f32, .f16, .bf16: false
    default: true
    }
  }

  var panelCount: Int { (rows + PanelGeometry.rows - 1) / PanelGeometry.rows }

  /// Whether the weights were copied out of the file, so that its pages may go.
  public var isCopied: Bool { panels != nil }

  /// The packed panels, on the native path.
  var packed: UnsafeRawPointer? { panels.map { UnsafeRawPointer($0.base) } }

  private static func pack(
    _ tensor: TensorDescriptor, _ kind: PanelKind, in file: GGUFFile, team: ComputeTeam
  ) throws -> AlignedMemory {
    let lanes = PanelGeometry.rows
    let panelBytes = kind.panelBytes(columns: tensor.columns)
    let panelCount = (tensor.rows + lanes - 1) / lanes
    let memory = AlignedMemory(byteCount: panelCount * panelBytes)
    let rowBytes = tensor.columns / tensor.type.blockValues * tensor.type.blockBytes
    let packing = PanelPacking(
      type: tensor.type, kind: kind, columns: tensor.columns, rowBytes: rowBytes)
    let firstBad = Atomic<Int>(Int.max)
    file.withBytes(of: tensor) { bytes in
      guard let source = bytes.baseAddress else { return }
      team.run { worker in
        worker.shareRanges(of: panelCount) { range in
          for panel in range {
            let row = panel * lanes
            let bad = packing.pack(
              source + row * rowBytes, rows: min(lanes, tensor.rows - row),
              into: memory.base + panel * panelBytes)
            if let bad { firstBad.min(row + bad, ordering: .relaxed) }
          }
        }
      }
    }
    let bad = firstBad.load(ordering: .relaxed)
    guard bad == Int.max else { throw ComputeError.notFinite(tensor: tensor.name, row: bad) }
    return memory
  }

  /// Dequantizes rows `range` into `output` [rows, columns].
  func dequantizeRows(_ range: Range<Int>, into output: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    let rowBytes = columns / type.blockValues * type.blockBytes
    file.withBytes(of: source) { bytes in
      guard let base = bytes.baseAddress else { return }
      for (index, row) in range.enumerated() {
        dequantize(type, base + row * rowBytes, count: columns, into: output + index * columns)
      }
    }
  }

  /// Dequantizes row `row`: an embedding.
  public func readRow(_ row: Int, into output: UnsafeMutableBufferPointer<Float>) {
    precondition(output.count == columns, "\(output.count) values for \(columns) columns")
    if let base = output.baseAddress { dequantizeRows(row..<row + 1, into: base) }
  }
}

/// A vector of float32 weights, as norms have.
public struct WeightVector: Sendable {
  let storage: FloatMatrix
  public var count: Int { storage.columns }

  /// - Throws: `ComputeError.notFinite`, or `GGUFError` where the type is not a floating-point one.
  public init(_ tensor: TensorDescriptor, in file: GGUFFile) throws {
    guard [.f32, .f16, .bf16].contains(tensor.type) else {
      throw GGUFError(
        file: file.name, field: "tensor \(tensor.name)",
        reason: .unsupported(found: "type \(tensor.type)", allowed: "F32, F16, BF16"))
    }
    let storage = FloatMatrix(rows: 1, columns: tensor.valueCount)
    file.withBytes(of: tensor) { bytes in
      if let base = bytes.baseAddress {
        dequantize(tensor.type, base, count: tensor.valueCount, into: storage.values)
      }
    }
    let finite = storage.withRow(0) { $0.allSatisfy(\.isFinite) }
    guard finite else { throw ComputeError.notFinite(tensor: tensor.name, row: 0) }
    self.storage = storage
  }
}
