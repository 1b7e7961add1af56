/// A tensor's name, shape, type and place.
public struct TensorDescriptor: Sendable {
  /// The name, like "blk.0.attn_q.weight".
  public let name: String
  /// As in the file: the fastest-running dimension (the row length) first. 1 to 4, product and
  /// byte size checked.
  public let dimensions: [Int]
  /// The element type.
  public let type: TensorType
  /// From the start of the tensor data.
  public let offset: UInt64
  /// Bytes of the values, without padding.
  let unpaddedBytes: UInt64
  /// `unpaddedBytes` up to the next multiple of the alignment.
  let paddedBytes: UInt64

  /// Row length: values that lie next to each other.
  public var columns: Int { dimensions[0] }
  /// Rows of `columns` values.
  public var rows: Int { dimensions.dropFirst().reduce(1, *) }
  /// Values of the tensor.
  public var valueCount: Int { rows * columns }
  /// Bytes in the file, without the padding after them.
  public var byteCount: Int { Int(unpaddedBytes) }

  /// Checks a description that is going to be written.
  init(checking description: [UInt8], file: String) throws(GGUFError) {
    var cursor = ByteCursor(MappedBytes(contents: description, name: file))
    try self.init(&cursor, expectedOffset: 0, alignment: 32)
  }

  init(_ cursor: inout ByteCursor, expectedOffset: UInt64, alignment: UInt64) throws(GGUFError) {
    let at = cursor.position
    name = try cursor.text("tensor name", limit: GGUFFile.Limit.nameBytes)
    guard !name.isEmpty else {
      throw cursor.error("tensor name", at: at, .invalid(found: "an empty name", allowed: "a name"))
    }
    let field = "tensor \(name)"

    let countAt = cursor.position
    let count = try cursor.integer(UInt32.self, field)
    guard count >= 1, count <= GGUFFile.Limit.dimensions else {
      throw cursor.error(
        field, at: countAt, .invalid(found: "\(count) dimensions", allowed: "1 to 4"))
    }
    var dimensions: [Int] = []
    // Counted with 1 for 0, so that no later product of some of the dimensions can overflow either.
    var bound = 1
    for _ in 0..<count {
      let dimensionAt = cursor.position
      let raw = try cursor.integer(UInt64.self, field)
      guard let dimension = Int(exactly: raw) else {
        throw cursor.error(
          field, at: dimensionAt, .invalid(found: "dimension \(raw)", allowed: "below 2^63"))
      }
      let (product, overflow) = bound.multipliedReportingOverflow(by: max(dimension, 1))
      guard !overflow else {
        throw cursor.error(
          field, at: dimensionAt,
          .invalid(found: "more than 2^63 values", allowed: "a product below 2^63"))
      }
      bound = product
      dimensions.append(dimension)
    }
    self.dimensions = dimensions
    let values = dimensions.reduce(1, *)

    let typeAt = cursor.position
    type = TensorType(rawValue: try cursor.integer(UInt32.self, field))
    guard type.isKnown else {
      throw cursor.error(
        field, at: typeAt,
        .invalid(found: "tensor type \(type.rawValue)", allowed: "a type that ggml defines"))
    }
    guard dimensions[0] % type.blockValues == 0 else {
      throw cursor.error(
        field, at: countAt,
        .invalid(
          found: "rows of \(dimensions[0]) values",
          allowed: "multiples of \(type.blockValues) in \(type.name)"))
    }
    let (bytes, overflow) = UInt64(values / type.blockValues)
      .multipliedReportingOverflow(by: UInt64(type.blockBytes))
    let (padded, paddingOverflow) = bytes.addingReportingOverflow(alignment - 1)
    guard !overflow, !paddingOverflow, bytes <= UInt64(Int.max) else {
      throw cursor.error(
        field, at: countAt, .invalid(found: "a size beyond 2^63 bytes", allowed: "a file size"))
    }
    unpaddedBytes = bytes
    paddedBytes = padded / alignment * alignment

    let offsetAt = cursor.position
    offset = try cursor.integer(UInt64.self, field)
    guard offset == expectedOffset else {
      throw cursor.error(
        field, at: offsetAt,
        .invalid(
          found: "data offset \(offset)",
          allowed: "\(expectedOffset), the padded end of the tensor before it"))
    }
  }
}
