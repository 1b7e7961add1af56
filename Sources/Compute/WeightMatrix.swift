import GGUF
import KernelCore
import Synchronization

/// A weight matrix [rows, columns]: y = W x.
///
/// The formats that SmolLM2's files mostly hold (Q4_0, Q4_1, Q8_0) are multiplied where they lie, in
/// the mapped file, until `move` interleaves them; the others are interleaved when the model is loaded
/// (docs/architecture.md, "Start and speed"). On the OpenBLAS path all stay in the file and are dequantized a
/// few rows at a time.
public final class WeightMatrix: Sendable {
  /// The tensor's name in the file.
  public let name: String
  /// Rows: values of an output.
  public let rows: Int
  /// Columns: values of an input.
  public let columns: Int
  /// The element type in the file.
  public let type: TensorType
  /// Whether inputs are quantized in two planes: for matrices where one costs accuracy and two cost
  /// little time.
  public let wantsWideInput: Bool
  // The two that `move` changes are safe to share: they change between runs of the team, whose
  // start and end order memory.
  nonisolated(unsafe) private(set) var kind: PanelKind
  /// What the native kernels read, in memory of `file` or `arena`; nil on the OpenBLAS path.
  nonisolated(unsafe) private(set) var panels: UnsafeRawPointer?
  /// Owns `panels` where they are a copy.
  private let arena: WeightArena
  private let file: GGUFFile
  private let source: TensorDescriptor
  private let values: TensorValues

  /// - Parameter arena: where the panels go; nil makes one for this matrix alone.
  /// - Throws: `ComputeError.memory`; `.shape` naming the tensor; `.notFinite` where weights were looked at, which
  ///   are those that are rearranged (`checkFinite` looks at all); `GGUFError` where the type has no
  ///   kernels.
  public init(
    _ tensor: TensorDescriptor, in file: GGUFFile, wantsWideInput: Bool = false, team: ComputeTeam,
    arena: WeightArena? = nil
  ) throws {
    values = try TensorValues(tensor, in: file)
    guard let kind = PanelKind(tensor, team: team) else { throw file.noKernels(for: tensor) }
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
    self.arena = try arena ?? WeightArena([tensor], team: team)
    guard !team.usesOpenBLAS(for: kind) else { return }
    if kind.isInFile {
      panels = file.withBytes(of: tensor) { $0.baseAddress }
    } else if let memory = self.arena.take(kind.packedBytes(rows: rows, columns: columns)) {
      panels = UnsafeRawPointer(memory)
      try pack(into: memory, team: team)
    }
  }

  /// Whether the native kernels take quantized activations rather than floats.
  var isQuantized: Bool { kind.isQuantized }

  var panelCount: Int { (rows + PanelGeometry.rows - 1) / PanelGeometry.rows }

  /// Whether our kernels multiply it rather than OpenBLAS.
  public var isNative: Bool { panels != nil }

  /// Whether the native kernels read the mapped file.
  public var isInFile: Bool { kind.isInFile && isNative }

  /// Bytes that a matrix takes in memory once it is interleaved; nil where its type has no kernels.
  public static func packedByteCount(_ tensor: TensorDescriptor) -> Int? {
    PanelKind(tensor.type)?.interleaved.packedBytes(rows: tensor.rows, columns: tensor.columns)
  }

  /// Bytes in the file.
  public var byteCount: Int { source.byteCount }

  /// Interleaves a matrix that is read from the file into the arena, for faster reading from then on.
  /// Results keep their bits. Not to be called while the matrix is in use.
  public func move(team: ComputeTeam) {
    let interleaved = kind.interleaved
    guard isInFile, let panels,
      let memory = arena.take(interleaved.packedBytes(rows: rows, columns: columns))
    else { return }
    let blocks = columns / PanelGeometry.blockColumns
    let sourceBytes = kind.panelBytes(columns: columns)
    let targetBytes = interleaved.panelBytes(columns: columns)
    team.run { worker in
      worker.shareRanges(of: panelCount) { range in
        for panel in range {
          worker.kernels.interleave(
            kind, panels + panel * sourceBytes, blocks, memory + panel * targetBytes)
        }
      }
    }
    self.panels = UnsafeRawPointer(memory)
    kind = interleaved
    file.releasePages(of: source)
  }

  private func pack(into panels: UnsafeMutableRawPointer, team: ComputeTeam) throws {
    let lanes = PanelGeometry.rows
    let panelBytes = kind.panelBytes(columns: columns)
    let rowBytes = columns / type.blockValues * type.blockBytes
    let packing = PanelPacking(type: type, kind: kind, columns: columns, rowBytes: rowBytes)
    let firstBad = Atomic<Int>(Int.max)
    file.withBytes(of: source) { bytes in
      guard let source = bytes.baseAddress else { return }
      team.run { worker in
        worker.shareRanges(of: panelCount) { range in
          for panel in range {
            let row = panel * lanes
            let bad = packing.pack(
              source + row * rowBytes, rows: min(lanes, rows - row),
              into: panels + panel * panelBytes, worker.kernels)
            if let bad { firstBad.min(row + bad, ordering: .relaxed) }
          }
        }
      }
    }
    let bad = firstBad.load(ordering: .relaxed)
    guard bad == Int.max else { throw ComputeError.notFinite(tensor: name, row: bad) }
    file.releasePages(of: source)
  }

  /// Looks at every weight; meant for when a result was not finite, to name the reason.
  ///
  /// - Throws: `ComputeError.notFinite` naming tensor and row.
  public func checkFinite() throws(ComputeError) {
    let values = FloatMatrix(rows: 1, columns: columns)
    for row in 0..<rows {
      dequantizeRows(row..<row + 1, into: values.values)
      guard values.withRow(0, { $0.allSatisfy(\.isFinite) }) else {
        throw .notFinite(tensor: name, row: row)
      }
    }
  }

  /// Dequantizes rows `range` into `output` [rows, columns].
  func dequantizeRows(_ range: Range<Int>, into output: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    values.read(range, into: output)
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
  /// Values of the vector.
  public var count: Int { storage.columns }

  /// - Throws: `ComputeError.notFinite`, or `GGUFError` where the type is not a floating-point one.
  public init(_ tensor: TensorDescriptor, in file: GGUFFile) throws {
    guard [.f32, .f16, .bf16].contains(tensor.type) else {
      throw GGUFError(
        file: file.name, field: "tensor \(tensor.name)",
        reason: .unsupported(found: "type \(tensor.type)", allowed: "F32, F16, BF16"))
    }
    try file.requireData()
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
