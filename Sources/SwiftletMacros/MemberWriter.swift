/// Writes the members that make a type `Generable`.
struct MemberWriter {
  let type: String
  /// "public ", "package " or nothing.
  let access: String
  /// Swift text of the type's description; nil without one.
  let description: String?

  private var describedType: String {
    "type: \(type).self, description: \(description ?? "nil")"
  }

  // MARK: Structs

  func members(of properties: [StoredProperty]) -> String {
    let schema = properties.map { property in
      "Swiftlet.GenerationSchema.Property(name: \(quoted(property.name)), "
        + "description: \(property.description ?? "nil"), type: \(property.type).self, "
        + "guides: [\(property.guides.joined(separator: ", "))])"
    }
    func assignments(_ names: [String]) -> String {
      names.map { "self.`\($0)` = try content.value(forProperty: \(quoted($0)))" }
        .joined(separator: "\n")
    }
    let names = properties.map(\.name)
    let unused = names.isEmpty ? "_ = content\n" : ""
    return """
      \(access)static var generationSchema: Swiftlet.GenerationSchema {
      Swiftlet.GenerationSchema(\(describedType), properties: [
      \(schema.joined(separator: ",\n"))
      ])
      }
      \(access)init(_ content: Swiftlet.GeneratedContent) throws {
      \(unused)\(assignments(names))
      }
      \(access)var generatedContent: Swiftlet.GeneratedContent {
      Swiftlet.GeneratedContent(properties: [
      \(pairs(names.map { (quoted($0), "`\($0)`") }))
      ])
      }
      /// The value as it is while it is generated: what is not there yet is nil.
      \(access)struct PartiallyGenerated: Swiftlet.ConvertibleFromGeneratedContent {
      \(properties.map { "\(access)var `\($0.name)`: \(partial($0.type))?" }.joined(separator: "\n"))
      \(access)init(_ content: Swiftlet.GeneratedContent) throws {
      \(unused)\(assignments(names))
      }
      }
      """
  }

  /// The partial type of a property; that of an optional is the one of what it holds.
  private func partial(_ type: String) -> String {
    (type.hasSuffix("?") ? String(type.dropLast()) : type) + ".PartiallyGenerated"
  }

  // MARK: Enums

  func members(of cases: [EnumCase]) -> String {
    cases.allSatisfy(\.values.isEmpty) ? plainMembers(of: cases) : valueMembers(of: cases)
  }

  private func plainMembers(of cases: [EnumCase]) -> String {
    """
    \(access)static var generationSchema: Swiftlet.GenerationSchema {
    Swiftlet.GenerationSchema(\(describedType), anyOf: [
    \(cases.map(\.rawText).joined(separator: ", "))
    ])
    }
    \(access)init(_ content: Swiftlet.GeneratedContent) throws {
    switch try content.value(String.self) {
    \(cases.map { "case \($0.rawText): self = .`\($0.name)`" }.joined(separator: "\n"))
    default: throw content.noCase(of: Self.self)
    }
    }
    \(access)var generatedContent: Swiftlet.GeneratedContent {
    switch self {
    \(cases.map { "case .`\($0.name)`: \($0.rawText).generatedContent" }.joined(separator: "\n"))
    }
    }
    """
  }

  /// A case is an object with its name under "type" and its values beside it.
  private func valueMembers(of cases: [EnumCase]) -> String {
    func names(_ one: EnumCase) -> [String] {
      one.values.enumerated().map { index, value in
        value.label ?? (one.values.count == 1 ? "value" : "value\(index + 1)")
      }
    }
    let schema = cases.map { one in
      let properties = zip(names(one), one.values).map { name, value in
        "Swiftlet.GenerationSchema.Property(name: \(quoted(name)), description: nil, "
          + "type: \(value.type).self, guides: [])"
      }
      return "(\(one.rawText), [\(properties.joined(separator: ", "))])"
    }
    let reading = cases.map { one in
      let values = zip(names(one), one.values).map { name, value in
        (value.label.map { "\($0): " } ?? "") + "try content.value(forProperty: \(quoted(name)))"
      }
      let arguments = values.isEmpty ? "" : "(\(values.joined(separator: ", ")))"
      return "case \(one.rawText): self = .`\(one.name)`\(arguments)"
    }
    let writing = cases.map { one in
      let values = names(one)
      let bound = values.isEmpty ? "" : "(\(values.map { "let `\($0)`" }.joined(separator: ", ")))"
      let parts = [(quoted("type"), one.rawText)] + values.map { (quoted($0), "`\($0)`") }
      return "case .`\(one.name)`\(bound): "
        + "Swiftlet.GeneratedContent(properties: [\(pairs(parts))])"
    }
    return """
      \(access)static var generationSchema: Swiftlet.GenerationSchema {
      Swiftlet.GenerationSchema(\(describedType), cases: [
      \(schema.joined(separator: ",\n"))
      ])
      }
      \(access)init(_ content: Swiftlet.GeneratedContent) throws {
      switch try content.value(String.self, forProperty: "type") {
      \(reading.joined(separator: "\n"))
      default: throw content.noCase(of: Self.self)
      }
      }
      \(access)var generatedContent: Swiftlet.GeneratedContent {
      switch self {
      \(writing.joined(separator: "\n"))
      }
      }
      """
  }

  /// The inside of a dictionary literal.
  private func pairs(_ pairs: [(String, String)]) -> String {
    pairs.isEmpty ? ":" : pairs.map { "\($0.0): \($0.1)" }.joined(separator: ", ")
  }

  private func quoted(_ text: String) -> String { "\"\(text)\"" }
}
