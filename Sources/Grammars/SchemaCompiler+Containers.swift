import OrderedJSON

// Arrays and objects.
extension SchemaCompiler {
  mutating func array(_ schema: Members, _ path: String, _ depth: Int)
    throws(GrammarError) -> Expression
  {
    var first: [JSON] = []
    var rest = schema["items"] ?? .bool(true)
    if let prefix = schema["prefixItems"] { first = try SchemaBranches.list(prefix, path) }
    if case .array(let items) = rest {
      // Before draft 2020-12.
      first = items
      rest = schema["additionalItems"] ?? .bool(true)
    }
    let least = try count("minItems", schema, path) ?? 0
    var most = try count("maxItems", schema, path) ?? .max
    guard least <= most else { throw contradiction(path, "\"minItems\" is more than \"maxItems\"") }
    if case .bool(true)? = schema["uniqueItems"] {
      guard least <= 1 else { throw fault(path, "\"uniqueItems\" is not supported") }
      most = min(most, 1)
    }
    if case .bool(false) = rest { most = min(most, first.count) }
    guard least <= most else { throw contradiction(path, "there are not enough items") }
    var items: [Expression] = []
    for (index, item) in first.enumerated() where index < most {
      items.append(
        try part(item, "\(path)/prefixItems/\(index)", depth))
    }
    let upper = most == .max ? nil : max(least, min(most, Self.mostRepetitions))
    guard !items.isEmpty else {
      let item = upper == 0 ? .nothing : try part(rest, path + "/items", depth)
      return Self.list("[", item, "]", least: least, most: upper)
    }
    // After each item but the last that has to be there the list may end.
    var tail = Expression.nothing
    if upper ?? .max > items.count {
      tail = .repetition(
        .sequence([.text(", "), try part(rest, path + "/items", depth)]),
        least: max(0, least - items.count), most: upper.map { $0 - items.count })
    }
    for index in items.indices.reversed() {
      let item = Expression.sequence([.text(index == 0 ? "" : ", "), items[index], tail])
      tail = index < least ? item : .optional(item)
    }
    return .sequence([.text("["), tail, .text("]")])
  }

  /// A rule of its own for a part, which may be used more than once.
  mutating func part(_ schema: JSON, _ path: String, _ depth: Int) throws(GrammarError)
    -> Expression
  {
    .rule(
      try rule("\(path) #\(rules.count)") { (compiler) throws(GrammarError) in
        try compiler.value(schema, path, depth + 1)
      })
  }

  struct Property {
    let text: Expression
    let isRequired: Bool
  }

  mutating func object(_ schema: Members, _ path: String, _ depth: Int)
    throws(GrammarError) -> Expression
  {
    var declared: Members = []
    if let value = schema["properties"] {
      guard case .object(let members) = value else {
        throw fault(path + "/properties", "expected an object")
      }
      declared = members
    }
    if let required = schema["required"] {
      guard case .array(let keys) = required else {
        throw fault(path + "/required", "expected a list")
      }
      for key in keys {
        guard case .string(let key) = key else {
          throw fault(path + "/required", "expected strings")
        }
        if declared[key] == nil {
          declared.append((key, schema["additionalProperties"] ?? .bool(true)))
        }
      }
    }
    let least = try count("minProperties", schema, path) ?? 0
    let most = try count("maxProperties", schema, path) ?? .max
    if declared.isEmpty { return try map(schema, path, depth, least: least, most: most) }

    let required = SchemaBranches.required(schema)
    var properties: [Property] = []
    for (key, value) in declared {
      let place = "\(path)/properties/\(key)"
      if case .bool(false) = value {
        guard !required.contains(key) else {
          throw contradiction(place, "the property has to be there and has no valid value")
        }
        continue
      }
      let text: Expression
      do {
        text = try self.value(value, place, depth + 1)
      } catch {
        // What cannot be is left out where it may.
        guard error.isContradiction, !required.contains(key) else { throw error }
        continue
      }
      properties.append(
        Property(
          text: .sequence([.text(JSON.quoted(key) + ": "), text]),
          isRequired: required.contains(key)))
    }
    guard required.count <= most else {
      throw contradiction(path, "more properties are required than \"maxProperties\" allows")
    }
    guard least <= required.count, most >= properties.count else {
      throw fault(path, "counts of properties beside optional ones are not supported")
    }
    return .sequence([.text("{"), try members(properties, path), .text("}")])
  }

  /// Properties in their order, the optional ones or not.
  mutating func members(_ properties: [Property], _ path: String) throws(GrammarError)
    -> Expression
  {
    // What follows each of them.
    var tails = [Expression.nothing]
    for (index, property) in properties.enumerated().reversed() where index > 0 {
      let next = Expression.sequence([.text(", "), property.text])
      let tail = Expression.sequence([
        property.isRequired ? next : .optional(next), tails[0],
      ])
      // Several beginnings may lead to it.
      let name = "\(path) from property \(index) of \(properties.count) #\(rules.count)"
      let rule = try rule(name) { (_) throws(GrammarError) in tail }
      tails.insert(.rule(rule), at: 0)
    }
    var beginnings: [Expression] = []
    for (property, tail) in zip(properties, tails) {
      beginnings.append(.sequence([property.text, tail]))
      if property.isRequired { return .choice(beginnings) }
    }
    return .choice(beginnings + [.nothing])
  }

  /// An object with any keys. A key may come twice, of which the last counts.
  mutating func map(
    _ schema: Members, _ path: String, _ depth: Int, least: Int, most: Int
  ) throws(GrammarError) -> Expression {
    let values = schema["additionalProperties"] ?? .bool(true)
    if case .bool(false) = values {
      guard least == 0 else { throw contradiction(path, "no properties are allowed") }
      return .text("{}")
    }
    guard least <= most else {
      throw contradiction(path, "\"minProperties\" is more than \"maxProperties\"")
    }
    guard least <= 1 else { throw fault(path, "\"minProperties\" of more than 1 is not supported") }
    let key = Expression.rule(try string(least: 0, most: nil))
    let value = most == 0 ? .nothing : try part(values, path + "/additionalProperties", depth)
    return Self.list(
      "{", .sequence([key, .text(": "), value]), "}", least: least,
      most: most == .max ? nil : min(most, Self.mostRepetitions))
  }
}
