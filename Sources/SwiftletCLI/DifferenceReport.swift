import Swiftlet

/// What `inspect --diff` says of two files.
struct DifferenceReport: Encodable {
  private struct Key: Encodable {
    let key: String
    /// nil where the file does not have the key.
    let first: String?
    let second: String?
  }

  private struct Tensor: Encodable {
    let name: String
    /// Type and shape; nil where the file does not have the tensor.
    let first: String?
    let second: String?
    /// sum((a - b)^2) / sum(a^2); nil where the values cannot be compared.
    let relative_error: Double?
    let largest_difference: Double?
  }

  private let first: String
  private let second: String
  private let metadata: [Key]
  private let tensors: [Tensor]
  private let same_tensors: Int

  var isSame: Bool { metadata.isEmpty && tensors.isEmpty }

  init(_ a: GGUFFile, _ b: GGUFFile) throws {
    try a.requireData()
    try b.requireData()
    first = a.name
    second = b.name
    metadata = Self.keys(a, b)
    var (found, same): ([Tensor], Int) = ([], 0)
    for tensor in a.tensors {
      if let difference = Self.compare(tensor, b.tensor(tensor.name), a, b) {
        found.append(difference)
      } else {
        same += 1
      }
      a.releasePages(of: tensor)
    }
    for tensor in b.tensors where a.tensor(tensor.name) == nil {
      found.append(
        Tensor(
          name: tensor.name, first: nil, second: Self.kind(tensor), relative_error: nil,
          largest_difference: nil))
    }
    tensors = found
    same_tensors = same
  }

  private static func keys(_ a: GGUFFile, _ b: GGUFFile) -> [Key] {
    func value(_ file: GGUFFile, _ key: String) -> String? {
      file.entry(key).map { $0.value.short }
    }
    let keys = a.entries.map(\.key) + b.entries.map(\.key).filter { a.entry($0) == nil }
    return keys.compactMap { key in
      let (x, y) = (a.entry(key)?.value, b.entry(key)?.value)
      guard x?.type != y?.type || x?.encoded != y?.encoded else { return nil }
      return Key(key: key, first: value(a, key), second: value(b, key))
    }
  }

  private static func kind(_ tensor: TensorDescriptor) -> String {
    "\(tensor.type) [\(tensor.dimensions.map(String.init).joined(separator: " x "))]"
  }

  /// nil where the tensors are the same, byte for byte.
  private static func compare(
    _ x: TensorDescriptor, _ y: TensorDescriptor?, _ a: GGUFFile, _ b: GGUFFile
  ) -> Tensor? {
    guard let y else {
      return Tensor(
        name: x.name, first: kind(x), second: nil, relative_error: nil, largest_difference: nil)
    }
    if x.type == y.type, x.dimensions == y.dimensions,
      a.withBytes(of: x, { first in b.withBytes(of: y) { first.elementsEqual($0) } })
    {
      return nil
    }
    let error = x.dimensions == y.dimensions ? TensorError(x, in: a, y, in: b) : nil
    return Tensor(
      name: x.name, first: kind(x), second: kind(y), relative_error: error?.relative,
      largest_difference: error?.largest)
  }

  var text: String {
    var lines: [String] = []
    for key in metadata {
      lines.append(
        "\(printable(key.key)): \(key.first ?? "missing") | \(key.second ?? "missing")")
    }
    for tensor in tensors {
      var line =
        printable(tensor.name).padded(32) + "\(tensor.first ?? "missing") | "
        + (tensor.second ?? "missing")
      if let error = tensor.relative_error, let largest = tensor.largest_difference {
        line += formatted(", error %.3g, at most %.3g", error, largest)
      }
      lines.append(line)
    }
    lines.append(
      isSame
        ? "the same metadata, the same \(same_tensors) tensors"
        : "\(metadata.count) keys and \(tensors.count) tensors differ, \(same_tensors) are the same"
    )
    return lines.joined(separator: "\n") + "\n"
  }
}
