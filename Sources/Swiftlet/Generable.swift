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
