/// A type that a model can generate: it has a schema, which guided generation keeps to.
///
/// Structs and enums get it by `@Generable`:
///
/// ```swift
/// @Generable struct Person {
///   @Guide(description: "First and last name") var name: String
///   @Guide(description: "Age in years", .range(0...120)) var age: Int
///   var languages: [String]
/// }
/// let person = try await session.respond(to: "Invent a person.", generating: Person.self).content
/// ```
public protocol Generable: ConvertibleFromGeneratedContent, ConvertibleToGeneratedContent {
  /// What a value looks like while it is generated.
  associatedtype PartiallyGenerated: ConvertibleFromGeneratedContent = Self
  /// What a value may be.
  static var generationSchema: GenerationSchema { get }
}

/// A type that can be read from what a model generated.
public protocol ConvertibleFromGeneratedContent: Sendable {
  /// - Throws: `GeneratedContentError` where the content is none of the type.
  init(_ content: GeneratedContent) throws
}

/// A type that can be written as a model would generate it.
public protocol ConvertibleToGeneratedContent: Sendable, PromptRepresentable {
  /// The value as a model would generate it.
  var generatedContent: GeneratedContent { get }
}

/// Makes a struct or an enum `Generable`. The stored properties of a struct, whose types are `Generable`, are
/// generated in their order; an optional one may be left out. A case of an enum is its name, or, where any
/// case has values, an object of the name and the values.
///
/// - Parameter description: says what the type is for; part of the schema that the model may read.
@attached(
  extension, conformances: Generable,
  names: named(generationSchema), named(init(_:)), named(generatedContent),
  named(PartiallyGenerated))
public macro Generable(description: String? = nil) =
  #externalMacro(module: "SwiftletMacros", type: "GenerableMacro")

/// Describes a property of a `@Generable` struct, and what values it may have.
@attached(peer)
public macro Guide<T: Generable>(description: String? = nil, _ guides: GenerationGuide<T>...) =
  #externalMacro(module: "SwiftletMacros", type: "GuideMacro")

/// Describes a property of a `@Generable` struct.
@attached(peer)
public macro Guide(description: String) =
  #externalMacro(module: "SwiftletMacros", type: "GuideMacro")
