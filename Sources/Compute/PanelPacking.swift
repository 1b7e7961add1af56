import GGUF
import KernelCore

extension PanelKind {
  /// The kind that holds weights of `type`; nil where there are no kernels for it.
  init?(_ type: TensorType) {
    switch type {
    case .q4_0: self = .q4_0
    case .q4_1: self = .q4_1
    case .q5_0: self = .q5_0
    case .q5_1: self = .q5_1
    case .q8_0: self = .q8_0
    case .q4_K: self = .q4_K
    case .q5_K: self = .q5_K
    case .q6_K: self = .q6_K
    case .f32: self = .f32
    case .f16: self = .f16
    case .bf16: self = .bf16
    default: return nil
    }
  }

  /// Whether it is Q4_0, whose products may read `PairedActivations`.
  var isFourBit: Bool { self == .q4_0 || self == .q4_0Rows }

  /// Whether weights share scales, and activations are quantized to meet them.
  var isQuantized: Bool {
    switch self {
    case .f32, .f16, .bf16: false
    default: true
    }
  }

  /// How `team` multiplies `tensor`; nil where there are no kernels for its type.
  init?(_ tensor: TensorDescriptor, team: ComputeTeam) {
    guard let kind = PanelKind(tensor.type) else { return nil }
    if !team.usesOpenBLAS(for: kind),
      let rows = PanelKind.rowKind(tensor.type, rows: tensor.rows)
    {
      self = rows
    } else {
      self = kind
    }
  }

  /// The kind that reads the file's own rows, without a copy; nil where there is none, or where rows
  /// do not fill panels.
  static func rowKind(_ type: TensorType, rows: Int) -> PanelKind? {
    rows % PanelGeometry.rows == 0 ? PanelKind(type)?.inFile : nil
  }

  /// The kind that reads the same weights from the file's rows; nil where there is none.
  var inFile: PanelKind? {
    switch self {
    case .q4_0: .q4_0Rows
    case .q4_1: .q4_1Rows
    case .q8_0: .q8_0Rows
    default: nil
    }
  }

  /// The kind that a matrix in the file becomes when it is moved; itself where it is not in the file.
  var interleaved: PanelKind {
    switch self {
    case .q4_0Rows: .q4_0
    case .q4_1Rows: .q4_1
    case .q8_0Rows: .q8_0
    default: self
    }
  }

  /// Whether `WeightMatrix` multiplies the bytes of the file.
  var isInFile: Bool {
    switch self {
    case .q4_0Rows, .q4_1Rows, .q8_0Rows: true
    default: false
    }
  }

  /// What the columns of a matrix must be a multiple of.
  var columnMultiple: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q4_K, .q5_K, .q6_K: 256
    default: PanelGeometry.blockColumns
    }
  }

  /// Bytes of a matrix in panels.
  func packedBytes(rows: Int, columns: Int) -> Int {
    (rows + PanelGeometry.rows - 1) / PanelGeometry.rows * panelBytes(columns: columns)
  }

  /// Bytes of a panel of 16 rows.
  func panelBytes(columns: Int) -> Int {
    let blocks = columns / PanelGeometry.blockColumns
    switch self {
    case .q4_0Rows: return FourBitRows.panelBytes(blocks: blocks)
    case .q4_1Rows: return MinimumRows<NibbleRows>.panelBytes(blocks: blocks)
    case .q8_0Rows: return OffsetRows<SignedByteRows>.panelBytes(blocks: blocks)
    case .q4_0: return FourBitPanel.panelBytes(blocks: blocks)
    case .q4_1: return MinimumPanel<Nibbles>.panelBytes(blocks: blocks)
    case .q5_0: return OffsetPanel<NibblesAndBits>.panelBytes(blocks: blocks)
    case .q5_1: return MinimumPanel<NibblesAndBits>.panelBytes(blocks: blocks)
    case .q8_0: return OffsetPanel<WholeBytes>.panelBytes(blocks: blocks)
    case .q4_K: return SuperMinimumPanel<Nibbles>.panelBytes(blocks: blocks)
    case .q5_K: return SuperMinimumPanel<NibblesAndBits>.panelBytes(blocks: blocks)
    case .q6_K: return SixBitPanel.panelBytes(blocks: blocks)
    case .f32: return columns * PanelGeometry.rows * 4
    case .f16, .bf16: return columns * PanelGeometry.rows * 2
    }
  }
}

/// Rearranges 16 rows of a tensor's bytes into one panel (`PanelFormat` says where what lies).
struct PanelPacking {
  let type: TensorType
  let kind: PanelKind
  let columns: Int
  /// Bytes of a row in the file.
  let rowBytes: Int

  /// - Parameters:
  ///   - source: the first of `rows` (1 to 16) rows; the panel's other rows are zero.
  ///   - panel: zeroed memory of `kind.panelBytes`.
  /// - Returns: the first row that holds a NaN or infinite weight or scale.
  func pack(
    _ source: UnsafeRawPointer, rows: Int, into panel: UnsafeMutableRawPointer,
    _ kernels: KernelTable
  ) -> Int? {
    if let inFile = kind.inFile {
      interleave(source, rows, as: inFile, panel, kernels)
      return firstRowNotFinite(source, rows)
    }
    switch kind {
    case .f32: return packFloats(source, rows, panel, UInt32.self, exponent: 0x7F80_0000)
    case .f16: return packFloats(source, rows, panel, UInt16.self, exponent: 0x7C00)
    case .bf16: return packFloats(source, rows, panel, UInt16.self, exponent: 0x7F80)
    default: return packBlocks(source, rows, panel)
    }
  }

  /// Rows of a format that kernels interleave, of which a matrix's last panel has fewer than 16.
  private func interleave(
    _ source: UnsafeRawPointer, _ rows: Int, as inFile: PanelKind,
    _ panel: UnsafeMutableRawPointer, _ kernels: KernelTable
  ) {
    let whole = AlignedMemory(byteCount: PanelGeometry.rows * rowBytes)
    whole.base.copyMemory(from: source, byteCount: rows * rowBytes)
    kernels.interleave(inFile, whole.base, columns / PanelGeometry.blockColumns, panel)
  }

  private func firstRowNotFinite(_ source: UnsafeRawPointer, _ rows: Int) -> Int? {
    (0..<rows).first { row in
      (0..<columns / PanelGeometry.blockColumns).contains { index in
        !QuantizedBlock(type, source + row * rowBytes, index).isFinite
      }
    }
  }

  private func packFloats<T: FixedWidthInteger>(
    _ source: UnsafeRawPointer, _ rows: Int, _ panel: UnsafeMutableRawPointer, _ word: T.Type,
    exponent: T
  ) -> Int? {
    let size = MemoryLayout<T>.size
    var bad: Int?
    for row in 0..<rows {
      for column in 0..<columns {
        let bits = (source + (row * rowBytes + column * size)).loadUnaligned(as: T.self)
        if bits & exponent == exponent, bad == nil { bad = row }
        panel.storeBytes(
          of: bits, toByteOffset: (column * PanelGeometry.rows + row) * size, as: T.self)
      }
    }
    return bad
  }

  /// Formats that are taken apart and put together again, block by block.
  private func packBlocks(_ source: UnsafeRawPointer, _ rows: Int, _ panel: UnsafeMutableRawPointer)
    -> Int?
  {
    var bad: Int?
    for row in 0..<rows {
      let from = source + row * rowBytes
      for index in 0..<columns / 32 {
        let block = QuantizedBlock(type, from, index)
        if !block.isFinite, bad == nil { bad = row }
        switch kind {
        case .q5_0:
          let to = panel + index * OffsetPanel<NibblesAndBits>.blockBytes
          copyHalf(from + index * type.blockBytes, to, row)
          storeFiveBits(block.quants, to + 32, row)
        case .q5_1:
          let to = panel + index * MinimumPanel<NibblesAndBits>.blockBytes
          copyHalf(from + index * type.blockBytes, to, row)
          copyHalf(from + (index * type.blockBytes + 2), to + 32, row)
          storeFiveBits(block.quants, to + 64, row)
        case .q4_K:
          let to = superMinimumHeader(SuperMinimumPanel<Nibbles>.self, from, panel, row, index)
          storeNibbles(block.quants, to, row)
        case .q5_K:
          let to = superMinimumHeader(
            SuperMinimumPanel<NibblesAndBits>.self, from, panel, row, index)
          storeFiveBits(block.quants, to, row)
        default:  // q6_K
          let to = mutable(SixBitPanel.blockStart(panel, index))
          let superBlock = from + index / 8 * type.blockBytes
          copyHalf(superBlock + 208, mutable(SixBitPanel.superBlock(panel, index)), row)
          let factors = QuantizedBlock.sixBitFactors(superBlock, index % 8)
          to.storeBytes(
            of: UInt8(bitPattern: factors.first) ^ 0x80, toByteOffset: row, as: UInt8.self)
          to.storeBytes(
            of: UInt8(bitPattern: factors.second) ^ 0x80, toByteOffset: 16 + row, as: UInt8.self)
          storeBytes(block.quants &+ 96, to + 32, row)
        }
      }
    }
    return bad
  }

  private func mutable(_ p: UnsafeRawPointer) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(mutating: p)
  }

  private func copyHalf(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ row: Int) {
    to.storeBytes(
      of: from.loadUnaligned(as: UInt16.self), toByteOffset: 2 * row, as: UInt16.self)
  }

  /// Writes the scales of a Q4_K or Q5_K block and returns where its quants go.
  private func superMinimumHeader<S: QuantStorage>(
    _ format: SuperMinimumPanel<S>.Type, _ from: UnsafeRawPointer,
    _ panel: UnsafeMutableRawPointer, _ row: Int, _ index: Int
  ) -> UnsafeMutableRawPointer {
    let superBlock = from + index / 8 * type.blockBytes
    let header = mutable(format.superBlock(panel, index))
    copyHalf(superBlock, header, row)
    copyHalf(superBlock + 2, header + 32, row)
    let to = mutable(format.blockStart(panel, index))
    let packed = QuantizedBlock.packedScale(superBlock + 4, index % 8)
    to.storeBytes(of: packed.scale, toByteOffset: row, as: UInt8.self)
    to.storeBytes(of: packed.minimum, toByteOffset: 16 + row, as: UInt8.self)
    return to + 32
  }

  /// `Nibbles`: byte (step, row, j) is columns 4 step + j and 16 + 4 step + j.
  private func storeNibbles(_ quants: SIMD32<UInt8>, _ to: UnsafeMutableRawPointer, _ row: Int) {
    let bytes = (quants.lowHalf & 15) | (quants.highHalf &<< 4)
    for i in 0..<16 {
      to.storeBytes(of: bytes[i], toByteOffset: i / 4 * 64 + row * 4 + i % 4, as: UInt8.self)
    }
  }

  /// `NibblesAndBits`: bit 4 row + j of vector s belongs to column 4 s + j.
  private func storeFiveBits(_ quants: SIMD32<UInt8>, _ to: UnsafeMutableRawPointer, _ row: Int) {
    storeNibbles(quants & 15, to, row)
    for i in 0..<32 where quants[i] & 16 != 0 {
      let at = 256 + i / 4 * 8 + row / 2
      let bit = UInt8(1) << UInt8(row % 2 * 4 + i % 4)
      to.storeBytes(
        of: to.load(fromByteOffset: at, as: UInt8.self) | bit, toByteOffset: at, as: UInt8.self)
    }
  }

  /// `WholeBytes`: byte (step, row, j) is column 4 step + j.
  private func storeBytes(_ quants: SIMD32<UInt8>, _ to: UnsafeMutableRawPointer, _ row: Int) {
    for i in 0..<32 {
      to.storeBytes(of: quants[i], toByteOffset: i / 4 * 64 + row * 4 + i % 4, as: UInt8.self)
    }
  }
}
