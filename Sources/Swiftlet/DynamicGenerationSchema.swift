import Grammars
import OrderedJSON

/// A schema that is made while a program runs. Shaped like FoundationModels' type of the same name.
///
/// ```swift
/// let person = DynamicGenerationSchema(
///   name: "Person",
///   properties: [.init(name: "age", schema: .init(type: Int.self, guides: [.range(0...120)]))])
/// let schema = try GenerationSchema(root: person, dependencies: [])
/// ```
public struct DynamicGenerationSchema: Sendable {
  /// A property of an object.
  public struct Property: Sendable {
    let name: String
    let description: String?
    let schema: DynamicGenerationSchema
    let isOptional: Bool

    /// A property; an optional one may be left out.
    public init(
      name: String, description: String? = nil, schema: DynamicGenerationSchema,
      isOptional: Bool = false
    ) {
      self.name = name
      self.description = description
      self.schema = schema
      self.isOptional = isOptional
    }
  }

  /// What `referenceTo` finds it by.
  let name: String?
  let json: JSON

  private init(
    name: String? = nil, description: String? = nil, _ members: [(key: String, value: JSON)]
  ) {
    self.name = name
    json = .object((description.map { [("description", JSON.string($0))] } ?? []) + members)
  }

  /// An object.
  public init(name: String, description: String? = nil, properties: [Property]) {
    let members = properties.map { property in
      var schema = property.schema.json
      if let description = property.description, case .object(let own) = schema {
        schema = .object(
          [("description", .string(description))] + own.filter { $0.key != "description" })
      }
      return (key: property.name, value: schema)
    }
    self.init(
      name: name, description: description,
      [
        ("type", .string("object")), ("properties", .object(members)),
        (
          "required",
          .array(properties.filter { !$0.isOptional }.map { .string($0.name) })
        ), ("additionalProperties", .bool(false)),
      ])
  }

  /// A value of one of several schemas.
  public init(name: String, description: String? = nil, anyOf choices: [DynamicGenerationSchema]) {
    self.init(name: name, description: description, [("anyOf", .array(choices.map(\.json)))])
  }

  /// One of several texts.
  public init(name: String, description: String? = nil, anyOf choices: [String]) {
    self.init(
      name: name, description: description, [("enum", .array(choices.map { .string($0) }))])
  }

  /// A list; nil is any number of elements.
  public init(
    arrayOf itemSchema: DynamicGenerationSchema, minimumElements: Int? = nil,
    maximumElements: Int? = nil
  ) {
    var members: [(key: String, value: JSON)] = [
      ("type", .string("array")), ("items", itemSchema.json),
    ]
    if let minimumElements { members.append(("minItems", .number("\(minimumElements)"))) }
    if let maximumElements { members.append(("maxItems", .number("\(maximumElements)"))) }
    self.init(members)
  }

  /// A value of a type.
  public init<Value: Generable>(type: Value.Type, guides: [GenerationGuide<Value>] = []) {
    name = nil
    let schema = Value.generationSchema.json
    let keywords = guides.flatMap(\.keywords)
    json =
      keywords.isEmpty
      ? schema : .object([("allOf", .array([schema, .object(keywords)]))])
  }

  /// The schema with a name, of the root or the dependencies; it may lead to itself.
  public init(referenceTo name: String) {
    self.init([("$ref", .string("#/$defs/\(name)"))])
  }

  /// `null`.
  public static var null: DynamicGenerationSchema { Self([("type", .string("null"))]) }
}

extension GenerationSchema {
  /// The schema `root`, whose references are to itself and to `dependencies`.
  ///
  /// - Throws: `GrammarError.schema` where a reference leads nowhere, or nothing can be generated.
  public init(root: DynamicGenerationSchema, dependencies: [DynamicGenerationSchema])
    throws(GrammarError)
  {
    let named = ([root] + dependencies).compactMap { schema in
      schema.name.map { (key: $0, value: schema.json) }
    }
    guard case .object(let members) = root.json else {
      throw .schema(path: "", reason: "no object")
    }
    let json = JSON.object(members + [("$defs", .object(named))])
    _ = try Grammar(jsonSchema: json)
    self.init(node: .json(json))
  }
}
