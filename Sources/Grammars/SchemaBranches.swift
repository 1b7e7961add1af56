import OrderedJSON

/// A JSON Schema (draft 2020-12) taken apart: references are followed, `allOf` is merged, `anyOf` and `oneOf`
/// become branches, each of which says what it wants by itself.
struct SchemaBranches {
  typealias Members = [(key: String, value: JSON)]

  /// Keywords that say nothing about which values are valid, as far as this is concerned.
  private static let annotations: Set<String> = [
    "title", "description", "default", "examples", "example", "$schema", "$id", "$comment", "$defs",
    "definitions", "deprecated", "readOnly", "writeOnly", "contentMediaType", "contentEncoding",
    "contentSchema", "$anchor", "$vocabulary", "x-order",
  ]
  /// Keywords of one branch.
  private static let assertions: Set<String> = [
    "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "pattern", "format", "properties", "required",
    "additionalProperties", "minProperties", "maxProperties", "items", "prefixItems",
    "additionalItems", "minItems", "maxItems", "uniqueItems",
  ]
  private static let mostBranches = 256
  private static let deepest = 100

  /// Parts that are taken apart: references to references may lead to ever more.
  private static let mostParts = 20_000

  let document: JSON
  private let budget = Budget()

  private final class Budget {
    private var used = 0

    func use() throws(GrammarError) {
      used += 1
      if used > mostParts { throw .tooLarge("parts of a schema", limit: mostParts) }
    }
  }

  init(document: JSON) { self.document = document }

  /// What is wrong with a schema.
  static func fault(_ path: String, _ reason: String) -> GrammarError {
    .schema(path: path, reason: reason)
  }

  /// The members of a schema that is an object; nil of `true`.
  static func members(_ schema: JSON, _ path: String) throws(GrammarError) -> Members? {
    switch schema {
    case .bool(true): return nil
    case .bool(false): throw fault(path, "\"false\" has no valid value")
    case .object(let members): return members
    default: throw fault(path, "a schema is an object, true or false")
    }
  }

  /// The reference, if a schema is nothing else.
  static func soleReference(_ schema: JSON) -> String? {
    guard case .object(let members) = schema,
      case .string(let reference)? = schema["$ref"],
      members.allSatisfy({ $0.key == "$ref" || annotations.contains($0.key) })
    else { return nil }
    return reference
  }

  /// The parts of a choice, if a schema is nothing else.
  static func soleChoice(_ schema: JSON) -> (keyword: String, parts: [JSON])? {
    guard case .object(let members) = schema else { return nil }
    let assertions = members.filter { !annotations.contains($0.key) }
    guard assertions.count == 1, ["anyOf", "oneOf"].contains(assertions[0].key),
      case .array(let parts) = assertions[0].value
    else { return nil }
    return (assertions[0].key, parts)
  }

  /// What a reference like `#/$defs/name` points at.
  func resolve(_ reference: String, _ path: String) throws(GrammarError) -> JSON {
    guard reference == "#" || reference.hasPrefix("#/") else {
      throw Self.fault(path, "the reference \"\(reference)\" is not one within the schema")
    }
    var value = document
    for part in reference.split(separator: "/").dropFirst() {
      let key = part.replacing("~1", with: "/").replacing("~0", with: "~").removingPercents
      switch value {
      case .object:
        guard let next = value[key] else {
          throw Self.fault(path, "nothing is at \"\(reference)\"")
        }
        value = next
      case .array(let values):
        guard let index = Int(key), values.indices.contains(index) else {
          throw Self.fault(path, "nothing is at \"\(reference)\"")
        }
        value = values[index]
      default: throw Self.fault(path, "nothing is at \"\(reference)\"")
      }
    }
    return value
  }

  /// The branches of `schema`, of which one has to hold; each has assertions alone.
  func branches(of schema: JSON, _ path: String, depth: Int = 0) throws(GrammarError) -> [Members] {
    try budget.use()
    guard depth < Self.deepest else {
      throw Self.fault(path, "more than \(Self.deepest) levels, or a reference to itself")
    }
    guard let members = try Self.members(schema, path) else { return [[]] }
    var own: Members = []
    var factors: [[Members]] = []
    for (key, value) in members {
      let place = path + "/" + key
      switch key {
      case "$ref":
        guard case .string(let reference) = value else {
          throw Self.fault(place, "a reference is a string")
        }
        let target = try resolve(reference, place)
        factors.append(try branches(of: target, reference, depth: depth + 1))
      case "allOf":
        for (index, part) in try Self.list(value, place).enumerated() {
          factors.append(try branches(of: part, "\(place)/\(index)", depth: depth + 1))
        }
      case "anyOf":
        factors.append(try alternatives(value, place, depth).flatMap { $0 })
      case "oneOf":
        let groups = try alternatives(value, place, depth)
        for first in groups.indices {
          for second in groups.indices where second > first {
            for a in groups[first] {
              for b in groups[second] where try !areDisjoint(a, b, depth: depth + 1) {
                throw Self.fault(
                  place, "\(first) and \(second) may hold both, which cannot be told; use anyOf")
              }
            }
          }
        }
        factors.append(groups.flatMap { $0 })
      default:
        if Self.assertions.contains(key) {
          own.append((key, value))
        } else if !Self.annotations.contains(key), Self.isKeyword(key) {
          throw Self.fault(place, "\"\(key)\" is not supported")
        }
      }
    }
    var result = [own]
    for factor in factors {
      guard result.count * factor.count <= Self.mostBranches else {
        throw .tooLarge("branches of a schema", limit: Self.mostBranches)
      }
      var next: [Members] = []
      for a in result { for b in factor { next.append(try SchemaMerge.merge(a, b, path)) } }
      result = next
    }
    return result
  }

  /// Keywords that change what is valid; others are somebody's own.
  private static func isKeyword(_ key: String) -> Bool {
    [
      "not", "if", "then", "else", "patternProperties", "propertyNames", "dependentRequired",
      "dependentSchemas", "dependencies", "contains", "minContains", "maxContains",
      "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef",
    ].contains(key)
  }

  static func list(_ value: JSON, _ path: String) throws(GrammarError) -> [JSON] {
    guard case .array(let values) = value, !values.isEmpty else {
      throw fault(path, "expected a list that is not empty")
    }
    return values
  }

  /// The branches of each part of an `anyOf` or `oneOf`; a part that is `false` has none.
  private func alternatives(_ value: JSON, _ path: String, _ depth: Int) throws(GrammarError)
    -> [[Members]]
  {
    var groups: [[Members]] = []
    for (index, part) in try Self.list(value, path).enumerated() {
      if case .bool(false) = part {
        groups.append([])
      } else {
        groups.append(try branches(of: part, "\(path)/\(index)", depth: depth + 1))
      }
    }
    return groups
  }

  /// Whether no value is valid under both, as far as can be told by their types, lists of values, and the
  /// properties that both of them want.
  private func areDisjoint(_ a: Members, _ b: Members, depth: Int) throws(GrammarError) -> Bool {
    try budget.use()
    guard depth < Self.deepest else { return false }
    let types = (SchemaTypes.of(a), SchemaTypes.of(b))
    if types.0.isDisjoint(with: types.1) { return true }
    if let first = a["enum"] ?? a["const"].map({ .array([$0]) }),
      let second = b["enum"] ?? b["const"].map({ .array([$0]) }),
      case .array(let left) = first, case .array(let right) = second
    {
      return !left.contains { value in right.contains { $0.isEqual(to: value) } }
    }
    // Values of other types than objects may be valid under both.
    guard types.0.intersection(types.1) == ["object"] else { return false }
    let required = (Self.required(a), Self.required(b))
    for key in required.0.intersection(required.1).sorted() {
      guard let first = a["properties"]?[key], let second = b["properties"]?[key] else { continue }
      if case .bool(false) = first { return true }
      if case .bool(false) = second { return true }
      let left = try branches(of: first, key, depth: depth + 1)
      let right = try branches(of: second, key, depth: depth + 1)
      var isDisjoint = true
      for a in left {
        for b in right where isDisjoint {
          isDisjoint = try areDisjoint(a, b, depth: depth + 1)
        }
      }
      if isDisjoint { return true }
    }
    func forbids(_ schema: Members, _ keys: Set<String>) -> Bool {
      guard case .bool(false)? = schema["additionalProperties"] else { return false }
      return !keys.allSatisfy { schema["properties"]?[$0] != nil }
    }
    return forbids(a, required.1) || forbids(b, required.0)
  }

  static func required(_ schema: Members) -> Set<String> {
    guard case .array(let keys)? = schema["required"] else { return [] }
    return Set(keys.compactMap { if case .string(let key) = $0 { key } else { nil } })
  }
}

/// The types that a branch allows.
enum SchemaTypes {
  static let all = ["object", "array", "string", "number", "integer", "boolean", "null"]

  /// "number" allows whole numbers as well.
  static func of(_ schema: SchemaBranches.Members) -> Set<String> {
    var types: Set<String>
    switch schema["type"] {
    case .string(let type)?: types = [type]
    case .array(let list)?:
      types = Set(list.compactMap { if case .string(let type) = $0 { type } else { nil } })
    default: types = Set(all)
    }
    if types.contains("number") { types.insert("integer") }
    for (key, isList) in [("enum", true), ("const", false)] {
      guard let value = schema[key] else { continue }
      if isList, case .array(let values) = value {
        types.formIntersection(values.map(of(value:)))
      } else if !isList {
        types.formIntersection([of(value: value)])
      }
    }
    return types
  }

  static func of(value: JSON) -> String {
    switch value {
    case .null: "null"
    case .bool: "boolean"
    case .number(let text): DecimalNumber(text).map { $0.scale == 0 } == true ? "integer" : "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}

extension JSON {
  subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  /// As JSON Schema compares: numbers by value, objects in any order.
  package func isEqual(to other: JSON) -> Bool {
    switch (self, other) {
    case (.null, .null): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.string(let a), .string(let b)):
      // Not canonically equal: equal.
      return a.unicodeScalars.elementsEqual(b.unicodeScalars)
    case (.number(let a), .number(let b)):
      guard let a = DecimalNumber(a), let b = DecimalNumber(b) else { return false }
      return a.digits == b.digits && a.scale == b.scale
        && (a.isNegative == b.isNegative || a.digits.isEmpty)
    case (.array(let a), .array(let b)):
      return a.count == b.count && zip(a, b).allSatisfy { $0.isEqual(to: $1) }
    case (.object(let a), .object(let b)):
      return a.count == b.count
        && a.allSatisfy { member in b[member.key]?.isEqual(to: member.value) == true }
    default: return false
    }
  }
}

extension [(key: String, value: JSON)] {
  subscript(key: String) -> JSON? { first { $0.key == key }?.value }
}

extension StringProtocol {
  /// With `%20` and the like replaced.
  fileprivate var removingPercents: String {
    var bytes: [UInt8] = []
    var rest = Array(utf8)[...]
    while let byte = rest.first {
      if byte == UInt8(ascii: "%"), rest.count > 2,
        let value = UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest.removeFirst(3)
      } else {
        bytes.append(byte)
        rest.removeFirst()
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
