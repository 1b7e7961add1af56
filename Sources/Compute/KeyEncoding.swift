import KernelCore

/// How keys lie in a cache, and queries that are multiplied with them: which kernels take them.
enum KeyEncoding: Sendable {
  case single, half
  /// `ShortKeys`.
  case short
  /// `ByteKeys`.
  case byte

  /// Bytes of a column.
  var bytes: Int {
    switch self {
    case .single: 4
    case .half, .short: 2
    case .byte: 1
    }
  }

  /// Bytes of a lane of a vector: of one column, or of several in fixed point.
  var laneBytes: Int { self == .half ? 2 : 4 }

  /// Float32 numbers that are kept of each key: its scale, and its norm.
  var numbers: Int {
    switch self {
    case .single, .half: 0
    case .short: 1
    case .byte: 2
    }
  }

  /// Bytes of one head's key.
  func bytes(headSize: Int) -> Int { headSize * bytes + 4 * numbers }
}

extension KernelTable {
  /// The kernel for a span's keys.
  func attention(_ keys: KeyEncoding) -> Attention {
    switch keys {
    case .single: attendSingle
    case .half: attendHalf
    case .short: attendShort
    case .byte: attendBytes
    }
  }

  /// How a query is made ready for keys; nil where it is as it is.
  func quantizeQuery(_ keys: KeyEncoding) -> QuantizeQuery? {
    switch keys {
    case .short: quantizeShortQuery
    case .byte: quantizeByteQuery
    case .single, .half: nil
    }
  }
}
