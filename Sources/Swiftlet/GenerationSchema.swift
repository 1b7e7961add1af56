import Grammars
import OrderedJSON

/// What a model may generate: a JSON Schema, made of Swift types or read from text.
///
/// Shaped like FoundationModels' type of the same name.
public struct GenerationSchema: Sendable {
  /// A property of an object.
  public struct Property: Sendable {
    let name: String
    let description: String?
    let type: any Generable.Type
    let keywords: [(key: String, value: JSON)]
    let isOptional: Bool

    /// A property that is always there.
    public init<Value: Generable>(
      name: String, description: String? = nil, type: Value.Type,
      guides: [GenerationGuide<Value>] = []
    ) {
      self.name = name
      self.description = description
      self.type = type
      keywords = guides.flatMap(\.keywords)
      isOptional = false
    }

    /// A property that may be left out.
    public init<Value: Generable>(
      name: String, description: String? = nil, type: Value?.Type,
      guides: [GenerationGuide<Value>] = []
    ) {
      self.name = name
      self.description = description
      self.type = Value.self
      keywords = guides.flatMap(\.keywords)
      isOptional = true
    }
  }

  enum Node: Sendable {
    case json(JSON)
    case list(any Generable.Type)
    case object(any Generable.Type, description: String?, [Property])
    case names(description: String?, [String])
    case types(description: String?, [any Generable.Type])
    case cases(any Generable.Type, description: String?, [(name: String, values: [Property])])
  }

  let node: Node

  init(node: Node) { self.node = node }

  /// An object, as `@Generable` makes it of a struct.
  public init(type: any Generable.Type, description: String? = nil, properties: [Property]) {
    node = .object(type, description: description, properties)
  }

  /// One of several texts, as `@Generable` makes it of an enum.
  public init(type: any Generable.Type, description: String? = nil, anyOf choices: [String]) {
    node = .names(description: description, choices)
  }

  /// A value of one of several types.
  public init(
    type: any Generable.Type, description: String? = nil, anyOf types: [any Generable.Type]
  ) {
    node = .types(description: description, types)
  }

  /// One of several cases with values, as `@Generable` makes it of an enum.
  public init(
    type: any Generable.Type, description: String? = nil,
    cases: [(name: String, values: [Property])]
  ) {
    node = .cases(type, description: description, cases)
  }

  /// Reads a JSON Schema (draft 2020-12). What is supported: docs/guided.md.
  ///
  /// - Throws: `GrammarError.schema` where the text is no JSON, or a schema that cannot be kept to.
  public init(json text: String) throws(GrammarError) {
    let schema: JSON
    do { schema = try JSON(parsing: Array(text.utf8)) } catch {
      throw .schema(path: "", reason: "byte \(error.position): expected \(error.expected)")
    }
    // Found out here rather than at the first response.
    _ = try Grammar(jsonSchema: schema)
    node = .json(schema)
  }

  /// The schema as a JSON Schema in one line.
  public var jsonString: String { json.text }

  /// Types that lead to themselves are references; others stand where they are used.
  var json: JSON {
    var writer = Writer()
    var result = writer.write(node)
    guard !writer.definitions.isEmpty, case .object(let members) = result else { return result }
    result = .object(members + [("$defs", .object(writer.definitions))])
    return result
  }

  /// Writes types as JSON Schema.
  private struct Writer {
    /// The types that are being written, from the outermost.
    private var open: [ObjectIdentifier] = []
    private var names: [ObjectIdentifier: String] = [:]
    private(set) var definitions: [(key: String, value: JSON)] = []

    mutating func write(_ node: Node) -> JSON {
      switch node {
      case .json(let json): return json
      case .list(let element):
        return .object([
          ("type", .string("array")), ("items", write(element.generationSchema.node)),
        ])
      case .names(let description, let names):
        return described(description, [("enum", .array(names.map { .string($0) }))])
      case .types(let description, let types):
        return described(
          description, [("anyOf", .array(types.map { write($0.generationSchema.node) }))])
      case .object(let type, let description, let properties):
        return named(type) { writer in
          writer.described(description, writer.object(properties, tag: nil))
        }
      case .cases(let type, let description, let cases):
        return named(type) { writer in
          let choices = cases.map { JSON.object(writer.object($0.values, tag: $0.name)) }
          return writer.described(description, [("anyOf", .array(choices))])
        }
      }
    }

    private func described(_ description: String?, _ members: [(key: String, value: JSON)]) -> JSON
    {
      .object((description.map { [("description", JSON.string($0))] } ?? []) + members)
    }

    /// - Parameter tag: the name of a case.
    private mutating func object(_ properties: [Property], tag: String?)
      -> [(key: String, value: JSON)]
    {
      var members: [(key: String, value: JSON)] = []
      if let tag { members.append(("type", .object([("const", .string(tag))]))) }
      for property in properties {
        var schema = write(property.type.generationSchema.node)
        if case .object(let own) = schema {
          let description = property.description.map { [("description", JSON.string($0))] } ?? []
          let inherited = own.filter { $0.key != "description" || property.description == nil }
          schema = .object(description + Self.merge(inherited, property.keywords))
        }
        members.append((property.name, schema))
      }
      let required =
        (tag.map { _ in ["type"] } ?? []) + properties.filter { !$0.isOptional }.map(\.name)
      return [
        ("type", .string("object")), ("properties", .object(members)),
        ("required", .array(required.map { .string($0) })), ("additionalProperties", .bool(false)),
      ]
    }

    /// Adds the keywords of guides; those of elements go into "items".
    private static func merge(
      _ schema: [(key: String, value: JSON)], _ keywords: [(key: String, value: JSON)]
    ) -> [(key: String, value: JSON)] {
      var schema = schema
      for (key, value) in keywords {
        if key == "items", case .object(let more) = value,
          let index = schema.firstIndex(where: { $0.key == "items" }),
          case .object(let items) = schema[index].value
        {
          schema[index].value = .object(merge(items, more))
        } else if schema.contains(where: { $0.key == key }) {
          // Two guides of a kind have to hold both.
          schema.append(("allOf", .array([.object([(key, value)])])))
        } else {
          schema.append((key, value))
        }
      }
      return schema
    }

    /// Writes a type in place; a reference where it is being written already.
    private mutating func named(
      _ type: any Generable.Type, _ body: (inout Writer) -> JSON
    ) -> JSON {
      let id = ObjectIdentifier(type)
      if open.contains(id) {
        let name = names[id] ?? unusedName(for: type)
        names[id] = name
        return .object([("$ref", .string("#/$defs/\(name)"))])
      }
      open.append(id)
      let schema = body(&self)
      open.removeLast()
      guard let name = names[id], !definitions.contains(where: { $0.key == name }) else {
        return schema
      }
      definitions.append((name, schema))
      return .object([("$ref", .string("#/$defs/\(name)"))])
    }

    private func unusedName(for type: any Generable.Type) -> String {
      let name = String("\(type)".filter { $0.isLetter || $0.isNumber })
      return names.values.contains(name) ? "\(name)\(names.count)" : name
    }
  }
}
