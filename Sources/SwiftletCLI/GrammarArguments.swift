import ArgumentParser
import Swiftlet

/// What a reply may be.
struct GrammarArguments: ParsableArguments {
  @Option(help: "A file with a grammar in GBNF (llama.cpp's notation) that the reply keeps to.")
  var grammar: String?

  @Option(help: "A JSON Schema, or a file with one, that the reply is valid under.")
  var jsonSchema: String?

  @Flag(help: "End a reply that says the same over and over; with a grammar that is always so.")
  var stopLoops = false

  func validate() throws {
    if grammar != nil, jsonSchema != nil {
      throw ValidationError("--grammar and --json-schema: give one of them")
    }
  }

  /// Puts what was asked for into `options`.
  func apply(to options: inout DecodingOptions, _ language: LanguageModel) throws {
    options.stopsLoops = stopLoops || grammar != nil || jsonSchema != nil
    if let grammar {
      let text = try StandardInput.read(file: grammar)
      options.grammar = try language.tokenGrammar(Grammar(gbnf: text))
    }
    if let jsonSchema {
      let isText = jsonSchema.drop(while: \.isWhitespace).first == "{"
      let text = isText ? jsonSchema : try StandardInput.read(file: jsonSchema)
      options.grammar = try language.tokenGrammar(Grammar(jsonSchema: text))
    }
  }
}
