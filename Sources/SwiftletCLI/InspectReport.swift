import Foundation
import Swiftlet

/// What `inspect` says of a file, as text and as JSON.
struct InspectReport: Encodable {
  private let file: GGUFFile

  init(_ file: GGUFFile) { self.file = file }

  // MARK: Text

  var summaryText: String {
    var lines = [
      row("File", "\(file.name) (\(bytes(file.byteCount)), GGUF version \(file.version))"),
      row("Architecture", string("general.architecture") ?? "not said"),
      row("Name", string("general.name") ?? "not said"),
      row("Parameters", count(parameterCount)),
    ]
    if let shape = try? Hyperparameters(file) {
      lines += [
        row(
          "Shape",
          "\(shape.blockCount) layers, embedding \(shape.embeddingLength), feed-forward "
            + "\(shape.feedForwardLength), \(shape.headCount) heads over "
            + "\(shape.keyValueHeadCount) key-value heads of \(shape.headSize)"),
        row("Context", "\(shape.contextLength) tokens"),
        row("Vocabulary", "\(shape.vocabularySize) tokens"),
      ]
    }
    let faults = file.faults
    lines.append(
      row("Swiftlet runs it", faults.isEmpty ? "yes" : "no: \(faults.joined(separator: "; "))"))
    lines.append(row("Tensors", "\(file.tensors.count), of these types:"))
    for part in bytesByType {
      let share = 100 * Double(part.bytes) / Double(max(1, file.byteCount))
      lines.append(
        "  \(part.type.padded(8)) \(String(part.tensors).padded(5)) "
          + "\(bytes(part.bytes).padded(11)) \(String(format: "%.1f", share)) %")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  var metadataText: String {
    file.entries.map { "\(printable($0.key)) = \(Self.short($0.value))\n" }.joined()
  }

  var tensorText: String {
    file.tensors.map { tensor in
      let shape = tensor.dimensions.map(String.init).joined(separator: " x ")
      return "\(printable(tensor.name).padded(32)) \(tensor.type.name.padded(7)) "
        + "[\(shape)]".padded(18) + " offset \(file.dataOffset + Int(clamping: tensor.offset)), "
        + "\(tensor.byteCount) bytes\n"
    }.joined()
  }

  func value(of key: String) throws -> String {
    guard let entry = file.entry(key) else {
      throw GGUFError(file: file.name, field: key, reason: .missing)
    }
    guard case .array(let array) = entry.value else { return Self.plain(entry.value) }
    if let integers = array.integers() { return integers.map(String.init).joined(separator: "\n") }
    if let floats = array.floats() { return floats.map { "\($0)" }.joined(separator: "\n") }
    if let bools = array.bools() { return bools.map { "\($0)" }.joined(separator: "\n") }
    var lines: [String] = []
    array.forEachString { _, bytes in
      lines.append(printable(String(decoding: bytes, as: UTF8.self), limit: .max))
    }
    return lines.joined(separator: "\n")
  }

  private func row(_ name: String, _ value: String) -> String {
    "\(name.padded(18)) \(printable(value, limit: 400))"
  }

  static func short(_ value: MetadataValue) -> String {
    switch value {
    case .array(let array): "\(array.count) x \(array.elementType)"
    case .string(let text): "\"\(printable(text, limit: 60))\""
    default: plain(value)
    }
  }

  private static func plain(_ value: MetadataValue) -> String {
    switch value {
    case .unsigned(let number, _): "\(number)"
    case .signed(let number, _): "\(number)"
    case .float(let number, .float32): "\(Float(number))"
    case .float(let number, _): "\(number)"
    case .bool(let flag): "\(flag)"
    case .string(let text): text
    case .array(let array): "\(array.count) x \(array.elementType)"
    }
  }

  private func string(_ key: String) -> String? {
    guard case .string(let text)? = file.entry(key)?.value else { return nil }
    return text
  }

  private func bytes(_ count: Int) -> String {
    count < 1 << 20
      ? "\(count) bytes" : String(format: "%.1f MiB", Double(count) / Double(1 << 20))
  }

  private func count(_ number: Int) -> String {
    number < 1_000_000 ? "\(number)" : String(format: "%.1f million", Double(number) / 1e6)
  }

  // MARK: Facts

  private var parameterCount: Int {
    file.tensors.reduce(0) { sum, tensor in
      let (total, overflow) = sum.addingReportingOverflow(tensor.valueCount)
      return overflow ? .max : total
    }
  }

  private struct TypeShare: Encodable {
    let type: String
    var tensors: Int
    var bytes: Int
  }

  private var bytesByType: [TypeShare] {
    var shares: [String: TypeShare] = [:]
    for tensor in file.tensors {
      shares[tensor.type.name, default: TypeShare(type: tensor.type.name, tensors: 0, bytes: 0)]
        .tensors += 1
      shares[tensor.type.name]?.bytes += tensor.byteCount
    }
    return shares.values.sorted { ($0.bytes, $1.type) > ($1.bytes, $0.type) }
  }

  // MARK: JSON

  private struct TensorEntry: Encodable {
    let name: String
    let type: String
    let shape: [Int]
    let offset: Int
    let bytes: Int
  }

  private enum CodingKeys: String, CodingKey {
    case file, bytes, version, alignment, metadata, tensors, types, parameters, runs
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(file.name, forKey: .file)
    try container.encode(file.byteCount, forKey: .bytes)
    try container.encode(file.version, forKey: .version)
    try container.encode(file.alignment, forKey: .alignment)
    try container.encode(parameterCount, forKey: .parameters)
    try container.encode(bytesByType, forKey: .types)
    try container.encode(file.faults.isEmpty, forKey: .runs)
    try container.encode(
      Dictionary(
        file.entries.map { entry in
          if case .string(let text) = entry.value { return (entry.key, text) }
          return (entry.key, Self.plain(entry.value))
        }, uniquingKeysWith: { first, _ in first }), forKey: .metadata)
    try container.encode(
      file.tensors.map {
        TensorEntry(
          name: $0.name, type: $0.type.name, shape: $0.dimensions,
          offset: file.dataOffset + Int(clamping: $0.offset), bytes: $0.byteCount)
      }, forKey: .tensors)
  }
}

extension String {
  /// Followed by spaces up to `width` characters.
  func padded(_ width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }
}
