// The package's trait "Macros", on by default: without it swift-syntax is not built.
#if Macros
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
#endif
